//! `schedule`: the next runs, and how the last scheduled one went. Changes nothing.

use std::path::Path;

use chrono::{DateTime, Utc};
use domain::{Clock, Pass, Turn};
use engine::Schedule;
use store::{Store, StoreError, Turns};

use crate::cli::ScheduleArgs;
use crate::exit::{Exit, UsageError};
use crate::{print, settings, when};

/// Prints the next runs.
///
/// # Errors
///
/// Fails when the settings cannot be used or have no schedule, or the database cannot be read.
pub(crate) async fn schedule(
    config: &Path,
    args: &ScheduleArgs,
    clock: &dyn Clock,
) -> anyhow::Result<Exit> {
    let settings = settings::read(config)?;
    let Some(schedule) = &settings.service.schedule else {
        let what = "the settings have no `[schedule]`: add one with `runs = [\"0 2 * * *\"]`";
        return Err(UsageError(what.to_owned()).into());
    };
    let turns = match Store::open_existing_read_only(&settings.database) {
        Ok(store) => store.turns().await?,
        // Nothing ran yet.
        Err(StoreError::Missing { .. } | StoreError::Empty { .. }) => Turns::default(),
        Err(error) => return Err(error.into()),
    };
    let mut text = next(schedule, Pass::Full, clock.now(), args.number.into());
    text.push_str(&next(schedule, Pass::Light, clock.now(), args.number.into()));
    if !settings.service.jitter.is_zero() {
        let jitter = when::written(settings.service.jitter);
        text.push_str(&format!("Each begins up to {jitter} later, at random.\n"));
    }
    text.push_str(&last(&turns, schedule, clock.now()));
    print::out(text)?;
    Ok(Exit::Fine)
}

/// The next runs of one kind; nothing where the schedule has none.
fn next(schedule: &Schedule, pass: Pass, now: DateTime<Utc>, n: usize) -> String {
    let mut text = match pass {
        Pass::Full => format!("The next runs, in {}:\n", schedule.zone()),
        Pass::Light if !schedule.has_light() => return String::new(),
        Pass::Light => "The next light passes, of which a run takes the place of one that is due \
                        together with it:\n"
            .to_owned(),
    };
    let mut after = now;
    for _ in 0..n {
        let Some((at, expression)) = schedule.next(pass, after) else { break };
        let shown = when::on_the_wall(at, schedule.zone());
        text.push_str(&format!("  {shown}  {}  by `{expression}`\n", at.format("%H:%MZ")));
        after = at;
    }
    text
}

fn last(turns: &Turns, schedule: &Schedule, now: DateTime<Utc>) -> String {
    let shown = |at| when::on_the_wall(at, schedule.zone());
    let Some(Turn { due, began, schedule: text, .. }) = &turns.last else {
        return "No scheduled run was done yet: the daemon begins with one.\n".to_owned();
    };
    let mut said = format!("The last one was due {} and began {}.\n", shown(*due), shown(*began));
    let is_another = *text != schedule.to_string();
    if is_another {
        said.push_str("The schedule is another one since: the daemon begins with a run.\n");
    }
    let asked = if is_another { Schedule::read(text) } else { Some(schedule.clone()) };
    let passed = asked.and_then(|it| it.due(*began, now)).filter(|it| it.at <= now);
    if let Some(due) = passed {
        let n = due.n_missed + 1;
        said.push_str(&format!(
            "Since then {n} passed without a run, the first due {}: is the daemon running? It makes \
             up for all with one.\n",
            shown(due.first_missed.unwrap_or(due.at))
        ));
    }
    match turns.n_missed {
        0 => {}
        n => said.push_str(&format!("In all, {} had no run.\n", domain::counted(n, "due time"))),
    }
    said
}
