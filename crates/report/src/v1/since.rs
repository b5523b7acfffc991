//! What light passes changed since the last full run, laid under what a run changed itself: the
//! report of a night tells of the whole time since the night before. Judges nothing.

use super::{Change, Finding};

/// Adds to the findings of a run what `before`, those of the last light pass, says has changed
/// since the full run before: the changes of those that live, and those that ended.
pub(super) fn add_changes(findings: &mut Vec<Finding>, before: &[Finding]) {
    for earlier in before.iter().filter(|it| it.change != Change::Unchanged) {
        match findings.iter_mut().find(|it| it.id == earlier.id) {
            Some(it) => it.change = both(earlier.change, it.change),
            None if earlier.change == Change::Resolved => findings.push(earlier.clone()),
            None => {}
        }
    }
    findings.sort_by_key(|it| (std::cmp::Reverse(it.severity), number(it)));
}

/// What two changes come to, one after the other. What is new and then grew worse is new.
const fn both(earlier: Change, later: Change) -> Change {
    match (earlier, later) {
        // A person took it up again.
        (Change::Resolved, Change::Unchanged) => later,
        (_, Change::Unchanged) => earlier,
        (Change::Detected | Change::Opened | Change::Reopened, Change::Worsened) => earlier,
        _ => later,
    }
}

fn number(finding: &Finding) -> Option<i64> {
    domain::FindingId::parse(&finding.id).map(|it| it.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v1::Report;

    #[test]
    fn what_came_first_is_told_unless_something_came_of_it_since() {
        use Change::{Detected, Opened, Reopened, Resolved, Unchanged, Worsened};
        for (earlier, later, told) in [
            (Detected, Unchanged, Detected),
            (Detected, Opened, Opened),
            (Opened, Worsened, Opened),
            (Reopened, Worsened, Reopened),
            (Worsened, Resolved, Resolved),
            (Resolved, Reopened, Reopened),
            (Resolved, Unchanged, Unchanged),
        ] {
            assert_eq!(both(earlier, later), told, "{earlier:?}, then {later:?}");
        }
    }

    #[test]
    fn a_night_tells_what_ended_in_a_light_pass_and_counts_what_is_new_since_the_night_before() {
        let mut night = crate::sample::record();
        let mut light = night.clone();
        let ended = light.findings.pop().unwrap();
        light.findings = vec![domain::FindingRecord { change: domain::Change::Resolved, ..ended }];
        let gone = light.findings[0].finding.id;
        night.findings.retain(|it| it.finding.id != gone);
        let told = Report::since(&night, Some(&Report::of(&light)));
        assert_eq!(told.finding(gone).map(|it| it.change), Some(Change::Resolved));
        let by_change = |it: &Report| {
            let resolved = it.summary.by_change.iter().find(|it| it.change == Change::Resolved);
            resolved.map_or(0, |it| it.count)
        };
        assert_eq!(by_change(&told), by_change(&Report::of(&night)) + 1);
    }
}
