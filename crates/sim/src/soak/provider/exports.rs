//! Okta by two files that an operator exports from it before each look: nobody can be asked, there is no log,
//! and nothing says when somebody lost the app, or what became of whom Okta deleted.

use std::fs;
use std::io;
use std::path::Path;

use connectors::files::{self, FileConfig};
use domain::{SystemId, SystemKind};
use engine::Source;
use fastrand::Rng;

use super::{Access, Provider};
use crate::okta;
use crate::world::World;

const USERS: &str = "exported_users.json";
const APP_USERS: &str = "exported_app_users.json";

/// What an operator brings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::soak) enum Export {
    /// Both files, of this hour.
    #[default]
    Whole,
    /// The users are cut short.
    Half,
    /// Who has the app is not there.
    Missing,
    /// Nothing new.
    Old,
}

impl Export {
    /// Mostly all of it.
    pub(in crate::soak) fn drawn(rng: &mut Rng) -> Self {
        let faults = [Self::Half, Self::Missing, Self::Old];
        faults.get(rng.usize(0..24)).copied().unwrap_or_default()
    }
}

/// Writes what is brought.
pub(in crate::soak) fn write(world: &World, folder: &Path, export: Export) -> io::Result<()> {
    let (users, app_users) = okta::exported(world, |it| Provider::of(it) == Provider::Exports);
    let mut users = users.to_string();
    if export == Export::Half {
        users.truncate(users.len() / 2);
    }
    fs::write(folder.join(USERS), users)?;
    fs::write(folder.join(APP_USERS), app_users.to_string())?;
    if export == Export::Missing { fs::remove_file(folder.join(APP_USERS)) } else { Ok(()) }
}

pub(super) fn access(folder: &Path) -> Access {
    Access {
        provider: Provider::Exports,
        url: folder.display().to_string(),
        app_id: String::new(),
        client_id: String::new(),
        secret: String::new(),
    }
}

pub(super) fn settings() -> String {
    let file = |name| format!("path = \"{name}\"\nwhole = true\n");
    let (users, app_users) = (file(USERS), file(APP_USERS));
    format!("[idp.exports]\n[[idp.exports.file]]\n{users}[[idp.exports.file]]\n{app_users}")
}

pub(super) fn source(access: &Access, system: SystemId) -> Source {
    let file = |name| {
        let path = Path::new(&access.url).join(name);
        FileConfig { whole: Some(true), ..FileConfig::new(path) }
    };
    Source::Files(files::Config {
        system,
        kind: SystemKind::Idp,
        files: vec![file(USERS), file(APP_USERS)],
        zone: Some(chrono_tz::UTC),
    })
}
