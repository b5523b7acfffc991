//! `alert`: tries the channels, and lists what they were told.

use std::path::Path;

use alerting::{Letter, Sender, Sent};
use domain::{Clock, Notice, NoticeId, NotifyReason, Severity};
use serde::Serialize;
use store::{DeliveryLine, Store};

use crate::cli::{AlertCommand, AlertListArgs, AlertTestArgs, TextFormat};
use crate::exit::{Exit, UsageError};
use crate::nearest::{listed, nearest};
use crate::print;
use crate::settings::{self, Settings};

/// Does what was asked.
///
/// # Errors
///
/// Fails when the settings, a channel's secrets or the database cannot be used.
pub(crate) async fn alert(
    config: &Path,
    command: &AlertCommand,
    clock: &dyn Clock,
) -> anyhow::Result<Exit> {
    let settings = settings::read(config)?;
    match command {
        AlertCommand::Test(args) => test(&settings, args, clock).await,
        AlertCommand::List(args) => list(&settings, args).await,
    }
}

async fn test(
    settings: &Settings,
    args: &AlertTestArgs,
    clock: &dyn Clock,
) -> anyhow::Result<Exit> {
    let mut exit = Exit::Fine;
    for sender in chosen(settings, args.channel.as_deref())? {
        let name = sender.name.clone();
        let notice = notice(settings, &sender, clock);
        let (text, is_taken) = match try_out(settings, &sender, notice.clone(), clock).await {
            Sent::Delivered { .. } => {
                keep(settings, notice).await;
                (format!("{name}: taken\n"), true)
            }
            Sent::Retry { why, .. } => {
                (format!("{name}: not taken, try again later: {why}\n"), false)
            }
            Sent::Refused { why } => (format!("{name}: refused: {why}\n"), false),
        };
        print::out(text)?;
        if !is_taken {
            exit = Exit::Incomplete;
        }
    }
    Ok(exit)
}

/// The channels to try: each that there is, or the one that was named.
fn chosen(settings: &Settings, name: Option<&str>) -> anyhow::Result<Vec<Sender>> {
    let names = || settings.channels.iter().map(|it| &*it.name);
    let chosen: Vec<_> =
        settings.channels.iter().filter(|it| name.is_none_or(|name| *it.name == *name)).collect();
    if chosen.is_empty() {
        let what = match name.filter(|_| names().next().is_some()) {
            None => "the settings have no channel: add an `[alert.NAME]`".to_owned(),
            Some(name) => {
                let guess = nearest(name, names())
                    .map_or_else(String::new, |word| format!("; did you mean `{word}`?"));
                format!("there is no channel `{name}`{guess}; there is {}", listed(names()))
            }
        };
        return Err(UsageError(what).into());
    }
    Ok(chosen.into_iter().map(|it| it.connect()).collect::<Result<_, _>>()?)
}

fn notice(settings: &Settings, sender: &Sender, clock: &dyn Clock) -> Notice {
    let now = clock.now();
    let deployment = &settings.routes.deployment;
    Notice {
        key: alerting::key(deployment, "-", &format!("test-{}", now.timestamp())),
        reason: NotifyReason::Test,
        severity: Severity::Low,
        app: None,
        run: None,
        at: now,
        title: format!("a test of the channel `{}`", sender.name),
        lines: Vec::new(),
        findings: Vec::new(),
        items: Vec::new(),
        to: vec![(sender.name.clone(), now)],
    }
}

/// Writes down that the channel lives, where there is a database to tell.
async fn keep(settings: &Settings, notice: Notice) {
    if !settings.database.exists() {
        return;
    }
    let kept = match Store::open_beside_runs(&settings.database) {
        Ok(store) => store.add_taken(notice).await,
        Err(error) => Err(error),
    };
    if let Err(error) = kept {
        let why = anyhow::Error::from(error);
        print::err(&format!(
            "warning: that the test was taken was not written down, and a channel that was dead \
             stays so until it takes a notice: {why:#}"
        ));
    }
}

/// Sends a test, and to a channel that keeps alerts open that it is over.
async fn try_out(settings: &Settings, sender: &Sender, notice: Notice, clock: &dyn Clock) -> Sent {
    let now = notice.at;
    let routes = &settings.routes;
    let mut letter = Letter {
        id: NoticeId(now.timestamp_millis()), // No notice of the outbox: only to be unlike others.
        notice,
        unconfirmed: None,
        names: sender.names,
        report_url: routes.report_url.clone(),
        first: None,
        enclosed: None,
        now,
    };
    let sent = sender.send(&letter).await;
    let channel = sender.channel();
    if matches!(sent, Sent::Delivered { .. }) && (channel.is_pager || channel.forgets) {
        letter.notice.reason = NotifyReason::Resolved;
        letter.now = clock.now();
        return sender.send(&letter).await;
    }
    sent
}

async fn list(settings: &Settings, args: &AlertListArgs) -> anyhow::Result<Exit> {
    let store = Store::open_existing_read_only(&settings.database)?;
    let lines = store.deliveries(args.limit).await?;
    match args.format {
        TextFormat::Text => print::out(text(&lines))?,
        TextFormat::Json => print::out(json(&lines)?)?,
    }
    Ok(Exit::Fine)
}

fn text(lines: &[DeliveryLine]) -> String {
    let mut page = String::new();
    for line in lines {
        let delivery = &line.delivery;
        let at = line.at.format("%Y-%m-%d %H:%M:%SZ");
        page.push_str(&format!(
            "{at}  {:<10}  {}  {:<8}  {:<11}  {}\n",
            delivery.state, delivery.channel, line.severity, line.reason, line.title
        ));
        if let Some(why) = &delivery.why {
            let tries = match delivery.n_attempts {
                0 => String::new(),
                1 => " (tried once)".to_owned(),
                n => format!(" (tried {n} times)"),
            };
            page.push_str(&format!("    {why}{tries}\n"));
        }
    }
    if lines.is_empty() {
        page.push_str("Nobody was told anything yet.\n");
    }
    page
}

#[derive(Serialize)]
struct Line<'l> {
    notice: i64,
    at: String,
    channel: &'l str,
    state: &'static str,
    reason: &'static str,
    severity: &'static str,
    title: &'l str,
    due_at: String,
    n_attempts: u32,
    why: Option<&'l str>,
}

fn json(lines: &[DeliveryLine]) -> Result<String, serde_json::Error> {
    let lines: Vec<Line<'_>> = lines
        .iter()
        .map(|it| Line {
            notice: it.delivery.notice.0,
            at: it.at.to_rfc3339(),
            channel: &it.delivery.channel,
            state: it.delivery.state.name(),
            reason: it.reason.name(),
            severity: it.severity.name(),
            title: &it.title,
            due_at: it.delivery.due_at.to_rfc3339(),
            n_attempts: it.delivery.n_attempts,
            why: it.delivery.why.as_deref(),
        })
        .collect();
    Ok(serde_json::to_string_pretty(&lines)? + "\n")
}
