//! A finding as a notice tells it, and the keys by which channels know it. No login and no address gets
//! into a key.

use chrono::TimeDelta;
use domain::{Exposure, Finding, FindingRecord, Folded, NoticeItem, PersonLabel, Text};

/// Longest key: that of PagerDuty's `dedup_key`, the shortest limit of all channels.
const KEY_LEN_MAX: usize = 255;

/// Characters of a fingerprint in a key: 128 of its 256 bits.
const PRINT_LEN: usize = 32;

/// The key of a condition: `driftline:<deployment>:<system>:<subject>`, cut to what every channel
/// takes. `system` is `-` for what is not one system's.
#[must_use]
pub fn key(deployment: &str, system: &str, subject: &str) -> Text {
    let key = format!("driftline:{deployment}:{system}:{subject}");
    key.chars().take(KEY_LEN_MAX).collect::<String>().into()
}

/// The key of one finding: that of its condition, over reopenings and restarts.
pub(crate) fn key_of(deployment: &str, finding: &Finding) -> Text {
    key(deployment, finding.app.as_str(), &print(finding, PRINT_LEN))
}

/// The beginning of a fingerprint.
fn print(finding: &Finding, len: usize) -> String {
    finding.fingerprint.to_string().chars().take(len).collect()
}

/// What a notice says of a finding.
pub(crate) fn item(record: &FindingRecord) -> NoticeItem {
    let FindingRecord { finding, person, sla, because, next_action, .. } = record;
    let key = &finding.subject.key;
    // The key of a list without ids is a login, and a login is a name.
    let key = if is_login(key, person) { print(finding, 12) } else { key.to_string() };
    let owner = |it: &String| match it.split_once('/') {
        Some((system, key)) if is_login(key, person) => format!("{system}/(login)"),
        _ => it.clone(),
    };
    let exposures = &finding.exposures;
    let exposed = || exposures.iter().map(Exposure::at_least).sum::<TimeDelta>();
    NoticeItem {
        finding: finding.id,
        cause: finding.cause,
        severity: finding.severity,
        subject: format!("{}/{key}", finding.subject.system),
        owners: person.identities.iter().map(owner).collect(),
        person: PersonLabel {
            name: person.name.clone(),
            login: person.login.clone(),
            ..PersonLabel::default()
        },
        exposed_for: (!exposures.is_empty()).then(exposed),
        is_on: exposures.last().is_some_and(|it| it.first_seen_inactive.is_none()),
        sla: sla.as_ref().map(|it| it.outcome),
        because: because.clone(),
        next_action: next_action.clone(),
    }
}

fn is_login(key: &str, person: &PersonLabel) -> bool {
    let folded = Folded::new(key);
    key.contains('@') || person.logins.iter().any(|it| Folded::new(it) == folded)
}
