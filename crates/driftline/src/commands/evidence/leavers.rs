//! `evidence leavers`: every leaver of a period, as text, CSV or JSON.

use std::fmt::Write as _;

use evidence::{COLUMNS, LeaverLeaf, population_csv};
use serde_json::{Map, Value, json};
use store::Store;

use super::{Period, gather};
use crate::cli::ListFormat;

/// The leavers of the period.
pub(super) async fn leavers(
    store: &Store,
    period: &Period,
    format: ListFormat,
) -> anyhow::Result<Vec<u8>> {
    let (_, checkpoint) = gather::head(store).await?;
    let within = (period.from, period.to);
    let erasures = gather::erasures(store, &checkpoint).await?;
    let mut leavers = Vec::new();
    for line in gather::leavers(store, &period.app, within, &checkpoint).await? {
        leavers.push(gather::leaf(store, &line).await?.1.after(&erasures));
    }
    let begins = store.leavers_begin().await?;
    let begin = begins.iter().find(|it| it.app == period.app);
    Ok(match format {
        ListFormat::Csv => population_csv(&leavers),
        ListFormat::Json => json_of(&leavers),
        ListFormat::Text => {
            let mut text = text_of(period, &leavers)?;
            match begin {
                Some(it) => writeln!(
                    text,
                    "Listed since {}; {} who left before {}, or at no known time, and were off by then, are not listed.",
                    it.at.format("%Y-%m-%d %H:%M UTC"),
                    it.n_left_out,
                    it.since.format("%Y-%m-%d")
                )?,
                None => writeln!(
                    text,
                    "Leavers of {} are not listed yet: no full run saw it.",
                    period.app
                )?,
            }
            let disputed = gather::disputed(store, &period.app, within).await?;
            if !disputed.is_empty() {
                writeln!(
                    text,
                    "In that time sources disagreed whether somebody left: {}. Who is no leaver by all \
                     of them is not listed; a bag says who it is.",
                    disputed.join(", ")
                )?;
            }
            text.into_bytes()
        }
    })
}

/// One object for each, with the columns of the population.
fn json_of(leavers: &[LeaverLeaf]) -> Vec<u8> {
    let object = |it: &LeaverLeaf| {
        let cells = COLUMNS.iter().zip(it.row());
        let cells = cells.map(|(column, cell)| ((*column).to_owned(), Value::from(cell)));
        Value::Object(cells.collect::<Map<String, Value>>())
    };
    let leavers: Vec<Value> = leavers.iter().map(object).collect();
    let document = json!({"format": "driftline.leavers.v1", "leavers": leavers});
    let mut json =
        serde_json::to_vec_pretty(&document).expect("texts and lists of them always serialize");
    json.push(b'\n');
    json
}

/// People by key, never by name.
fn text_of(period: &Period, leavers: &[LeaverLeaf]) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    let n = |word: &str| leavers.iter().filter(|it| it.body.sla.outcome == word).count();
    writeln!(
        text,
        "{} of {}: {} met, {} missed, {} not proven, {}, {} out of scope",
        domain::counted(leavers.len(), "leaver"),
        period.app,
        n("met"),
        n("missed"),
        n("not_proven"),
        domain::counted(n("exception"), "exception"),
        n("out_of_scope"),
    )?;
    for leaver in leavers {
        let body = &leaver.body;
        writeln!(
            text,
            "\n  {}  {}",
            body.sla.outcome.to_uppercase(),
            leaver.erased.as_deref().or(leaver.fact("identity")).unwrap_or("erased")
        )?;
        writeln!(text, "    {}, entry {}", leaver.id(), leaver.entry)?;
        let said: Vec<String> = body
            .said_by
            .iter()
            .map(|it| {
                let since = it.at.as_deref().unwrap_or("at no known time");
                let until = it.taken_back_at.iter().map(|at| format!(" and not since {at}"));
                let before =
                    it.was_back_at.iter().map(|at| format!(" (back in between, seen at {at})"));
                format!("{} {since}{}", it.system, until.chain(before).collect::<String>())
            })
            .collect();
        let said =
            if said.is_empty() { "nobody; gone from a list".to_owned() } else { said.join(", ") };
        writeln!(text, "    said by {said}")?;
        let keys = leaver.facts_of("accounts");
        for (at, account) in body.accounts.iter().enumerate() {
            let key = keys.get(at).copied().unwrap_or("erased");
            let last = account.stretches.last();
            let on = last.and_then(|it| it.last_seen_active.as_deref());
            let seen = match (on, last.and_then(|it| it.first_seen_inactive.as_deref())) {
                (Some(on), Some(off)) => format!("seen on last {on}, off first {off}"),
                (None, Some(off)) => format!("seen off first {off}, and never on before"),
                (Some(on), None) => format!("seen on {on}, and not off since"),
                (None, None) => "neither seen on nor off".to_owned(),
            };
            writeln!(text, "    {key}: {}, {seen}", account.activity)?;
        }
        writeln!(text, "    {}", body.sla.because)?;
    }
    text.push('\n');
    Ok(text)
}
