//! `check`: export files in, drift out.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use clap::Args;

use super::{FailOn, ListFormat};
use crate::when;

/// Judging export files.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  driftline check --idp okta_users.json --idp okta_app_users.json --app secureframe.csv
  driftline check --idp users.csv --app scim_pages/ --hr leavers.csv --html drift.html
  driftline check --idp people.csv --profile people.csv=acme --profiles profiles/ --app app.csv

Files are recognised by their columns. They are taken as whole lists on your word, and judged
without grace and without a second look, so no result is better than grade B.")]
pub(crate) struct CheckArgs {
    /// An export of an identity provider: who should have access. One file or several; those of one
    /// vendor are one provider, and a list that is of no vendor's form is one of its own
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    pub(crate) idp: Vec<PathBuf>,

    /// An export of the app: who has it. Files, or a folder of pages
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    pub(crate) app: Vec<PathBuf>,

    /// HR's list of leavers
    #[arg(long, value_name = "FILE")]
    pub(crate) hr: Option<PathBuf>,

    /// The register of accounts that belong to no person
    #[arg(long, value_name = "FILE")]
    pub(crate) nonhuman: Option<PathBuf>,

    /// Read FILE with the column-mapping profile NAME
    #[arg(long, value_name = "FILE=NAME", value_parser = stated_text)]
    pub(crate) profile: Vec<StatedFile<String>>,

    /// FILE lists the members of the group with that id
    #[arg(long, value_name = "FILE=ID", value_parser = stated_text)]
    pub(crate) group: Vec<StatedFile<String>>,

    /// FILE speaks as of TIME, as 2026-11-20T02:00:00Z
    #[arg(long, value_name = "FILE=TIME", value_parser = stated_time)]
    pub(crate) as_of: Vec<StatedFile<DateTime<Utc>>>,

    /// The zone of dates that name none, as Europe/Berlin
    #[arg(long, value_name = "TZ", value_parser = zone)]
    pub(crate) zone: Option<Tz>,

    /// A folder of profiles that add to the built-in ones or replace them
    #[arg(long, value_name = "DIR")]
    pub(crate) profiles: Option<PathBuf>,

    /// What is printed on stdout
    #[arg(long, default_value = "text")]
    pub(crate) format: ListFormat,

    /// With names and logins in the text; the other formats have them
    #[arg(long)]
    pub(crate) names: bool,

    /// Write the HTML report to this file, too
    #[arg(long, value_name = "OUT")]
    pub(crate) html: Option<PathBuf>,

    /// End with status 1 when a finding is at least this grave
    #[arg(long, value_name = "SEVERITY", default_value = "high")]
    pub(crate) fail_on: FailOn,
}

/// Something that is said about one of the files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StatedFile<T> {
    /// The file, as it is named in `--idp`, `--app`, `--hr` or `--nonhuman`.
    pub(crate) path: PathBuf,
    /// What is said.
    pub(crate) value: T,
}

fn stated_text(text: &str) -> Result<StatedFile<String>, String> {
    // The last `=`: paths may hold one, names and times do not.
    match text.rsplit_once('=') {
        Some((path, value)) if !path.is_empty() && !value.is_empty() => {
            Ok(StatedFile { path: PathBuf::from(path), value: value.to_owned() })
        }
        _ => Err("write FILE=VALUE, with FILE as it is named above".to_owned()),
    }
}

fn stated_time(text: &str) -> Result<StatedFile<DateTime<Utc>>, String> {
    let StatedFile { path, value } = stated_text(text)?;
    let value =
        when::instant(&value).ok_or("write date, time and zone, as FILE=2026-11-20T02:00:00Z")?;
    Ok(StatedFile { path, value })
}

fn zone(text: &str) -> Result<Tz, String> {
    text.parse().map_err(|_| "write an IANA name, as Europe/Berlin or UTC".to_owned())
}
