//! Which profile reads a file: looks at the names of its columns or members, never at
//! whom its rows are about.

use std::path::Path;

use domain::SystemKind;
use serde::Deserialize as _;

use super::capture::Names;
use super::csv;
use super::error::{Place, PullError, PullErrorKind, Unrecognised};
use super::json::{self, Envelope, RowTrouble, Taken, parsed_len};
use super::limits::{HEAD_BYTES, SAMPLE_ROWS};
use super::profile::{Field, Format, Profile, Profiles};
use super::read::guess_format;
use super::record::plain;
use super::source::{self, Page};
use super::window::Window;

/// Columns or members that an error lists.
const SAW_MAX: usize = 60;

/// Names that a profile asks for, from which on a file that has them is no other system's.
const SURE_MIN: usize = 3;

/// Profiles that an error names as nearest.
const NEAREST_MAX: usize = 3;

/// Recognises the profile of a file, or of the first page of a folder, among those for `kind`.
/// `is_of_group`: the operator names the group whose members it lists.
///
/// # Errors
///
/// Returns [`PullError`] when the file cannot be read, or when none or several profiles fit:
/// it then says what the file has, what came nearest, and how to map it.
pub fn recognise(
    path: &Path,
    kind: SystemKind,
    is_of_group: bool,
    profiles: &Profiles,
) -> Result<String, PullError> {
    let shown_as = path.display().to_string();
    choose(path, &shown_as, kind, is_of_group, profiles).map(|it| it.name().to_owned())
}

/// The same for a file of a system.
pub(crate) fn choose<'p>(
    path: &Path,
    shown_as: &str,
    kind: SystemKind,
    is_of_group: bool,
    profiles: &'p Profiles,
) -> Result<&'p Profile, PullError> {
    let pages = source::pages(path, shown_as)?;
    let Some(first) = pages.first() else {
        return Err(PullErrorKind::Empty.at(shown_as, Place::File));
    };
    let candidates: Vec<&Profile> = profiles
        .iter()
        .filter(|it| it.kind == kind && it.memberships.is_some() == is_of_group)
        .collect();
    let sample = sample(first, &candidates)?;
    if !is_of_group && let Some(members) = sample.members(kind, profiles) {
        let what = format!(
            "the file lists the members of a group (`{}`) and does not say of which: add `group = \"ID\"` to this file's settings, or `--group FILE=ID` to `driftline check`; if it lists users, name the profile that reads it",
            members.name,
        );
        return Err(PullErrorKind::Setting { what }.at(&first.shown_as, Place::File));
    }
    let (fallbacks, particular): (Vec<&Profile>, Vec<&Profile>) =
        candidates.iter().partition(|it| it.fallback);
    let one_of = |fits: &[Fit<'p>]| match fits {
        [] => Ok(None),
        [(best, one), (second, other), ..] if best == second => {
            let reason =
                format!("the profiles `{}` and `{}` fit equally well", one.name, other.name);
            Err(sample.unrecognised(reason, kind, &candidates).at(&first.shown_as, Place::File))
        }
        [(_, best), ..] => Ok(Some(*best)),
    };
    if let Some(best) = one_of(&sample.fits(&particular))? {
        return Ok(best);
    }
    let foreign = foreign(first, kind, profiles)?;
    // What reads anything does not read what is surely another system's.
    if foreign.is_none_or(|it| it.recognise.len() < SURE_MIN)
        && let Some(best) = one_of(&sample.fits(&fallbacks))?
    {
        return Ok(best);
    }
    let reason = match foreign {
        Some(other) => format!(
            "the file looks like `{}`, which is of kind `{}` and not `{kind}`: name it there, or name the profile that reads it here",
            other.name, other.kind,
        ),
        None => format!("no profile for a system of kind `{kind}` fits the file"),
    };
    Err(sample.unrecognised(reason, kind, &candidates).at(&first.shown_as, Place::File))
}

/// The most particular profile that fits the file, of those for systems of another kind.
fn foreign<'p>(
    page: &Page,
    kind: SystemKind,
    profiles: &'p Profiles,
) -> Result<Option<&'p Profile>, PullError> {
    let others: Vec<&Profile> =
        profiles.iter().filter(|it| it.kind != kind && !it.fallback).collect();
    Ok(sample(page, &others)?.fits(&others).first().map(|it| it.1))
}

/// A profile that fits a file: how many names it asks for, how many it reads, and which it is.
type Fit<'p> = ((usize, usize), &'p Profile);

/// The names met in the first rows of a file.
struct Sample {
    format: Format,
    /// Columns, or paths of members that are not null, as written.
    names: Vec<String>,
}

fn sample(page: &Page, candidates: &[&Profile]) -> Result<Sample, PullError> {
    let fail = |(place, kind): (Place, PullErrorKind)| kind.at(&page.shown_as, place);
    let mut source = source::open(&page.path).map_err(|kind| fail((Place::File, kind)))?;
    let mut window = Window::new(source.reader());
    window.fill().map_err(|error| fail((Place::File, PullErrorKind::of_io(error))))?;
    if window.bytes().iter().all(u8::is_ascii_whitespace) {
        return Err(fail((Place::File, PullErrorKind::Empty)));
    }
    let format = guess_format(window.bytes());
    let mut names = Vec::new();
    match format {
        Format::Csv => csv::walk(&mut window, &mut |cells, _, _| {
            names.extend(
                (0..cells.len()).filter_map(|at| cells.get(at)).map(|it| it.trim().to_owned()),
            );
            Ok(false)
        })
        .map_err(fail)?,
        Format::Json => {
            let lists = candidates.iter().flat_map(|it| it.rows.iter().cloned()).collect();
            let envelope = Envelope { lists, total: None, next: None, names: Names::AnyCase };
            let mut n_rows = 0;
            json::walk(&mut window, &envelope, &mut |bytes, span| {
                if n_rows == SAMPLE_ROWS || span.offset > HEAD_BYTES as u64 {
                    return Err(RowTrouble::Enough);
                }
                n_rows += 1;
                let mut parser = serde_json::Deserializer::from_slice(bytes);
                let row = serde_json::Value::deserialize(&mut parser).map_err(|error| {
                    n_rows -= 1;
                    RowTrouble::Json(error)
                })?;
                collect(&row, "", &mut names);
                Ok(Taken { len: parsed_len(parser), n_lines: None })
            })
            .map_err(fail)?;
        }
    }
    Ok(Sample { format, names })
}

/// Adds the paths of a row's members. Recursion is bounded by the parser's depth of 128.
fn collect(value: &serde_json::Value, prefix: &str, names: &mut Vec<String>) {
    if let serde_json::Value::Object(members) = value {
        for (name, member) in members.iter().filter(|(_, member)| !member.is_null()) {
            let name = if name.contains('.') { format!("\"{name}\"") } else { name.clone() };
            let path = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
            collect(member, &path, names);
            if !names.contains(&path) {
                names.push(path);
            }
        }
    }
}

impl Sample {
    /// The profiles that fit: first the one that asks for most, which is the most particular; among
    /// equals, the one that reads most.
    fn fits<'p>(&self, profiles: &[&'p Profile]) -> Vec<Fit<'p>> {
        let fitting = profiles.iter().filter(|it| self.misses(it).is_some_and(|it| it.is_empty()));
        let mut fits: Vec<Fit<'p>> =
            fitting.map(|it| ((it.recognise.len(), self.score(it)), *it)).collect();
        fits.sort_by_key(|(rank, _)| std::cmp::Reverse(*rank));
        fits
    }

    /// Which of the wanted names are missing; `None` when the profile reads another format.
    fn misses<'p>(&self, profile: &'p Profile) -> Option<Vec<&'p str>> {
        profile.formats.contains(&self.format).then(|| {
            let is_there =
                |either: &&String| either.split('|').any(|name| self.has(profile, name.trim()));
            profile.recognise.iter().filter(|it| !is_there(it)).map(String::as_str).collect()
        })
    }

    fn has(&self, profile: &Profile, wanted: &str) -> bool {
        self.names.iter().any(|name| match self.format {
            Format::Csv => plain(name) == plain(wanted),
            Format::Json => profile.envelope.names.equal(name, wanted),
        })
    }

    /// The profile for members of a group whose rows say, as these do, what kind of member each is.
    fn members<'p>(&self, kind: SystemKind, profiles: &'p Profiles) -> Option<&'p Profile> {
        profiles.iter().filter(|it| it.kind == kind).find(|profile| {
            let member_type = profile.memberships.as_ref().map(|it| &it.fields.member_type);
            let says_type = |field: &Field| field.paths.iter().any(|it| self.has(profile, it));
            member_type.is_some_and(says_type)
        })
    }

    /// How many of the profile's fields the file has.
    fn score(&self, profile: &Profile) -> usize {
        profile
            .layout
            .paths
            .iter()
            .filter(|it| self.has(profile, it.split('[').next().unwrap_or(it)))
            .count()
    }

    fn unrecognised(
        &self,
        reason: String,
        kind: SystemKind,
        candidates: &[&Profile],
    ) -> PullErrorKind {
        let mut nearest: Vec<(usize, String)> = candidates
            .iter()
            .filter_map(|profile| {
                let misses = self.misses(profile)?;
                let score = self.score(profile);
                let text = if misses.is_empty() {
                    format!("`{}`", profile.name)
                } else {
                    format!("`{}` (misses `{}`)", profile.name, misses.join("`, `"))
                };
                (score > 0).then_some((score, text))
            })
            .collect();
        nearest.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        let saw: Vec<String> = self.names.iter().take(SAW_MAX).map(|it| shown(it)).collect();
        PullErrorKind::Unrecognised(Box::new(Unrecognised {
            reason,
            snippet: snippet(kind, self.format, &saw),
            saw,
            nearest: nearest.into_iter().take(NEAREST_MAX).map(|(_, text)| text).collect(),
        }))
    }
}

/// The error for a file that has nothing of what the profile named for it reads.
pub(crate) fn no_known_column(profile: &Profile, columns: &[String]) -> PullErrorKind {
    let saw: Vec<String> = columns.iter().take(SAW_MAX).map(|it| shown(it)).collect();
    PullErrorKind::Unrecognised(Box::new(Unrecognised {
        reason: format!("the header has no column that the profile `{}` knows", profile.name),
        snippet: snippet(profile.kind, Format::Csv, &saw),
        saw,
        nearest: Vec::new(),
    }))
}

/// A file without a header shows its first row as names: addresses stay out of errors.
fn shown(name: &str) -> String {
    if name.contains('@') {
        "(an address: is the header missing?)".to_owned()
    } else {
        name.chars().filter(|it| !it.is_control()).take(80).collect()
    }
}

/// A profile to begin with: every field that the kind has, all but the first left to fill in.
fn snippet(kind: SystemKind, format: Format, saw: &[String]) -> String {
    let (table, first, others) = match kind {
        SystemKind::Idp => (IDENTITIES, "id", IDENTITY_FIELDS),
        SystemKind::App => (ACCOUNTS, "id", ACCOUNT_FIELDS),
        SystemKind::Hr => (LEAVERS, "employee_number", LEAVER_FIELDS),
        SystemKind::Register => ("[nonhumans.fields]", "account", NONHUMAN_FIELDS),
    };
    let format = match format {
        Format::Csv => "csv",
        Format::Json => "json",
    };
    let column = saw.first().map_or("", String::as_str);
    format!(
        "name = \"my-export\"\ntitle = \"My export\"\nkind = \"{kind}\"\nformats = [\"{format}\"]\nrecognise = [{column:?}]\n\n{table}\n{first} = [{column:?}]\n{others}"
    )
}

const IDENTITIES: &str = r#"[identities]
lists = "everyone" # or "assigned": only those who have the app
lifecycle = true   # it says who has left
statuses = { ACTIVE = "active" } # each word of the status: active, suspended, not_yet or left

[identities.fields]"#;

const IDENTITY_FIELDS: &str = r#"# status = ["…"]
# user_name = ["…"]
# email = ["…"]
# employee_number = ["…"]
# display_name = ["…"]
# status_changed_at = ["…"] # since when the status holds
# ends_at = ["…"]           # when it is to end
"#;

const ACCOUNTS: &str = r#"[accounts]
on_words = ["true"]
off_words = ["false"]

[accounts.fields]"#;

const ACCOUNT_FIELDS: &str = r#"# active = ["…"]          # whether it is on; without it nothing is judged
# external_id = ["…"]     # the id of the user at the identity provider
# user_name = ["…"]
# email = ["…"]
# employee_number = ["…"]
# display_name = ["…"]
# roles = ["…"]
# last_used_at = ["…"]
"#;

const LEAVERS: &str = r#"whole = true # false: it shows the latest leavers alone

[leavers.fields]"#;

const LEAVER_FIELDS: &str = r#"left_at = ["…"]           # the last day, or the moment: name its column
# email = ["…"]
# display_name = ["…"]
# reason = ["…"]
"#;

const NONHUMAN_FIELDS: &str = r#"# owner = ["…"]
# purpose = ["…"]
# attest_by = ["…"]       # until when the owner has to say that it is still needed
"#;
