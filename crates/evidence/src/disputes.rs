//! People of whom one source says that they left, and another that they may use the app. By the rules
//! they are no leavers, so that no population has them; a bag tells of them apart, by the entries of
//! the findings, and of nobody by name.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::{FindingState, Resolution};

use crate::{Entry, LeaverLeaf};

/// A dispute that lived in the period, as the entries of its finding tell of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dispute {
    /// The finding.
    pub(crate) finding: String,
    /// When a run saw first that sources disagree.
    pub(crate) since: String,
    /// When and how it ended; `None`: it has not.
    pub(crate) ended: Option<(String, String)>,
    /// The leaver of the population whose account it is about: the sources agree since; `None`: nobody's.
    pub(crate) leaver: Option<String>,
}

/// How the words of a dispute end that a leaver of the population settled.
const SETTLED: &str = "they agree since then, on the leaver ";

/// Findings of disputes, each with the leaver that settled it.
pub(crate) type Settled = BTreeMap<String, String>;

/// Which disputes rows of the reconciliation say to be settled, by leavers who may settle one: several
/// sources say of them that they left, and each of their accounts settles one.
pub(crate) fn settled(rows: &[Vec<String>], leavers: &[LeaverLeaf]) -> Settled {
    let mut left: BTreeMap<String, usize> = leavers
        .iter()
        .filter(|it| it.body.said_by.len() > 1)
        .map(|it| (it.id(), it.body.accounts.len()))
        .collect();
    let mut settled = Settled::new();
    for row in rows {
        let [what, finding, _, _, _, words] = &row[..] else { continue };
        let leaver = words.rsplit_once(SETTLED).filter(|_| what == "disputed").map(|it| it.1);
        let Some(leaver) = leaver else { continue };
        if let Some(n) = left.get_mut(leaver).filter(|it| **it > 0) {
            *n -= 1;
            settled.insert(finding.clone(), leaver.to_owned());
        }
    }
    settled
}

impl Dispute {
    /// Whether nothing shows who was right: it goes on, or ended otherwise than by sources that agree
    /// again. A person's word on the finding decides nothing about the leave.
    pub(crate) fn is_undecided(&self) -> bool {
        let agreed = [Resolution::Corrected.name(), Resolution::Superseded.name()];
        self.leaver.is_none() && !self.ended.as_ref().is_some_and(|it| agreed.contains(&&*it.1))
    }

    /// In words, as a row of the reconciliation ends.
    pub(crate) fn in_words(&self) -> String {
        let what = "one source says that they left, another that they may use the app";
        let Self { since, ended, leaver, .. } = self;
        if let Some(leaver) = leaver {
            return format!("{what}, since {since}: {SETTLED}{leaver}");
        }
        match ended {
            None => format!("{what}, since {since}: undecided"),
            Some((at, how)) if self.is_undecided() => {
                format!("{what}, since {since}: undecided, and over by {at} ({how})")
            }
            Some((at, how)) => format!("{what}, since {since}: they agree since {at} ({how})"),
        }
    }
}

/// The disputes of a period by the entries of a bag, in the order of their first entry in it. `settled`:
/// those that no entry shows to be settled, for none says whose account a leaver's is.
pub(crate) fn disputes<'e>(
    entries: impl Iterator<Item = &'e Entry>,
    app: &str,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    settled: &Settled,
) -> Vec<Dispute> {
    let mut newest: BTreeMap<String, (usize, &Entry)> = BTreeMap::new();
    let text = |it: &Entry, name: &str| {
        it.body.get(name).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
    };
    for (at, entry) in entries.filter(|it| it.is_of_dispute(app)).enumerate() {
        newest.entry(text(entry, "finding")).or_insert((at, entry)).1 = entry;
    }
    let mut newest: Vec<(String, (usize, &Entry))> = newest.into_iter().collect();
    newest.sort_by_key(|it| it.1.0);
    let dispute = |(finding, (_, entry)): (String, (usize, &Entry))| {
        let is_over = text(entry, "state") == FindingState::Resolved.name();
        let ended = is_over.then(|| (entry.at.clone(), text(entry, "resolution")));
        let leaver = settled.get(&finding).cloned();
        Dispute { finding, since: text(entry, "detected_at"), ended, leaver }
    };
    let lived = |it: &Dispute| {
        let when = |at: &str| at.parse::<DateTime<Utc>>().ok();
        when(&it.since).is_none_or(|it| it < to)
            && it.ended.as_ref().and_then(|it| when(&it.0)).is_none_or(|it| it >= from)
    };
    newest.into_iter().map(dispute).filter(lived).collect()
}
