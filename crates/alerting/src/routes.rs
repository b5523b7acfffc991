//! Who is told what: routes from causes, severities, apps, privilege and age to channels, and the
//! hours in which they are. Every route that matches counts; none takes a finding from another.

use std::collections::BTreeSet;

use chrono::{
    DateTime, Datelike as _, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone as _, Utc, Weekday,
};
use chrono_tz::Tz;
use domain::{Cause, FindingRecord, Notice, Severity, SystemId, Text, Watcher, WatcherFinding};

/// The routes of one deployment.
#[derive(Clone, Debug)]
pub struct Routes {
    /// The name of the deployment, which stands in every key.
    pub deployment: String,
    /// The channels that there are, in order of name; empty: nobody is told anything.
    pub channels: Vec<Channel>,
    /// The routes.
    pub routes: Vec<Route>,
    /// More findings of one app at once than this are told as one.
    pub storm_over: usize,
    /// Who is told that a channel is dead; empty: the others, pagers last.
    pub fallback: Vec<Text>,
    /// Where the report is read; `None`: on the command line alone.
    pub report_url: Option<String>,
    /// Who gets the report of each run.
    pub report: ReportTo,
}

/// Who gets the report of each run.
#[derive(Clone, Debug, Default)]
pub struct ReportTo {
    /// The channels; empty: nobody, it stays in its folder.
    pub to: Vec<Text>,
    /// Programs get its document, which names people, and not its counts alone.
    pub shows_document: bool,
}

/// One channel, as routes see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// Its name in the settings.
    pub name: Text,
    /// It wakes people: counts do not go there.
    pub is_pager: bool,
    /// It forgets what is not told again.
    pub forgets: bool,
    /// It may show names and logins.
    pub names: bool,
}

/// One route.
#[derive(Clone, Debug)]
pub struct Route {
    /// To which channels.
    pub to: Vec<Text>,
    /// Which findings about people; `None`: none of them.
    pub findings: Option<Match>,
    /// Which findings about the watching; empty: none.
    pub watcher: Vec<Watcher>,
    /// In which hours; `None`: at all times. What comes outside of them waits for them.
    pub hours: Option<Hours>,
    /// What is still open and not acknowledged is told again after this; `None`: never.
    pub repeat_after: Option<TimeDelta>,
    /// What nobody acknowledged for so long is told to these as well; `None`: nobody.
    pub escalate: Option<(TimeDelta, Vec<Text>)>,
    /// Not one by one but all that is open, once a day at this time; `None`: one by one.
    pub digest_at: Option<(NaiveTime, Tz)>,
}

/// Which findings a route takes: all of it must fit.
#[derive(Clone, Debug, Default)]
pub struct Match {
    /// Of these causes; empty: of any.
    pub causes: Vec<Cause>,
    /// At least so grave; `None`: any.
    pub at_least: Option<Severity>,
    /// Of these apps; empty: of any.
    pub apps: Vec<SystemId>,
    /// Only of accounts known to be privileged.
    pub privileged: bool,
    /// Only when its clock has run for so long.
    pub older_than: Option<TimeDelta>,
}

/// Hours of a week.
#[derive(Clone, Debug)]
pub struct Hours {
    /// On which days.
    pub days: Vec<Weekday>,
    /// From when.
    pub from: NaiveTime,
    /// Until when, later on the same day.
    pub until: NaiveTime,
    /// Where.
    pub zone: Tz,
    /// Days that are none of these, whatever day of the week they are.
    pub holidays: BTreeSet<NaiveDate>,
}

/// So many days ahead hours are looked for.
const DAYS_AHEAD: u64 = 366;

/// More at once than this are told as one.
pub const STORM_OVER: usize = 10;

/// Nobody is told anything.
impl Default for Routes {
    fn default() -> Self {
        Self {
            deployment: "main".to_owned(),
            channels: Vec::new(),
            routes: Vec::new(),
            storm_over: STORM_OVER,
            fallback: Vec::new(),
            report_url: None,
            report: ReportTo::default(),
        }
    }
}

impl Routes {
    /// The channel of that name; `None`: it was taken out of the settings.
    #[must_use]
    pub fn channel(&self, name: &str) -> Option<&Channel> {
        self.channels.iter().find(|it| &*it.name == name)
    }

    /// When a notice that waited for hours may go to this channel: `now`, or when the hours of a route
    /// that may have brought it begin again. `now` where no such route is left.
    #[must_use]
    pub fn opens(&self, channel: &str, notice: &Notice, now: DateTime<Utc>) -> DateTime<Utc> {
        let leads = |it: &&Route| it.digest_at.is_none() && it.to.iter().any(|it| &**it == channel);
        let routes = self.routes.iter().filter(leads).filter(|it| it.may_bring(notice));
        routes.map(|it| it.due(now)).min().unwrap_or(now)
    }

    /// Who is told that a channel is dead: the fallback of the settings, else the others. Pagers
    /// are among them only when the dead one is a pager, or when there is nobody else.
    #[must_use]
    pub fn others(&self, dead: &str) -> Vec<Text> {
        if !self.fallback.is_empty() {
            return self.fallback.iter().filter(|it| &***it != dead).cloned().collect();
        }
        let others = || self.channels.iter().filter(|it| &*it.name != dead);
        let is_pager = self.channel(dead).is_some_and(|it| it.is_pager);
        let only_pagers = others().all(|it| it.is_pager);
        let told = others().filter(|it| is_pager || only_pagers || !it.is_pager);
        told.map(|it| it.name.clone()).collect()
    }

    /// Who is told what waited for a channel that is gone. Whether that one woke people, nobody knows
    /// any more: what is critical goes to all.
    #[must_use]
    pub fn heirs(&self, severity: Severity) -> Vec<Text> {
        match severity {
            Severity::Critical => self.channels.iter().map(|it| it.name.clone()).collect(),
            _ => self.others(""),
        }
    }
}

impl Route {
    /// What on-call is told by default: critical remains of access, and being blind for longer
    /// than a list may be old.
    #[must_use]
    pub fn on_call(to: Vec<Text>) -> Self {
        let causes = Cause::ALL.iter().copied();
        let remains = causes.filter(|it| it.family() == domain::Family::AccessRemains);
        Self {
            to,
            findings: Some(Match {
                causes: remains.collect(),
                at_least: Some(Severity::Critical),
                ..Match::default()
            }),
            watcher: vec![Watcher::SourceStale],
            hours: None,
            repeat_after: None,
            escalate: None,
            digest_at: None,
        }
    }

    /// Whether the route takes this finding, wherever it stands.
    pub(crate) fn takes(&self, record: &FindingRecord, now: DateTime<Utc>) -> bool {
        let finding = &record.finding;
        self.findings.as_ref().is_some_and(|it| {
            (it.causes.is_empty() || it.causes.contains(&finding.cause))
                && it.at_least.is_none_or(|least| finding.severity >= least)
                && (it.apps.is_empty() || it.apps.contains(&finding.app))
                && (!it.privileged || record.is_privileged == Some(true))
                && it.older_than.is_none_or(|age| now - finding.clock_from >= age)
        })
    }

    /// Whether a notice may have come this way, by what it tells.
    fn may_bring(&self, notice: &Notice) -> bool {
        let is_of_app = notice.app.as_ref().is_none_or(|it| self.takes_app(it));
        if notice.findings.is_empty() {
            return !self.watcher.is_empty() || is_of_app;
        }
        let fits = |it: &Match| {
            let mut causes = notice.items.iter().map(|it| it.cause);
            it.at_least.is_none_or(|least| notice.severity >= least)
                && (it.causes.is_empty() || causes.any(|cause| it.causes.contains(&cause)))
        };
        is_of_app && self.findings.as_ref().is_some_and(fits)
    }

    /// Whether any finding of an app may come this way.
    pub(crate) fn takes_app(&self, app: &SystemId) -> bool {
        self.findings.as_ref().is_some_and(|it| it.apps.is_empty() || it.apps.contains(app))
    }

    pub(crate) fn takes_watcher(&self, finding: &WatcherFinding) -> bool {
        self.watcher.contains(&finding.kind)
    }

    /// From when on it may be told.
    pub(crate) fn due(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        self.hours.as_ref().map_or(now, |it| it.next(now))
    }
}

impl Hours {
    /// `now` within the hours, else when they begin next; `now` where they do not within a year.
    fn next(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let local = now.with_timezone(&self.zone);
        for ahead in 0..=DAYS_AHEAD {
            let Some(date) = local.date_naive().checked_add_days(Days::new(ahead)) else { break };
            if !self.days.contains(&date.weekday()) || self.holidays.contains(&date) {
                continue;
            }
            if ahead == 0 && (self.from..self.until).contains(&local.time()) {
                return now;
            }
            let from = at(self.zone, date.and_time(self.from));
            if let Some(from) = from.filter(|it| *it > now) {
                return from;
            }
        }
        now
    }
}

/// The next time that the clock of a zone shows this, after `now`; `now` where it never does.
pub(crate) fn next_time(now: DateTime<Utc>, (time, zone): (NaiveTime, Tz)) -> DateTime<Utc> {
    let today = now.with_timezone(&zone).date_naive();
    let days = (0..=2).filter_map(|ahead| today.checked_add_days(Days::new(ahead)));
    let times = days.filter_map(|it| at(zone, it.and_time(time)));
    times.into_iter().find(|it| *it > now).unwrap_or(now)
}

/// An instant by the clock of a zone. A time that is skipped when clocks go forward is an hour
/// later; of one that comes twice, the first.
fn at(zone: Tz, local: chrono::NaiveDateTime) -> Option<DateTime<Utc>> {
    let earliest = |it| zone.from_local_datetime(&it).earliest();
    earliest(local).or_else(|| earliest(local + TimeDelta::hours(1))).map(|it| it.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn what_comes_outside_the_hours_waits_for_them() {
        use Weekday::{Fri, Mon, Thu, Tue, Wed};
        let clock = |hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap();
        let hours = Hours {
            days: vec![Mon, Tue, Wed, Thu, Fri],
            from: clock(8),
            until: clock(18),
            zone: Tz::Europe__Berlin,
            holidays: ["2026-12-24", "2026-12-25"].map(|it| it.parse().unwrap()).into(),
        };
        #[rustfmt::skip]
        let table = [
            // it is                    | told
            ("2026-11-20T06:59:59Z",      "2026-11-20T07:00:00Z"), // A Friday, before eight.
            ("2026-11-20T07:00:00Z",      "2026-11-20T07:00:00Z"),
            ("2026-11-20T16:59:59Z",      "2026-11-20T16:59:59Z"),
            ("2026-11-20T17:00:00Z",      "2026-11-23T07:00:00Z"), // Monday.
            ("2026-11-21T10:00:00Z",      "2026-11-23T07:00:00Z"),
            ("2026-03-27T18:00:00Z",      "2026-03-30T06:00:00Z"), // Summer time began on Sunday.
            ("2026-10-23T18:00:00Z",      "2026-10-26T07:00:00Z"), // And ended on Sunday.
            ("2026-12-23T16:59:59Z",      "2026-12-23T16:59:59Z"),
            ("2026-12-23T17:00:00Z",      "2026-12-28T07:00:00Z"), // Holidays, then a weekend.
            ("2026-12-25T10:00:00Z",      "2026-12-28T07:00:00Z"),
        ];
        for (now, told) in table {
            assert_eq!(hours.next(time(now)), time(told), "{now}");
        }
        let never = Hours { days: Vec::new(), ..hours };
        assert_eq!(never.next(time(table[0].0)), time(table[0].0), "rather early than never");
    }

    #[test]
    fn the_next_time_of_day_is_by_the_clock_of_the_zone() {
        let at =
            |hour, minute| (NaiveTime::from_hms_opt(hour, minute, 0).unwrap(), Tz::Europe__Berlin);
        #[rustfmt::skip]
        let table = [
            ("2026-11-20T01:00:00Z", at(7, 30), "2026-11-20T06:30:00Z"),
            ("2026-11-20T06:30:00Z", at(7, 30), "2026-11-21T06:30:00Z"),
            ("2026-03-29T00:30:00Z", at(2, 30), "2026-03-29T01:30:00Z"), // Skipped: 03:30.
            ("2026-10-24T23:00:00Z", at(2, 30), "2026-10-25T00:30:00Z"), // Twice: the first.
        ];
        for (now, wanted, next) in table {
            assert_eq!(next_time(time(now), wanted), time(next), "{now}");
        }
    }

    #[test]
    fn a_dead_channel_is_told_by_others_and_wakes_nobody_without_need() {
        let channel = |name: &str, is_pager| Channel {
            name: name.into(),
            is_pager,
            forgets: false,
            names: false,
        };
        let all = [channel("mail", false), channel("pager", true), channel("second-pager", true)];
        let others = |channels: &[Channel], fallback: &[&str], dead: &str| -> Vec<String> {
            let fallback = fallback.iter().map(|it| Text::from(*it)).collect();
            let routes = Routes { channels: channels.to_vec(), fallback, ..Routes::default() };
            routes.others(dead).into_iter().map(String::from).collect()
        };
        assert_eq!(others(&all, &[], "mail"), ["pager", "second-pager"], "there is nobody else");
        assert_eq!(others(&all, &[], "pager"), ["mail", "second-pager"]);
        assert_eq!(others(&all[..2], &[], "mail"), ["pager"]);
        assert_eq!(others(&all, &["mail"], "pager"), ["mail"]);
        assert_eq!(others(&all, &["mail"], "mail"), [""; 0]);
        let slack = [channel("mail", false), channel("pager", true), channel("slack", false)];
        assert_eq!(others(&slack, &[], "slack"), ["mail"]);
    }
}
