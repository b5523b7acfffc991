//! The mapping of controls to evidence: the one in the program, or a file of the operator's. Every
//! error names file, line and key.

use std::collections::BTreeSet;
use std::path::Path;

use domain::{Cause, Family};
use evidence::{CONTROLS, Control, Controls, OfCatalog, PARTS};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::document::Document;
use super::{LEN_MAX, SettingsError, misfit};
use crate::nearest::{listed, nearest};

/// A mapping, as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mapping {
    control: Vec<Row>,
}

/// A missing key is an empty text: TOML's own error would point at the first control for any of them.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Row {
    framework: String,
    id: String,
    asks: String,
    shows: String,
    not_shown: Option<String>,
    files: Vec<String>,
    findings: Vec<String>,
    oscal: Option<String>,
    objectives: Vec<String>,
}

/// Reads the mapping of a file; `None`: the one in the program.
///
/// # Errors
///
/// Returns [`SettingsError`] for a file that cannot be read, and the first mistake in it.
pub(super) fn controls(file: Option<&Path>) -> Result<Controls, SettingsError> {
    let Some(path) = file else { return understand("controls.toml", CONTROLS) };
    let failed = |source| SettingsError::Controls { path: path.to_owned(), source };
    let shown = path.display().to_string();
    if std::fs::metadata(path).map_err(failed)?.len() > LEN_MAX {
        let what = format!("it has more than the {LEN_MAX} bytes that are read");
        return Err(failed(std::io::Error::new(std::io::ErrorKind::FileTooLarge, what)));
    }
    understand(&shown, &std::fs::read_to_string(path).map_err(failed)?)
}

fn understand(shown: &str, text: &str) -> Result<Controls, SettingsError> {
    let document = Document::parse(shown, text)?;
    let mapping: Mapping =
        toml::from_str(text).map_err(|error| misfit::wrong(&document, &error))?;
    let mut seen = BTreeSet::new();
    for (at, row) in mapping.control.iter().enumerate() {
        check(&document, &at.to_string(), row)?;
        if !seen.insert((&row.framework, &row.id)) {
            let what = format!("is there twice for {}: take one out", row.framework);
            return Err(document.wrong(&["control", &at.to_string(), "id"], what));
        }
    }
    let controls = mapping.control.into_iter().map(Row::meant).collect();
    Ok(Controls { controls, digest: Sha256::digest(text.as_bytes()).into() })
}

fn check(document: &Document<'_>, at: &str, row: &Row) -> Result<(), SettingsError> {
    let texts = [
        ("framework", Some(&row.framework)),
        ("id", Some(&row.id)),
        ("asks", Some(&row.asks)),
        ("shows", Some(&row.shows)),
        ("not_shown", row.not_shown.as_ref()),
    ];
    for (key, text) in texts {
        if text.is_some_and(|it| it.trim().is_empty()) {
            return Err(
                document.wrong(&["control", at, key], "is missing or empty: say it in words")
            );
        }
    }
    if row.files.is_empty() {
        let what = "is missing or empty: name what is evidence, or take the control out";
        return Err(document.wrong(&["control", at, "files"], what));
    }
    for (place, file) in row.files.iter().enumerate() {
        if !PARTS.contains(&&**file) {
            let guess = nearest(file, PARTS.iter().copied());
            let guess = guess.map_or_else(String::new, |it| format!("; did you mean `{it}`?"));
            let what = format!(
                "is no file or folder of a bag{guess}; there are {}",
                listed(PARTS.iter().copied())
            );
            return Err(document.wrong(&["control", at, "files", &place.to_string()], what));
        }
    }
    for (place, word) in row.findings.iter().enumerate() {
        if causes(word).is_empty() {
            let words =
                Family::ALL.iter().map(|it| it.name()).chain(Cause::ALL.iter().map(|it| it.name()));
            let guess = nearest(word, words);
            let guess = guess.map_or_else(String::new, |it| format!("; did you mean `{it}`?"));
            let what = format!("is no family and no cause of findings{guess}");
            return Err(document.wrong(&["control", at, "findings", &place.to_string()], what));
        }
    }
    let objectives = row.objectives.iter().enumerate().map(|(at, it)| (Some(at.to_string()), it));
    for (place, id) in row.oscal.iter().map(|it| (None, it)).chain(objectives) {
        let path = match &place {
            Some(place) => vec!["control", at, "objectives", place],
            None => vec!["control", at, "oscal"],
        };
        if !is_token(id) {
            let what = "is no id of an OSCAL catalog: write it as there, such as `ac-2.3_obj.b`";
            return Err(document.wrong(&path, what));
        }
    }
    if row.oscal.is_none() && !row.objectives.is_empty() {
        let what = "are those of a control of a catalog: name that as `oscal`, too";
        return Err(document.wrong(&["control", at, "objectives"], what));
    }
    Ok(())
}

/// What OSCAL calls a token.
fn is_token(id: &str) -> bool {
    id.starts_with(|it: char| it.is_alphabetic() || it == '_')
        && id.chars().all(|it| it.is_alphanumeric() || matches!(it, '.' | '-' | '_'))
}

/// What a word stands for: a cause, or all causes of a family. None, where it is neither.
fn causes(word: &str) -> Vec<Cause> {
    let is_meant = |it: &&Cause| it.name() == word || it.family().name() == word;
    Cause::ALL.iter().filter(is_meant).copied().collect()
}

impl Row {
    fn meant(self) -> Control {
        let Self { framework, id, asks, shows, not_shown, files, findings, oscal, objectives } =
            self;
        let causes = findings.iter().flat_map(|it| causes(it)).collect();
        let oscal = oscal.map(|id| OfCatalog { id, objectives });
        Control { framework, id, asks, shows, not_shown, files, causes, oscal }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mapping_in_the_program_has_the_controls_that_auditors_ask_for() {
        let controls = controls(None).unwrap().controls;
        let of = |framework: &str| {
            let ids = controls.iter().filter(|it| it.framework == framework).map(|it| &*it.id);
            ids.collect::<Vec<&str>>().join(" ")
        };
        assert_eq!(of("SOC 2"), "CC6.1 CC6.2 CC6.3");
        assert_eq!(of("ISO/IEC 27001"), "A.5.15 A.5.16 A.5.17 A.5.18 A.6.5 A.8.2");
        assert_eq!(of("NIST SP 800-53"), "AC-2 AC-2(3) PS-4 AU-9 AU-10 AU-11");
        assert_eq!(of("PCI DSS"), "8.2.4 8.2.5 8.2.6");
        assert_eq!(of("HIPAA"), "164.308(a)(3)");
    }

    #[test]
    fn a_mapping_that_cannot_be_used_says_where_and_why() {
        let good = "[[control]]\nframework = 'SOC 2'\nid = 'CC6.2'\nasks = 'a'\nshows = 'b'\nfiles = ['data/leavers/']\n";
        #[rustfmt::skip]
        let table = [
            (String::new(),                           "line 1, column 1: the file lacks the key `control`: add it"),
            (format!("{good}[[control]]\nid = 'x'"),   "line 7, column 1: `control[1].framework` is missing or empty: say it in words"),
            (good.replace("shows", "show"),           "line 5, column 1: `control[0].show` is not a key; did you mean `shows`?"),
            (good.replace("'a'", "' '"),              "line 4, column 8: `control[0].asks` is missing or empty: say it in words"),
            (good.replace("['data/leavers/']", "[]"), "line 6, column 9: `control[0].files` is missing or empty"),
            (good.replace("leavers/", "leaver"),      "line 6, column 10: `control[0].files[0]` is no file or folder of a bag; did you mean `data/leavers/`?"),
            (format!("{good}findings = ['orphans']"), "line 7, column 13: `control[0].findings[0]` is no family and no cause of findings; did you mean `orphan`?"),
            (format!("{good}oscal = 'AC 2'"),        "line 7, column 9: `control[0].oscal` is no id of an OSCAL catalog"),
            (format!("{good}objectives = ['a']"),   "line 7, column 14: `control[0].objectives` are those of a control of a catalog"),
            (format!("{good}{good}"),                 "line 9, column 6: `control[1].id` is there twice for SOC 2"),
            (good.replace("id = 'CC6.2'", "id = 6"),  "line 3, column 6: `control[0].id` must be a text in quotes"),
        ];
        for (text, expected) in table {
            let error = understand("my.toml", &text).unwrap_err().to_string();
            assert!(error.starts_with(&format!("`my.toml` {expected}")), "{error}");
        }
        let read = understand("my.toml", &format!("{good}findings = ['orphan', 'leaver_active']"));
        let causes = read.unwrap().controls.remove(0).causes;
        assert_eq!(causes, [Cause::OrphanActive, Cause::LeaverActive]);
    }
}
