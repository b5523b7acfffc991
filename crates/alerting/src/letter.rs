//! A notice put into words for one channel: with names only where the settings allow them, marked
//! where it could not be confirmed, and cut to the channel's limits.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{Notice, NoticeId, NoticeItem, NotifyReason, Severity, Text};

use crate::Enclosed;

/// One notice on its way to one channel.
#[derive(Clone, Debug)]
pub struct Letter {
    /// The number of the notice.
    pub id: NoticeId,
    /// What there is to tell.
    pub notice: Notice,
    /// Why it could not be asked again before it was sent; `None`: it is fresh, or was.
    pub unconfirmed: Option<String>,
    /// The channel may show names and logins.
    pub names: bool,
    /// Where the report is read; `None`: on the command line alone.
    pub report_url: Option<String>,
    /// The first notice that the channel took under this key: what this one answers to.
    pub first: Option<First>,
    /// The report that goes with it; `None`: it is about something else.
    pub enclosed: Option<Enclosed>,
    /// When it is sent.
    pub now: DateTime<Utc>,
}

/// The first notice that a channel took under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct First {
    /// Its number.
    pub notice: NoticeId,
    /// Its title, without a mark.
    pub title: String,
    /// What the channel called it, where it said so.
    pub reference: Option<Text>,
}

impl Letter {
    /// Whether it says that all is over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.notice.reason == NotifyReason::Resolved
    }

    /// In a line: `[critical] secureframe: leaver_active, DL-14`.
    #[must_use]
    pub fn title(&self) -> String {
        let mark = match self.notice.reason {
            NotifyReason::Resolved => "[over]".to_owned(),
            NotifyReason::Test => "[test]".to_owned(),
            NotifyReason::Digest => "[digest]".to_owned(),
            NotifyReason::Report => "[report]".to_owned(),
            _ => format!("[{}]", self.notice.severity),
        };
        let unconfirmed = if self.unconfirmed.is_some() { ", unconfirmed" } else { "" };
        self.shown(&format!("{mark} {}{unconfirmed}", self.notice.title))
    }

    /// The reason, why it is unconfirmed, and what else there is to say, a sentence each.
    #[must_use]
    pub fn sentences(&self) -> Vec<String> {
        let why = why(self.notice.reason).to_owned();
        let unconfirmed = self
            .unconfirmed
            .as_ref()
            .map(|it| format!("Unconfirmed, as of {}: {it}.", time(self.notice.at)));
        let lines = self.notice.lines.iter().cloned();
        [why].into_iter().chain(unconfirmed).chain(lines).map(|it| self.shown(&it)).collect()
    }

    /// One paragraph for each finding.
    #[must_use]
    pub fn paragraphs(&self) -> Vec<String> {
        self.notice.items.iter().map(|it| self.shown(&self.paragraph(it))).collect()
    }

    fn paragraph(&self, item: &NoticeItem) -> String {
        let NoticeItem { finding, cause, severity, subject, owners, person, .. } = item;
        let mut text = format!("{finding} {cause}, {severity}: {subject}");
        if !owners.is_empty() {
            text.push_str(&format!(", owner {}", owners.join(", ")));
        }
        if self.names {
            let known = [&person.name, &person.login].into_iter().flatten().cloned();
            let known: Vec<String> = known.collect();
            if !known.is_empty() {
                text.push_str(&format!(" ({})", known.join(", ")));
            }
        }
        text.push_str(&format!("\n  Now: {}.", item.because));
        if let Some(exposed) = item.exposed_for {
            let on = if item.is_on { ", not seen off" } else { "" };
            text.push_str(&format!("\n  Exposure: at least {}{on}.", duration(exposed)));
        }
        if let Some(sla) = item.sla {
            text.push_str(&format!("\n  SLA: {sla}."));
        }
        if !self.is_over() {
            text.push_str(&format!("\n  Next: {}", item.next_action));
        }
        text
    }

    /// Findings that have no paragraph.
    #[must_use]
    pub fn n_more(&self) -> usize {
        self.notice.findings.len().saturating_sub(self.notice.items.len())
    }

    /// Where to look.
    #[must_use]
    pub fn look(&self) -> String {
        let report = "driftline report --format html --output drift.html";
        let command = match (&*self.notice.findings, self.notice.reason, self.notice.run) {
            ([one], ..) => format!("driftline findings show {one}"),
            ([], NotifyReason::Report, Some(run)) => format!("{report} --run {run}"),
            ([], ..) => report.to_owned(),
            _ => "driftline findings list".to_owned(),
        };
        match &self.report_url {
            Some(url) => format!("Look: {url} or `{command}`"),
            None => format!("Look: `{command}`"),
        }
    }

    /// All of it below the title, in at most `limit` characters: whole paragraphs, and how many
    /// are not among them.
    #[must_use]
    pub fn body(&self, limit: usize) -> String {
        /// Room for what closes a body that is cut.
        const CLOSING: usize = 120;
        let look = self.look();
        let room = limit.saturating_sub(look.chars().count() + CLOSING);
        let mut text = cut(&self.sentences().join("\n"), room);
        let mut left = room.saturating_sub(text.chars().count());
        let (paragraphs, mut n_left_out) = (self.paragraphs(), self.n_more());
        for (nth, paragraph) in paragraphs.iter().enumerate() {
            let length = paragraph.chars().count() + 2;
            if length > left {
                n_left_out += paragraphs.len() - nth;
                break;
            }
            left -= length;
            text.push_str("\n\n");
            text.push_str(paragraph);
        }
        if n_left_out > 0 {
            text.push_str(&format!("\n\nAnd {n_left_out} more."));
        }
        cut(&format!("{text}\n\n{look}"), limit)
    }

    /// A text of ours as this channel may show it: addresses alone are left out where names are.
    pub(crate) fn shown(&self, text: &str) -> String {
        if self.names { text.to_owned() } else { without_addresses(text) }
    }
}

/// Why somebody is told, in a sentence.
const fn why(reason: NotifyReason) -> &'static str {
    match reason {
        NotifyReason::Opened => "A finding has opened.",
        NotifyReason::Reopened => "It was over, and is back.",
        NotifyReason::Worsened => "It is graver than when it was told.",
        NotifyReason::Reminder => "It is still not over.",
        NotifyReason::Escalated => "Nobody acknowledged it in time.",
        NotifyReason::Resolved => "Nobody needs to act on it any more.",
        NotifyReason::Baseline => "The first judged run of this app.",
        NotifyReason::Storm => "Many findings at once, told as one.",
        NotifyReason::Digest => "All that is open, as every day.",
        NotifyReason::Watcher => "Driftline does not see as it should.",
        NotifyReason::Undelivered => "A channel does not take notices.",
        NotifyReason::Report => "A run was done, and this is its report.",
        NotifyReason::Test => "Somebody tries this channel; nothing has happened.",
    }
}

/// At most `limit` characters, with an ellipsis where something is cut off.
pub(crate) fn cut(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        None => text.to_owned(),
        Some(_) => text.chars().take(limit.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// At most `limit` bytes of UTF-8, for channels that count those.
pub(crate) fn cut_bytes(text: &str, limit: usize) -> &str {
    let mut end = limit.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// The text without what looks like an address.
fn without_addresses(text: &str) -> String {
    if !text.contains('@') {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len());
    for piece in text.split_inclusive(char::is_whitespace) {
        let word = piece.trim_end();
        match word.contains('@') {
            true => {
                shown.push_str("(address)");
                shown.push_str(
                    word.strip_prefix(word.trim_end_matches(['.', ',', ';', ':']))
                        .unwrap_or_default(),
                );
                shown.push_str(piece.get(word.len()..).unwrap_or_default());
            }
            false => shown.push_str(piece),
        }
    }
    shown
}

/// `50 d 10 h`, `3 h 5 min`, `12 min`.
fn duration(time: TimeDelta) -> String {
    let minutes = time.num_minutes().max(0);
    match (minutes / 1440, minutes / 60 % 24, minutes % 60) {
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

pub(crate) fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

/// The words of channels that grade by critical, error, warning and info.
pub(crate) const fn grave(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low => "info",
    }
}
