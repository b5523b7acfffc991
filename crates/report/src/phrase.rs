//! The phrases that every page shares: times in the report's zone, durations,
//! bounds, states and the headline. Words only; layout is the page's own.

use chrono::{DateTime, TimeZone as _};
use chrono_tz::Tz;

use crate::v1::{
    App, AsOfBasis, Bounds, Cause, Change, Channel, ClockStart, Coverage, Deprovision,
    DeprovisionTally, Deprovisioned, Exposure, Finding, FindingState, Grade, LedgerHead, List,
    Proof, Report, Resolution, RootCause, SlaOutcome, Source, SubjectKind, Tier, Time,
    TimeToDeactivate, TrialOutcome, Verdict,
};

/// The zone of a report's pages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Zone(Tz);

impl Zone {
    /// The report's zone; UTC where its name is no IANA zone.
    pub(crate) fn of(report: &Report) -> Self {
        Self(report.zone.parse().unwrap_or(Tz::UTC))
    }

    pub(crate) const fn named(zone: Tz) -> Self {
        Self(zone)
    }

    pub(crate) fn name(self) -> &'static str {
        self.0.name()
    }

    /// `2026-11-23 03:00 +01:00`, with seconds where there are any.
    pub(crate) fn time(self, time: Time) -> String {
        let local: DateTime<Tz> = self.0.from_utc_datetime(&time.0.naive_utc());
        let has_seconds = time.0.timestamp() % 60 != 0;
        let format = if has_seconds { "%Y-%m-%d %H:%M:%S %:z" } else { "%Y-%m-%d %H:%M %:z" };
        local.format(format).to_string()
    }

    /// `23 November 2026`.
    pub(crate) fn day(self, time: Time) -> String {
        self.0.from_utc_datetime(&time.0.naive_utc()).format("%-d %B %Y").to_string()
    }

    /// `23 Nov`.
    pub(crate) fn short_day(self, time: Time) -> String {
        self.0.from_utc_datetime(&time.0.naive_utc()).format("%-d %b").to_string()
    }
}

/// `1 finding`, `2 findings`.
pub(crate) fn count(n: u64, noun: &str) -> String {
    format!("{} {noun}{}", thousands(n), if n == 1 { "" } else { "s" })
}

/// `12 345`, with a no-break space.
pub(crate) fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('\u{a0}');
        }
        text.push(digit);
    }
    text
}

/// The head of the ledger before the run, short: enough of the root to compare by eye.
pub(crate) fn ledger(head: &LedgerHead, zone: Zone) -> String {
    /// 64 bits of 256: whoever wants more has them in the JSON.
    const ROOT_SHOWN: usize = 16;
    let root = head.root_sha256.get(..ROOT_SHOWN).unwrap_or(&head.root_sha256);
    let entries = if head.size == 1 { "entry" } else { "entries" };
    let signed = if head.is_signed { "signed" } else { "not signed" };
    let size = thousands(head.size);
    let anchored = head.anchored_at.map_or_else(String::new, |it| {
        format!(" A checkpoint was last taken out of reach {}.", zone.time(it))
    });
    format!(
        "{size} {entries} before this run, root {root}, {signed}.{anchored} What this run adds \
         comes after."
    )
}

/// `1.2 MB`; below 1 kB in bytes.
pub(crate) fn bytes(n: u64) -> String {
    let (unit, name) = match n {
        0..1_000 => return format!("{n} B"),
        1_000..1_000_000 => (1_000, "kB"),
        1_000_000..1_000_000_000 => (1_000_000, "MB"),
        _ => (1_000_000_000, "GB"),
    };
    format!("{}.{} {name}", n / unit, n % unit * 10 / unit)
}

/// `2 d 3 h 4 min 5 s`: exact, parts of zero left out, no-break spaces before the units.
/// A bound must not be rounded.
pub(crate) fn duration(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let parts = [
        (seconds / 86_400, "d"),
        (seconds / 3_600 % 24, "h"),
        (seconds / 60 % 60, "min"),
        (seconds % 60, "s"),
    ];
    let text: Vec<String> =
        parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n}\u{a0}{unit}")).collect();
    if text.is_empty() { "0\u{a0}s".to_owned() } else { text.join(" ") }
}

/// `between 3 h and 27 h`, `at least 3 h, still on`, `at least 3 h, no upper bound`.
pub(crate) fn bounds(bounds: Bounds, is_exposed: bool) -> String {
    let at_least = duration(bounds.at_least_s);
    match bounds.at_most_s {
        Some(most) if most == bounds.at_least_s => format!("exactly {at_least}"),
        Some(most) => format!("between {at_least} and {}", duration(most)),
        None if is_exposed => format!("at least {at_least}, still on"),
        None => format!("at least {at_least}, no upper bound"),
    }
}

/// How long one stretch of a finding's exposure was. One before the last was over, seen to end or not;
/// and where no second run showed it, the lists of the one may have been wrong.
pub(crate) fn stretch(all: &[Exposure], it: &Exposure) -> String {
    let is_before = it.first_seen_inactive.is_none() && all.last() != Some(it);
    let is_of_one_run =
        it.last_seen_active.zip(it.started_latest).is_some_and(|(seen, by)| seen <= by);
    let told = bounds(it.bounds, it.first_seen_inactive.is_none() && !is_before);
    if is_before && is_of_one_run { format!("{told}; one run alone showed it") } else { told }
}

/// The sum of a finding's exposure; `None` for families without exposure.
pub(crate) fn exposure(finding: &Finding) -> Option<String> {
    finding.exposure.map(|sum| bounds(sum, finding.is_exposed()))
}

/// What the first run of an app means for its findings.
pub(crate) const BASELINE: &str = "First run: its findings are told of together, to be sorted out in one list. Leavers among them are open at once.";

/// How long access remained where it ended lately, with both bounds of each number.
pub(crate) fn time_to_deactivate(it: &TimeToDeactivate, zone: Zone) -> String {
    let of = |it| bounds(it, false);
    format!(
        "Time to deactivate, of {} seen to end since {}: median {}; 95 of 100 {}; longest {}.",
        count(it.n, "exposure"),
        zone.day(it.since),
        of(it.p50),
        of(it.p95),
        of(it.max)
    )
}

/// What an app does with who is switched off, as set and as seen, and whether evidence is provisional.
pub(crate) fn deprovision(it: &Deprovision, zone: Zone) -> String {
    let by = if it.is_on_vendors_word { "by its vendor" } else { "by the settings" };
    let set = match it.set {
        None if it.is_on_vendors_word => {
            "by its vendor never shown by who is gone from the list".to_owned()
        }
        None => "not in the settings".to_owned(),
        Some(Deprovisioned::Lists) => format!("{by} listed as inactive"),
        Some(Deprovisioned::Hides) => format!("{by} hidden from the list"),
        Some(Deprovisioned::Deletes) => format!("{by} deleted"),
    };
    let tally = |it: &DeprovisionTally| {
        let what = match it.behaviour {
            Deprovisioned::Lists => "stayed in the list, inactive",
            Deprovisioned::Hides => "left the list, and by id was there, inactive",
            Deprovisioned::Deletes => {
                "left the list, and by id was gone: deleted, or forgotten by what answers"
            }
        };
        let n = count(it.n_accounts, "account");
        format!("{n} {what} ({}, last on {})", it.channel.name(), zone.day(it.last_at))
    };
    let mut views = it.seen.iter().map(|it| it.channel);
    let is_mixed = views.any(|view| it.seen.iter().filter(|it| it.channel == view).count() > 1);
    let seen: Vec<String> = it.seen.iter().map(tally).collect();
    let seen = match (seen.is_empty(), is_mixed) {
        (true, _) => "not seen yet".to_owned(),
        (false, true) => format!("seen, and mixed: {}", seen.join("; ")),
        (false, false) => format!("seen: {}", seen.join("; ")),
    };
    let provisional = if it.is_provisional { " Evidence is provisional." } else { "" };
    format!("What becomes of an account that is switched off: {set}; {seen}.{provisional}")
}

/// `3 findings: DL-3 critical leaver_active, DL-4 …`, of findings under one cause.
pub(crate) fn under(findings: &[&Finding]) -> String {
    let each = |it: &&Finding| format!("{} {} {}", it.id, it.severity.name(), it.cause.name());
    let all: Vec<String> = findings.iter().map(each).collect();
    format!("{}: {}", count(findings.len() as u64, "finding"), all.join(", "))
}

/// Since when a root cause is known to be there, and what it may explain.
pub(crate) fn began(root: &RootCause, zone: Zone) -> String {
    let since = match (root.began_by, root.began_after) {
        (None, _) => "each push says so of its own user".to_owned(),
        (Some(by), Some(after)) if by == after => format!("so since {}", zone.time(by)),
        (Some(by), Some(after)) => {
            format!("so since {} at the latest, and not yet at {}", zone.time(by), zone.time(after))
        }
        (Some(by), None) => {
            format!("so since {} at the latest; since when is not known", zone.time(by))
        }
    };
    let perhaps = "; what it may explain: whether it was so when they lost the app, or whether no \
                   other provider was to act, is not known";
    format!("{since}{}", if root.may_explain.is_empty() { "" } else { perhaps })
}

/// When a stretch of exposure began.
pub(crate) fn started(exposure: &Exposure, zone: Zone) -> String {
    match (exposure.started_earliest, exposure.started_latest) {
        (Some(start), Some(same)) if start == same => zone.time(start),
        (Some(earliest), Some(latest)) => {
            format!("between {} and {}", zone.time(earliest), zone.time(latest))
        }
        (Some(earliest), None) => format!("at or after {}", zone.time(earliest)),
        (None, Some(latest)) => format!("at or before {}", zone.time(latest)),
        (None, None) => "not known".to_owned(),
    }
}

/// Where a finding stands, with the date that matters there.
pub(crate) fn state(finding: &Finding, now: Time, zone: Zone) -> String {
    let until = finding.state_until.map(|it| format!(" until {}", zone.time(it)));
    let until = until.unwrap_or_default();
    match finding.state {
        FindingState::Pending if now < finding.grace_until => {
            format!("seen, in grace until {}", zone.time(finding.grace_until))
        }
        FindingState::Pending => "seen once, waits for a second look".to_owned(),
        FindingState::Open => "open".to_owned(),
        FindingState::Acknowledged => format!("acknowledged{until}"),
        FindingState::Held => "held by the guard".to_owned(),
        FindingState::Waived => format!("waived{until}"),
        FindingState::NotVisible => "not visible: neither seen nor proven absent".to_owned(),
        FindingState::Resolved => match finding.resolution {
            Some(resolution) => format!("resolved: {}", resolution_words(resolution)),
            None => "resolved".to_owned(),
        },
        FindingState::FalsePositive => "called a false positive".to_owned(),
    }
}

const fn resolution_words(resolution: Resolution) -> &'static str {
    match resolution {
        Resolution::InactiveSeen => "the account was seen inactive",
        Resolution::AbsenceProven => "the account is proven not to exist",
        Resolution::Superseded => "entitled again, exposure kept",
        Resolution::Registered => "registered as non-human",
        Resolution::Decided => "a person decided whose account it is",
        Resolution::Corrected => "a later list shows other facts",
    }
}

/// The finding in one sentence of the run.
pub(crate) const fn change(change: Change) -> &'static str {
    match change {
        Change::Detected => "seen for the first time",
        Change::Opened => "opened",
        Change::Worsened => "graver than before, or past its deadline",
        Change::Resolved => "resolved",
        Change::Reopened => "back after it was over",
        Change::Waived => "waiver in force",
        Change::Acknowledged => "acknowledged",
        Change::FalsePositive => "called a false positive",
        Change::Held => "held by the guard",
        Change::LostSight => "lost from sight",
        Change::Unchanged => "as before",
    }
}

/// `not proven`, for people.
pub(crate) const fn sla(outcome: SlaOutcome) -> &'static str {
    match outcome {
        SlaOutcome::Met => "met",
        SlaOutcome::Missed => "missed",
        SlaOutcome::NotProven => "not proven",
        SlaOutcome::Exception => "exception",
        SlaOutcome::OutOfScope => "out of scope",
    }
}

/// The event from which a deadline counts.
pub(crate) const fn clock(clock: ClockStart) -> &'static str {
    match clock {
        ClockStart::HrTermination => "last day by HR",
        ClockStart::IdpDeactivated => "deactivation at the identity provider",
        ClockStart::IdpUnassigned => "unassignment at the identity provider",
        ClockStart::EarliestKnown => "earliest known end of the right",
    }
}

/// What a cause means, for readers who do not know its name.
pub(crate) const fn cause(cause: Cause) -> &'static str {
    match cause {
        Cause::LeaverActive => "Left, and the account is active",
        Cause::Reactivated => "Was off, is active again with no new assignment",
        Cause::SourceGoneActive => "Gone from the identity provider, account active",
        Cause::ExternalExpired => "End date passed, account active",
        Cause::UnassignedActive => "Not assigned to the app, account active",
        Cause::SuspendedActive => "Suspended at the identity provider, account active",
        Cause::LeaverListed => "Left, account exists, activity not stated",
        Cause::AccessInvited => "No right to the app, invitation pending",
        Cause::OrphanActive => "Active account that nobody owns",
        Cause::DisabledEntitled => "Entitled, and the account is off",
        Cause::Vanished => "Entitled, and the account is gone",
        Cause::NotProvisioned => "Entitled, and never had an account",
        Cause::LinkConflict => "Strong keys name different owners",
        Cause::AmbiguousLink => "Several possible owners",
        Cause::DuplicateAccount => "One person, several active accounts",
        Cause::SourcesDisagree => "Left by one source, entitled by another",
        Cause::ChannelConflict => "Two views of the app disagree",
        Cause::OwnerLeft => "Owner of a non-human account left",
        Cause::NonhumanUnowned => "Non-human account without a valid owner",
        Cause::ResidualEntitlement => "Off, but roles or groups remain",
        Cause::IdentifierDrift => "Names or addresses differ between the systems",
    }
}

/// What a verdict is called on a page.
pub(crate) const fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Confirmed => "confirmed",
        Verdict::ConfirmedOffboarded => "confirmed offboarded",
        Verdict::NoAccount => "no account, none due",
        Verdict::Exempt => "exempt",
        Verdict::NotYet => "not yet due",
        Verdict::Indeterminate => "indeterminate",
        Verdict::Drift => "drift",
    }
}

/// What a key is called on a page.
pub(crate) const fn tier(tier: Tier) -> &'static str {
    match tier {
        Tier::Operator => "decision of an operator",
        Tier::AccountId => "account id named by the identity provider",
        Tier::ExternalId => "externalId",
        Tier::EmployeeNumber => "employee number",
        Tier::UserName => "userName",
        Tier::Email => "e-mail address",
    }
}

/// What a key gave.
pub(crate) const fn outcome(outcome: TrialOutcome) -> &'static str {
    match outcome {
        TrialOutcome::Decided => "decided",
        TrialOutcome::Agrees => "agrees",
        TrialOutcome::Rejected => "rejected",
        TrialOutcome::NoMatch => "matched nobody",
        TrialOutcome::NotStated => "not stated",
    }
}

/// Why it is not known whether a finding is about somebody with a privileged role.
pub(crate) const fn no_roles(finding: &Finding) -> &'static str {
    match finding.subject.kind {
        SubjectKind::Account => "not known: no role of the account was shown",
        SubjectKind::Identity => "not known: there is no account that could have a role",
    }
}

/// What a grade means.
pub(crate) const fn grade(grade: Grade) -> &'static str {
    match grade {
        Grade::A => "complete, fresh, suspects asked again",
        Grade::B => "complete, not asked again or on the operator's word",
        Grade::C => "partial",
        Grade::F => "no data",
    }
}

/// `secureframe accounts (scim)`.
pub(crate) fn stream(system: &str, list: List, channel: Option<Channel>) -> String {
    match channel {
        Some(channel) => format!("{system} {} ({})", list.name(), channel.name()),
        None => format!("{system} {}", list.name()),
    }
}

/// How an as-of time is known.
pub(crate) const fn basis(basis: AsOfBasis) -> &'static str {
    match basis {
        AsOfBasis::Stated => "stated",
        AsOfBasis::InData => "in the data",
        AsOfBasis::FileTime => "assumed: time of the file",
    }
}

/// Why a list counts as complete, or why it does not.
pub(crate) fn coverage(source: &Source) -> String {
    match &source.coverage {
        None => "no data".to_owned(),
        Some(Coverage { proof: Some(proof), .. }) => {
            let why = match proof {
                Proof::StatedTotal => "as many unique rows as the source states",
                Proof::ReadToEnd => "read to its end, as the source marks it",
                Proof::DeclaredWhole => "read to its end, declared whole",
                Proof::YourWord => "read to its end, taken on your word",
            };
            format!("complete: {why}")
        }
        Some(Coverage { reason, .. }) => {
            format!("partial: {}", reason.as_deref().unwrap_or("no reason given"))
        }
    }
}

/// The state of one app in a sentence. Never an all clear without complete lists.
pub(crate) fn app_result(app: &App) -> String {
    match (app.n_live, app.proves_absence) {
        (0, true) => "no drift found".to_owned(),
        (0, false) => format!("0 findings: not proven (coverage {})", app.grade.name()),
        (n, true) => count(n, "finding"),
        (n, false) => format!("{}, and more may be unseen", count(n, "finding")),
    }
}

/// The state of the whole report in a sentence.
pub(crate) fn headline(report: &Report) -> String {
    let summary = &report.summary;
    let is_proven = report.apps.iter().all(|it| it.proves_absence);
    if report.apps.is_empty() {
        return "Nothing was judged: no app has data.".to_owned();
    }
    if summary.n_live == 0 {
        return if is_proven {
            "No drift found.".to_owned()
        } else {
            "0 findings: not proven. The lists are not complete enough to say so.".to_owned()
        };
    }
    let critical = summary
        .open_by_severity
        .iter()
        .find(|it| it.severity == crate::v1::Severity::Critical)
        .map_or(0, |it| it.count);
    let mut text = format!("{} open", count(summary.n_open, "finding"));
    if critical > 0 {
        text.push_str(&format!(", {} critical", thousands(critical)));
    }
    if summary.n_pending > 0 {
        text.push_str(&format!("; {} pending", thousands(summary.n_pending)));
    }
    if summary.n_aside > 0 {
        text.push_str(&format!("; {} waived or not visible", thousands(summary.n_aside)));
    }
    text.push('.');
    if !is_proven {
        text.push_str(" More may be unseen: coverage is not complete.");
    }
    text
}

/// What changed since the run before, in a sentence.
pub(crate) fn since_last(report: &Report) -> String {
    let Some(previous) = report.previous else {
        return "First run: there is nothing to compare with.".to_owned();
    };
    let parts: Vec<String> = report
        .summary
        .by_change
        .iter()
        .filter(|it| it.change != Change::Unchanged)
        .map(|it| format!("{} {}", thousands(it.count), it.change.name().replace('_', " ")))
        .collect();
    let what = if parts.is_empty() { "no change".to_owned() } else { parts.join(", ") };
    format!("Since run {}: {what}.", previous.run)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_exact() {
        #[rustfmt::skip]
        let table = [
            (       0, "0 s"                ),
            (      59, "59 s"               ),
            (   3_600, "1 h"                ),
            (  94_636, "1 d 2 h 17 min 16 s"),
            ( 172_801, "2 d 1 s"            ),
            (      -5, "0 s"                ),
        ];
        for (seconds, text) in table {
            assert_eq!(duration(seconds).replace('\u{a0}', " "), text);
        }
    }

    #[test]
    fn sizes_and_counts() {
        for (n, text) in
            [(999, "999 B"), (1_000, "1.0 kB"), (48_213, "48.2 kB"), (3_450_000_000, "3.4 GB")]
        {
            assert_eq!(bytes(n), text);
        }
        for (n, text) in
            [(0, "0"), (999, "999"), (1_000, "1\u{a0}000"), (1_234_567, "1\u{a0}234\u{a0}567")]
        {
            assert_eq!(thousands(n), text);
        }
    }

    #[test]
    fn a_stretch_that_one_run_alone_showed_is_not_still_on_when_another_has_begun() {
        let day = |day| Some(Time(DateTime::UNIX_EPOCH + chrono::TimeDelta::days(day)));
        let stretch_of = |from, seen| Exposure {
            started_earliest: day(from),
            started_latest: day(from + 1),
            last_seen_active: day(seen),
            first_seen_inactive: None,
            bounds: Bounds { at_least_s: 0, at_most_s: None },
        };
        let all = [stretch_of(1, 2), stretch_of(3, 6), stretch_of(8, 9)];
        let told = all.map(|it| stretch(&all, &it).replace('\u{a0}', " "));
        let expected = [
            "at least 0 s, no upper bound; one run alone showed it",
            "at least 0 s, no upper bound",
            "at least 0 s, still on",
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn bounds_say_what_is_not_known() {
        #[rustfmt::skip]
        let table = [
            (3_600, Some(3_600), false, "exactly 1 h"                     ),
            (3_600, Some(7_200), false, "between 1 h and 2 h"             ),
            (3_600, None,        true,  "at least 1 h, still on"          ),
            (3_600, None,        false, "at least 1 h, no upper bound"    ),
        ];
        for (at_least_s, at_most_s, is_exposed, text) in table {
            let shown = bounds(Bounds { at_least_s, at_most_s }, is_exposed);
            assert_eq!(shown.replace('\u{a0}', " "), text);
        }
    }
}
