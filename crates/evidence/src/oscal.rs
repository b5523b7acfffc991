//! `machine/oscal-assessment-results.json`: the bag as assessment results of NIST's OSCAL, for the
//! controls that the mapping names by their id in a catalog. What was seen is an observation; an
//! objective has a finding only where a leaver was judged. Names nobody, and the same bag gives the
//! same bytes: every id is made of the ledger's root.

use std::cell::RefCell;
use std::collections::BTreeSet;

use data_encoding::HEXLOWER;
use ledger::{Checkpoint, sha256};
use serde_json::{Value, json};

use crate::bag::Bag;
use crate::contents::{Contents, LeaverTold, Scope};
use crate::disputes::Dispute;
use crate::leaf::LeaverLeaf;
use crate::tables::{incomplete, longest_gap, tie_out, time};

/// Where the results are.
pub(crate) const OSCAL: &str = "data/machine/oscal-assessment-results.json";

/// The newest version that `compliance-trestle` and NIST's schemas agree on.
pub(crate) const VERSION: &str = "1.2.1";

/// Where the ids of this program begin (RFC 9562, 5.5). Made at random, once.
const NAMESPACE: [u8; 16] = [
    0x5b, 0x1e, 0x0f, 0x6c, 0x83, 0x92, 0x4d, 0x17, 0xa9, 0x40, 0x2c, 0x7e, 0xd1, 0x58, 0x36, 0xb4,
];

/// The document; `None`: the mapping names no control of a catalog.
pub(crate) fn assessment_results(
    contents: &Contents,
    leavers: &[LeaverLeaf],
    bag: &Bag,
) -> Option<Value> {
    let mapped = contents.scope.controls.controls.iter().filter_map(|it| it.oscal.as_ref());
    let ids: Vec<&str> = mapped.clone().map(|it| &*it.id).collect();
    let objectives: BTreeSet<&str> =
        mapped.flat_map(|it| it.objectives.iter().map(String::as_str)).collect();
    if ids.is_empty() {
        return None;
    }
    let made = Made { contents, bag, cited: RefCell::default() };
    let scope = &contents.scope;
    let title = format!("Leavers of {}, {} to {}", scope.app, scope.days.0, scope.days.1);
    let observations = observations(&made, leavers);
    let judged = Judged::of(leavers, &contents.disputes());
    let findings: Vec<Value> =
        objectives.iter().filter_map(|it| finding(&made, it, &judged, leavers)).collect();
    let mut result = json!({
        "uuid": made.uuid("result", ""),
        "title": title,
        "description": "Leavers by HR and identity providers against the accounts that the app listed, run by run.",
        "start": time(scope.from),
        "end": time(scope.to.min(scope.now)),
        "reviewed-controls": reviewed(&ids, &objectives),
        "observations": observations,
        "remarks": remarks(contents, &judged),
    });
    // OSCAL has no empty lists.
    if let (false, Some(result)) = (findings.is_empty(), result.as_object_mut()) {
        result.insert("findings".to_owned(), findings.into());
    }
    Some(json!({"assessment-results": {
        "uuid": made.uuid("document", ""),
        "metadata": {
            "title": title,
            "last-modified": time(scope.now),
            "version": "1",
            "oscal-version": VERSION,
            "props": [
                made.prop("software", &scope.software),
                made.prop("ledger", &contents.ledger.checkpoint.origin),
                made.prop("ledger-size", &contents.ledger.checkpoint.size.to_string()),
                made.prop("ledger-root", &HEXLOWER.encode(&contents.ledger.checkpoint.root)),
            ],
        },
        "import-ap": {"href": made.cite("data/ipe.json")},
        "results": [result],
        "back-matter": {"resources": made.resources()},
    }}))
}

/// Which controls there is something about. Those without an objective have evidence alone.
fn reviewed(ids: &[&str], objectives: &BTreeSet<&str>) -> Value {
    let controls: Vec<Value> = ids.iter().map(|it| json!({"control-id": it})).collect();
    let mut reviewed = json!({
        "control-selections": [{
            "description": "Controls that the bag has evidence for: data/controls.csv says where, and what that does not show.",
            "include-controls": controls,
        }],
        "remarks": "Only objectives with a finding were judged.",
    });
    let objectives: Vec<Value> = objectives.iter().map(|it| json!({"objective-id": it})).collect();
    if let (false, Some(reviewed)) = (objectives.is_empty(), reviewed.as_object_mut()) {
        let selections = json!([{"include-objectives": objectives}]);
        reviewed.insert("control-objective-selections".to_owned(), selections);
    }
    reviewed
}

fn observations(made: &Made<'_>, leavers: &[LeaverLeaf]) -> Vec<Value> {
    let contents = made.contents;
    let end = time(contents.scope.to.min(contents.scope.now));
    let general = |what: &str, title: &str, description: String, files: &[&str]| {
        let evidence: Vec<Value> = files.iter().map(|it| made.evidence(it)).collect();
        json!({
            "uuid": made.uuid("observation", what), "title": title, "description": description,
            "methods": ["EXAMINE"], "collected": end, "relevant-evidence": evidence,
        })
    };
    let (note, checkpoint) = (&contents.ledger.note, &contents.ledger.checkpoint);
    let mut all = vec![
        general(
            COVERAGE.0,
            COVERAGE.1,
            coverage(contents),
            &["data/coverage.csv", "data/ipe.json"],
        ),
        general(
            "population",
            POPULATION,
            population(leavers),
            &["data/population.csv", "data/reconciliation.csv"],
        ),
        general(
            "ledger",
            LEDGER,
            ledger(checkpoint, note.has_signature()),
            &["data/ledger/checkpoint", "data/ledger/entries.jsonl"],
        ),
    ];
    all.extend(contents.leavers.iter().zip(leavers).map(|it| leaver(made, it)));
    all
}

/// Name and title of the observation to which every finding leads.
pub(crate) const COVERAGE: (&str, &str) = ("coverage", "Did the control run?");
pub(crate) const POPULATION: &str = "Who left";
pub(crate) const LEDGER: &str = "The evidence log";

/// Who left, in words.
pub(crate) fn population(leavers: &[LeaverLeaf]) -> String {
    let sides = tie_out(leavers);
    format!(
        "{} leavers: {} by HR and an identity provider, {} by HR alone, {} by an identity provider \
         alone, {} gone from a list and told by nobody. {} had an account.",
        leavers.len(),
        sides.both,
        sides.hr_alone,
        sides.idp_alone,
        sides.neither,
        sides.with_account,
    )
}

/// The log, in words.
pub(crate) fn ledger(checkpoint: &Checkpoint, is_signed: bool) -> String {
    let signed = if is_signed { "signed" } else { "not signed" };
    let Checkpoint { size, origin, root } = checkpoint;
    format!(
        "{size} entries of the ledger `{origin}` are under the root {}, {signed}.",
        HEXLOWER.encode(root)
    )
}

fn coverage(contents: &Contents) -> String {
    let (gap, since) = longest_gap(contents);
    let (n_incomplete, n_times) = incomplete(contents);
    format!(
        "{} runs; {} full runs that failed, or in which a list was not read whole, and which speak of \
         {} times; {} due times \
         without a run; {} h {} min without a full run that saw the app, since {}.",
        contents.runs.iter().filter(|it| it.run.is_some()).count(),
        n_incomplete,
        n_times,
        contents.runs.iter().map(|it| it.n_missed).sum::<u64>(),
        gap.num_hours(),
        gap.num_minutes() % 60,
        time(since),
    )
}

/// The title of the observation of a leaver.
pub(crate) fn title(leaver: &LeaverLeaf) -> String {
    format!("Leaver {}", leaver.id())
}

/// What the observation of a leaver says that their entry says.
fn told(leaver: &LeaverLeaf) -> (String, [(&'static str, String); 2], &str) {
    let body = &leaver.body;
    let looks = body.accounts.iter().filter_map(|it| it.stretches.last());
    let looks = looks.flat_map(|it| [&it.last_seen_active, &it.first_seen_inactive]).flatten();
    // Times have one form, so that their order is that of their texts.
    let collected = looks.max().unwrap_or(&body.found_at);
    let description = format!("{}: {}", body.sla.outcome.to_uppercase(), body.sla.because);
    let props = [("result", body.sla.outcome.clone()), ("ledger-entry", leaver.entry.to_string())];
    (description, props, collected)
}

/// Whether an observation says what the entry of a leaver says.
pub(crate) fn is_of(observation: &Value, leaver: &LeaverLeaf) -> bool {
    let (description, props, collected) = told(leaver);
    let found = observation.get("props").and_then(Value::as_array);
    let found = found.into_iter().flatten().map(|it| (it.get("name"), it.get("value")));
    let props = props.map(|(name, value)| (json!(name), json!(value)));
    observation.get("description") == Some(&json!(description))
        && observation.get("collected") == Some(&json!(collected))
        && found.eq(props.iter().map(|(name, value)| (Some(name), Some(value))))
}

fn leaver(made: &Made<'_>, (chosen, leaver): (&LeaverTold, &LeaverLeaf)) -> Value {
    let id = leaver.id();
    let (description, props, collected) = told(leaver);
    let file = match chosen.is_chosen {
        true => format!("data/leavers/{id}.json"),
        false => "data/population.csv".to_owned(),
    };
    json!({
        "uuid": made.uuid("observation", &id),
        "title": title(leaver),
        "description": description,
        "props": props.map(|(name, value)| made.prop(name, &value)),
        "methods": ["TEST"],
        "types": ["control-objective"],
        "subjects": [{"subject-uuid": v5(NAMESPACE, &leaver.subject), "type": "user"}],
        "relevant-evidence": [made.evidence(&file)],
        "collected": collected,
    })
}

/// How many leavers came to which result.
pub(crate) struct Judged {
    met: usize,
    missed: usize,
    not_proven: usize,
    exception: usize,
    /// Accounts of people of whom nobody decided whether they left.
    undecided: usize,
}

impl Judged {
    pub(crate) fn of(leavers: &[LeaverLeaf], disputes: &[Dispute]) -> Self {
        let n = |word: &str| leavers.iter().filter(|it| it.body.sla.outcome == word).count();
        let (met, missed) = (n("met"), n("missed"));
        let undecided = disputes.iter().filter(|it| it.is_undecided()).count();
        Self { met, missed, not_proven: n("not_proven"), exception: n("exception"), undecided }
    }

    /// Of how many there is something to say.
    pub(crate) const fn n(&self) -> usize {
        self.met + self.missed + self.not_proven + self.exception + self.undecided
    }

    /// Why there is no finding; `None`: there is one for each objective.
    const fn unjudged(&self, scope: &Scope) -> Option<&'static str> {
        if scope.is_provisional {
            Some(
                "what the app does with an account that is switched off is not known, or was seen otherwise than set",
            )
        } else if self.n() == 0 {
            Some("no leaver of the period had an account to be switched off")
        } else {
            None
        }
    }

    pub(crate) fn in_words(&self) -> String {
        let Self { met, missed, not_proven, exception, undecided } = self;
        let disputed = match undecided {
            0 => String::new(),
            n => format!(" Of the owners of {n} accounts sources disagree whether they left."),
        };
        format!(
            "{met} leavers were seen off in time, {missed} were seen on too late. Of {not_proven} \
             it was not seen whether they were off in time, which is neither. {exception} have an \
             exception that two people agreed to.{disputed}"
        )
    }

    /// State and reason of an objective as OSCAL has them.
    pub(crate) const fn status(&self) -> (&'static str, &'static str) {
        match (self.missed, self.not_proven + self.exception + self.undecided) {
            (0, 0) => ("satisfied", "pass"),
            (0, _) => ("not-satisfied", "other"),
            _ => ("not-satisfied", "fail"),
        }
    }
}

/// `None`: nobody was judged, so there is nothing to say of an objective.
fn finding(
    made: &Made<'_>,
    objective: &str,
    judged: &Judged,
    leavers: &[LeaverLeaf],
) -> Option<Value> {
    if judged.unjudged(&made.contents.scope).is_some() {
        return None;
    }
    let (state, reason) = judged.status();
    let of_scope = leavers.iter().filter(|it| it.body.sla.outcome != "out_of_scope");
    let related = of_scope.map(LeaverLeaf::id).chain([COVERAGE.0.to_owned()]);
    let related = related.map(|it| json!({"observation-uuid": made.uuid("observation", &it)}));
    let app = &made.contents.scope.app;
    Some(json!({
        "uuid": made.uuid("finding", objective),
        "title": format!("{objective}, for the leavers of {app}"),
        "description": judged.in_words(),
        "target": {
            "type": "objective-id",
            "target-id": objective,
            "status": {
                "state": state, "reason": reason,
                "remarks": "For this app, this period and what was seen, and no further.",
            },
        },
        "related-observations": related.collect::<Vec<Value>>(),
    }))
}

/// What the results do not show, in the document itself.
fn remarks(contents: &Contents, judged: &Judged) -> String {
    let mut lines = Vec::new();
    if let Some(why) = judged.unjudged(&contents.scope) {
        lines.push(format!("There is no finding: {why}."));
    }
    lines.extend(contents.empty_because());
    lines.extend(contents.undecided());
    lines.extend(contents.made_apart());
    lines.extend(contents.untimely());
    lines.push("What was left out when it was written is not shown, nor that what a source answered was true.".to_owned());
    lines.extend(contents.scope.limits.iter().cloned());
    lines.join(" ")
}

/// What the parts of the document are made of.
struct Made<'m> {
    contents: &'m Contents,
    bag: &'m Bag,
    /// Files that something leads to.
    cited: RefCell<BTreeSet<String>>,
}

impl Made<'_> {
    /// An id that is the same for the same thing in the same bag.
    fn uuid(&self, kind: &str, name: &str) -> String {
        let (root, bag) =
            (HEXLOWER.encode(&self.contents.ledger.checkpoint.root), self.contents.name());
        v5(NAMESPACE, &format!("{root}\n{bag}\n{kind}\n{name}"))
    }

    fn prop(&self, name: &str, value: &str) -> Value {
        json!({"name": name, "ns": format!("urn:uuid:{}", hyphenated(NAMESPACE)), "value": value})
    }

    /// A way to a file of the bag, which becomes a resource.
    fn cite(&self, path: &str) -> String {
        self.cited.borrow_mut().insert(path.to_owned());
        format!("#{}", self.uuid("resource", path))
    }

    fn evidence(&self, path: &str) -> Value {
        json!({"href": self.cite(path), "description": path})
    }

    /// Every file that was cited, with its SHA-256 and where it is from here.
    fn resources(&self) -> Vec<Value> {
        let resource = |path: &String| {
            let bytes = self.bag.get(path).unwrap_or_default();
            let file = path.strip_prefix("data/").unwrap_or(path);
            let kind = match path.rsplit('.').next() {
                Some("csv") => "text/csv",
                Some("json") => "application/json",
                Some("jsonl") => "application/jsonl",
                _ => "text/plain",
            };
            json!({
                "uuid": self.uuid("resource", path),
                "title": file,
                "rlinks": [{
                    "href": format!("../{file}"),
                    "media-type": kind,
                    "hashes": [{"algorithm": "SHA-256", "value": HEXLOWER.encode(&sha256(bytes))}],
                }],
            })
        };
        self.cited.borrow().iter().map(resource).collect()
    }
}

/// A UUID made of a name (RFC 9562, 5.5).
fn v5(namespace: [u8; 16], name: &str) -> String {
    let mut sha1 = ring::digest::Context::new(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY);
    sha1.update(&namespace);
    sha1.update(name.as_bytes());
    let digest = sha1.finish();
    let mut id = [0; 16];
    id.iter_mut().zip(digest.as_ref()).for_each(|(to, from)| *to = *from);
    id[6] = id[6] & 0x0f | 0x50;
    id[8] = id[8] & 0x3f | 0x80;
    hyphenated(id)
}

fn hyphenated(id: [u8; 16]) -> String {
    let [a, b, c, d, e, f, g, h, rest @ ..] = &id;
    let parts = [&[*a, *b, *c, *d][..], &[*e, *f], &[*g, *h], &rest[..2], &rest[2..]];
    parts.map(|it| HEXLOWER.encode(it)).join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_that_of_rfc_9562() {
        let dns = 0x6ba7_b810_9dad_11d1_80b4_00c0_4fd4_30c8_u128.to_be_bytes();
        assert_eq!(v5(dns, "www.example.com"), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
    }
}
