//! What `check` means: a plan made from the files that were named, without settings.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use alerting::Routes;
use connectors::files::{Config, FileConfig, Profiles, recognise};
use domain::{Digest, Pass, SystemId, SystemKind};
use drift::{AppRules, Deprovision, Entitlement, Policy};
use engine::{AppPlan, Plan, Source};
use graph::{KeyRules, PersonKey};
use sha2::{Digest as _, Sha256};

use crate::cli::{CheckArgs, StatedFile};
use crate::exit::UsageError;

/// Makes the plan: files of one vendor are one system, named like the vendor. Grace and second
/// look are off, and lists are whole on the operator's word.
///
/// # Errors
///
/// Returns [`UsageError`] when something is said about a file that is not named.
pub(crate) fn plan(args: &CheckArgs, profiles: Arc<Profiles>) -> Result<Plan, UsageError> {
    let files = Files { args, profiles: &profiles };
    files.refuse_unnamed()?;

    let idps = files.systems(SystemKind::Idp, &args.idp);
    let app = Config {
        files: args.app.iter().map(|path| files.file(path)).collect(),
        ..files.system(SystemKind::App, &vendor_of_app(&files))
    };
    let mut systems = idps.clone();
    systems.push(app.clone());
    let others = [(SystemKind::Hr, &args.hr), (SystemKind::Register, &args.nonhuman)];
    for (kind, path) in others {
        if let Some(path) = path {
            let files_of_it = vec![files.file(path)];
            systems.push(Config { files: files_of_it, ..files.system(kind, kind.name()) });
        }
    }
    let rules = AppRules {
        app: app.system,
        idps: idps.into_iter().map(|idp| idp.system).collect(),
        entitlement: Entitlement::Any,
        authority: None,
        deprovision: Deprovision::Unknown,
        is_on_vendors_word: false,
        required_channels: Vec::new(),
        privileged_roles: Vec::new(),
        canaries: Vec::new(),
        inactive_canaries: Vec::new(),
    };
    let keys = KeyRules { person_keys: vec![PersonKey::EmployeeNumber], ..KeyRules::default() };
    let policy = Policy {
        is_immediate: true,
        zone: args.zone.unwrap_or(Policy::default().zone),
        ..Policy::default()
    };
    Ok(Plan {
        pass: Pass::Full,
        sources: systems.into_iter().map(Source::Files).collect(),
        profiles,
        apps: vec![AppPlan { rules, keys }],
        policy,
        judges_everybody: false,
        settings_digest: digest(args),
        settings: None,
        fingerprint_key: None,
        provisioned: BTreeMap::new(),
        turn: None,
        software: crate::SOFTWARE.to_owned(),
        routes: Routes::default(), // It tells whoever typed it.
        anchors: Vec::new(),
    })
}

/// The files as they were named, and what was said about them.
struct Files<'a> {
    args: &'a CheckArgs,
    profiles: &'a Profiles,
}

impl Files<'_> {
    /// Something said about a file that is not read would be passed over in silence.
    fn refuse_unnamed(&self) -> Result<(), UsageError> {
        let args = self.args;
        let stated = args
            .profile
            .iter()
            .chain(&args.group)
            .map(|it| &it.path)
            .chain(args.as_of.iter().map(|it| &it.path));
        let named = || args.idp.iter().chain(&args.app).chain(&args.hr).chain(&args.nonhuman);
        for path in stated {
            if !named().any(|it| it == path) {
                let path = path.display();
                let what = format!(
                    "`{path}` is named by no `--idp`, `--app`, `--hr` or `--nonhuman`: write it as there"
                );
                return Err(UsageError(what));
            }
        }
        Ok(())
    }

    /// One system for each vendor, in the order in which the files were named.
    fn systems(&self, kind: SystemKind, paths: &[PathBuf]) -> Vec<Config> {
        let mut systems: Vec<Config> = Vec::new();
        for path in paths {
            let system = self.system(kind, &self.vendor(path, kind));
            let file = self.file(path);
            match systems.iter_mut().find(|it| it.system == system.system) {
                Some(known) => known.files.push(file),
                None => systems.push(Config { files: vec![file], ..system }),
            }
        }
        systems
    }

    /// A system without files.
    fn system(&self, kind: SystemKind, name: &str) -> Config {
        let system = SystemId::parse(name).or_else(|_| SystemId::parse(kind.name()));
        let system = system.expect("the name of a kind is the name of a system");
        Config { system, kind, files: Vec::new(), zone: self.args.zone }
    }

    fn file(&self, path: &Path) -> FileConfig {
        FileConfig {
            profile: stated(&self.args.profile, path),
            as_of: stated(&self.args.as_of, path),
            group: stated(&self.args.group, path),
            on_your_word: true,
            ..FileConfig::new(path.to_owned())
        }
    }

    /// What reads a file; `None` where the pull will explain why nothing does.
    fn profile(&self, path: &Path, kind: SystemKind) -> Option<String> {
        let is_of_group = stated(&self.args.group, path).is_some();
        stated(&self.args.profile, path)
            .or_else(|| recognise(path, kind, is_of_group, self.profiles).ok())
    }

    /// The first word of the profile's name: `okta` of `okta-app-users`. A generic file, and one
    /// that no profile fits, which the pull explains, are of their kind.
    fn vendor(&self, path: &Path, kind: SystemKind) -> String {
        let profile = self.profile(path, kind);
        let vendor = profile.as_deref().and_then(|name| name.split('-').next());
        match vendor {
            Some("generic" | "scim") | None => kind.name().to_owned(),
            Some(vendor) => vendor.to_owned(),
        }
    }
}

/// All files of `--app` show one app: its vendor is that of the first file that has one.
fn vendor_of_app(files: &Files<'_>) -> String {
    let kind = SystemKind::App;
    let vendors = files.args.app.iter().map(|path| files.vendor(path, kind));
    vendors
        .into_iter()
        .find(|vendor| vendor != kind.name())
        .unwrap_or_else(|| kind.name().to_owned())
}

/// What was said last about a file.
fn stated<T: Clone>(said: &[StatedFile<T>], path: &Path) -> Option<T> {
    said.iter().rev().find(|it| it.path == path).map(|it| it.value.clone())
}

/// Stands for the settings in the record: the same arguments give the same digest.
fn digest(args: &CheckArgs) -> Digest {
    Sha256::digest(format!("{args:?}")).into()
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, Command};

    /// The plan of a command line over the second night of the sample company.
    fn plan_of(line: &str) -> Result<Plan, UsageError> {
        let night = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/samples/2026-11-20");
        let line = line.replace("~", night);
        let words = ["driftline", "check"].into_iter().chain(line.split_whitespace());
        let Command::Check(args) = Cli::try_parse_from(words).unwrap().command else {
            panic!("another command");
        };
        plan(&args, crate::profiles::load(None).unwrap())
    }

    fn files_of(source: &Source) -> &[FileConfig] {
        match source {
            Source::Files(config) => &config.files,
            other => panic!("`{}` is no files", other.system()),
        }
    }

    #[test]
    fn files_of_one_vendor_are_one_system() {
        let plan = plan_of(
            "--idp ~/okta_users.json --idp ~/entra_users.csv --idp ~/okta_app_users.json \
             --app ~/secureframe_scim_users --hr ~/hr_leavers.csv --nonhuman ~/nonhuman.csv \
             --as-of ~/okta_users.json=2026-11-20T02:00:00Z --zone Europe/Berlin",
        )
        .unwrap();
        let systems: Vec<(&str, &str, usize)> = plan
            .sources
            .iter()
            .map(|it| (it.kind().name(), it.system().as_str(), files_of(it).len()))
            .collect();
        assert_eq!(
            systems,
            [
                ("idp", "okta", 2),
                ("idp", "entra", 1),
                ("app", "app", 1),
                ("hr", "hr", 1),
                ("register", "register", 1)
            ]
        );
        let okta = files_of(&plan.sources[0]);
        assert!(okta[0].as_of.is_some() && okta[1].as_of.is_none() && okta[0].on_your_word);
        assert!(plan.policy.is_immediate && plan.policy.zone == chrono_tz::Europe::Berlin);
        let idps: Vec<&str> = plan.apps[0].rules.idps.iter().map(SystemId::as_str).collect();
        assert_eq!(idps, ["okta", "entra"]);
    }

    #[test]
    fn a_profile_may_be_stated_and_the_system_follows_it() {
        let plan = plan_of(
            "--idp ~/hr_leavers.csv --profile ~/hr_leavers.csv=onelogin-users-csv --app x.csv",
        );
        let plan = plan.unwrap();
        assert_eq!(plan.sources[0].system().as_str(), "onelogin");
        assert_eq!(files_of(&plan.sources[0])[0].profile.as_deref(), Some("onelogin-users-csv"));
    }

    #[test]
    fn what_is_said_of_a_file_that_is_not_named_is_refused() {
        let error = plan_of("--idp a.csv --app b.csv --profile c.csv=generic").unwrap_err();
        assert_eq!(
            error.to_string(),
            "`c.csv` is named by no `--idp`, `--app`, `--hr` or `--nonhuman`: write it as there"
        );
    }
}
