//! `explain`: why Driftline says what it says of somebody. `graph`: the same, drawn.

use std::path::Path;

use ::report::v1::{Finding, Report, SubjectKind};
use chrono::{DateTime, SecondsFormat, Utc};
use domain::{FindingId, List, Rows, SystemId, Tier, TrialOutcome};
use engine::{Answer, inspect};
use store::Store;

use crate::cli::{ExplainArgs, GraphArgs, GraphFormat};
use crate::commands::findings::last;
use crate::exit::{Exit, UsageError};
use crate::settings::{self, Settings};
use crate::{print, profiles};

/// Explains somebody, drift or not.
///
/// # Errors
///
/// Fails when nobody is called so, or the database cannot be read.
pub(crate) async fn explain(config: &Path, args: &ExplainArgs) -> anyhow::Result<Exit> {
    let settings = settings::read(config)?;
    let store = Store::open_existing_read_only(&settings.database)?;
    let answers = match answers(&settings, &args.who, args.app.as_deref()).await {
        Ok(answers) => answers,
        Err(error) => match hr_alone(&store, &args.who).await? {
            Some(page) => {
                print::out(page)?;
                return Ok(Exit::Fine);
            }
            None => return Err(error),
        },
    };
    let last = last(&store).await?;
    let pages: Vec<String> = answers.iter().map(|it| page(it, &last)).collect();
    print::out(pages.join("\n"))?;
    Ok(Exit::Fine)
}

/// Draws somebody's neighbourhood.
///
/// # Errors
///
/// Fails when nobody is called so, or several are and one drawing cannot show them.
pub(crate) async fn graph(config: &Path, args: &GraphArgs) -> anyhow::Result<Exit> {
    let settings = settings::read(config)?;
    let answers = answers(&settings, &args.who, None).await?;
    let answer = match &*answers {
        [answer] => answer,
        several => {
            let accounts: Vec<String> = several.iter().map(title).collect();
            return Err(UsageError(format!(
                "`{}` stands for {}: name one of them",
                args.who,
                accounts.join(", ")
            ))
            .into());
        }
    };
    let drawing = match args.format {
        GraphFormat::Svg => answer.neighbourhood.to_svg(),
        GraphFormat::Dot => answer.neighbourhood.to_dot(),
        GraphFormat::Json => serde_json::to_string_pretty(&answer.neighbourhood.to_json())? + "\n",
    };
    print::to(args.output.as_deref(), drawing.as_bytes())?;
    Ok(Exit::Fine)
}

async fn answers(settings: &Settings, who: &str, app: Option<&str>) -> anyhow::Result<Vec<Answer>> {
    let store = Store::open_existing_read_only(&settings.database)?;
    let app = app.map(|name| known_app(settings, name)).transpose()?;
    let plan = settings.plan_to_judge_again(profiles::load(settings.profiles.as_deref())?)?;
    let who = of_finding(&store, who).await?;
    let answers = inspect(&store, &plan, app.as_ref(), &who).await?;
    if answers.is_empty()
        && let Some(entry) = store.erased_by(who.clone()).await?
    {
        let what = format!(
            "`{who}` was erased by entry {entry} of the ledger: nothing but its key is kept"
        );
        return Err(UsageError(what).into());
    }
    if answers.is_empty() {
        return Err(UsageError(format!(
            "nobody is called `{who}` in the lists of the last run: name an address, a login, SYSTEM/ID, an account's id or a finding"
        ))
        .into());
    }
    Ok(answers)
}

fn known_app(settings: &Settings, name: &str) -> Result<SystemId, UsageError> {
    let found = settings.apps.iter().find(|it| it.rules.app.as_str() == name);
    found
        .map(|it| it.rules.app.clone())
        .ok_or_else(|| UsageError(format!("`{name}` is no app of `{}`", settings.path.display())))
}

/// What HR's last lists say of a row that is nobody's in any other list; `None`: there is no such row.
async fn hr_alone(store: &Store, who: &str) -> anyhow::Result<Option<String>> {
    let Some((system, id)) = who.split_once('/') else { return Ok(None) };
    let state = store.load().await?;
    let lists = state
        .streams
        .iter()
        .filter(|(stream, _)| stream.list == List::Leavers && stream.system.as_str() == system);
    for last in lists.filter_map(|(_, it)| it.latest.as_ref()) {
        let Rows::Leavers(rows) = store.rows(last.id).await?.rows else { continue };
        let Some(row) = rows.iter().find(|it| *it.id == *id) else { continue };
        let (at, left) = (shown(last.as_of.at), shown(row.left_at));
        let name = row.display_name.as_deref().unwrap_or("-");
        let keys = [
            row.employee_number
                .as_ref()
                .map(|it| format!("{} `{it}`", Tier::EmployeeNumber.label())),
            row.email.as_ref().map(|it| format!("{} `{it}`", Tier::Email.label())),
        ];
        let keys: Vec<String> = keys.into_iter().flatten().collect();
        return Ok(Some(format!(
            "{who}, a row of HR's list\n  person    {name}\n  left      {left} (as of {at})\n  \
             No person and no account of the last lists is joined to it by its keys ({}).\n",
            keys.join(", ")
        )));
    }
    Ok(None)
}

fn shown(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// `DL-17` stands for whom that finding is about; every other text for itself.
async fn of_finding(store: &Store, who: &str) -> anyhow::Result<String> {
    let Some(id) = who
        .get(..3)
        .filter(|it| it.eq_ignore_ascii_case("DL-"))
        .and_then(|_| FindingId::parse(who))
    else {
        return Ok(who.to_owned());
    };
    let state = store.load().await?;
    let finding = state.findings.iter().find(|it| it.id == id);
    let finding = finding.ok_or_else(|| UsageError(format!("there is no finding {id}")))?;
    Ok(match finding.subject.kind {
        domain::SubjectKind::Account => finding.subject.key.to_string(),
        domain::SubjectKind::Identity => {
            format!("{}/{}", finding.subject.system, finding.subject.key)
        }
    })
}

/// The account, or the person who has none.
fn title(answer: &Answer) -> String {
    match &answer.account {
        Some(account) => format!("{} account `{account}`", answer.app),
        None => format!("{} (no account in {})", answer.person.identities.join(", "), answer.app),
    }
}

/// What the findings about the account, or about the person without one, come of: each finding with
/// its causes, as the last run has them.
fn comes_of(answer: &Answer, last: &Report) -> Vec<String> {
    let is_about = |it: &&Finding| {
        let subject = &it.subject;
        let key = format!("{}/{}", subject.system, subject.key);
        let is_theirs = match &answer.account {
            Some(account) => subject.kind == SubjectKind::Account && subject.key == *account,
            None => {
                subject.kind == SubjectKind::Identity && answer.person.identities.contains(&key)
            }
        };
        it.app == answer.app.as_str() && is_theirs
    };
    let findings = last.findings.iter().filter(is_about);
    let causes = findings.flat_map(|finding| {
        last.causes_of(&finding.id).map(move |(it, is_sure)| {
            let verb = if is_sure { "comes of" } else { "may come of" };
            format!("{} {verb} {}: {}", finding.id, it.kind.name(), it.text)
        })
    });
    causes.collect()
}

fn page(answer: &Answer, last: &Report) -> String {
    let mut page = format!("{}\n", title(answer));
    let mut line = |indent: usize, text: &str| {
        page.push_str(&format!("{:indent$}{}\n", "", text.trim_end()));
    };
    if let Some(name) = &answer.person.name {
        let login = answer.person.login.as_deref().unwrap_or("-");
        line(2, &format!("person    {name} ({login})"));
    }
    if !answer.person.identities.is_empty() {
        line(2, &format!("owner     {}", answer.person.identities.join(", ")));
    }
    line(2, &format!("verdict   {}", answer.verdict.name()));
    line(2, &format!("right     {}", answer.right));
    line(2, &format!("activity  {}", answer.activity));
    line(2, &format!("link      {}", answer.link));
    line(2, &answer.explanation.summary);
    for cause in comes_of(answer, last) {
        line(2, &cause);
    }
    line(2, "what was seen");
    for fact in &answer.explanation.facts {
        let at = shown(fact.at);
        line(4, &fact.text);
        line(6, &format!("{} (as of {at})", fact.source));
    }
    if !answer.explanation.trials.is_empty() {
        line(2, "keys that were tried, strongest first");
    }
    for trial in &answer.explanation.trials {
        let outcome = match &trial.outcome {
            TrialOutcome::Decided(who) => format!("decides: {who}"),
            TrialOutcome::Agrees(who) => format!("agrees: {who}"),
            TrialOutcome::Rejected(why) => format!("rejected: {why}"),
            TrialOutcome::NoMatch => "matches nobody".to_owned(),
            TrialOutcome::NotStated => "not stated".to_owned(),
        };
        let value =
            if trial.value.is_empty() { String::new() } else { format!(" `{}`", trial.value) };
        line(4, &format!("{}{value}: {outcome}", trial.tier.label()));
    }
    if !answer.explanation.absences.is_empty() {
        line(2, "what was not seen, and where");
    }
    for absence in &answer.explanation.absences {
        line(4, absence);
    }
    page
}
