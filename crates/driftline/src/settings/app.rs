//! One app: what is judged, and whose word counts for it.

use connectors::scim::{self, AppProfile, AppProfiles};
use domain::{Folded, SystemId};
use drift::{AppRules, Deprovision};
use engine::AppPlan;
use graph::KeyRules;

use super::SettingsError;
use super::document::Document;
use super::entra::EntraApi;
use super::file::{App, File, Idp, Keys};
use super::source::system_id;
use crate::nearest::{listed, nearest};

/// What the settings say of every app, by name.
///
/// # Errors
///
/// Returns the first value that cannot be used, or names a system that there is not.
pub(super) fn apps(
    document: &Document<'_>,
    file: &File,
    profiles: &AppProfiles,
) -> Result<Vec<AppPlan>, SettingsError> {
    let domain_aliases = domain_aliases(document, &file.keys)?;
    let person_keys = file.keys.person.iter().map(|it| it.meant()).collect();
    // What holds for every app; each adds what its own table says.
    let common = KeyRules { person_keys, domain_aliases, ..KeyRules::default() };
    file.app
        .iter()
        .map(|(name, app)| {
            let known = app.scim.as_ref().and_then(|it| profiles.get(&it.profile));
            app_settings(document, file, &common, (name, app), known.as_deref())
        })
        .collect()
}

/// What the profile of an app says of accounts that are switched off. It is said of SCIM, so it
/// holds where nothing else shows the app.
fn documented(app: &App, known: Option<&AppProfile>) -> Deprovision {
    let is_scim_alone = app.secureframe_api.is_none() && app.file.is_empty();
    match known.and_then(AppProfile::deprovision).filter(|_| is_scim_alone) {
        Some(scim::Deprovision::Lists) => Deprovision::Lists,
        Some(scim::Deprovision::Hides) => Deprovision::Hides,
        Some(scim::Deprovision::Deletes) => Deprovision::Deletes,
        Some(scim::Deprovision::NeverShown) | None => Deprovision::Unknown,
    }
}

fn app_settings(
    document: &Document<'_>,
    file: &File,
    common: &KeyRules,
    (name, app): (&str, &App),
    known: Option<&AppProfile>,
) -> Result<AppPlan, SettingsError> {
    let id = system_id(document, &["app", name], name)?;
    let bound = Bound { document, file, app: name };
    let idps = bound.idps("idps", &app.idps)?;
    for (index, idp) in app.idps.iter().enumerate() {
        refuse_google(document, name, app, (index, idp), file.idp.get(idp))?;
    }
    let documented = documented(app, known);
    let is_never_shown =
        known.and_then(AppProfile::deprovision) == Some(scim::Deprovision::NeverShown);
    let rules = AppRules {
        app: id,
        entitlement: app.entitlement.meant(),
        authority: app.authority.as_deref().map(|it| bound.authority(it)).transpose()?,
        deprovision: app.deprovision.map_or(documented, |it| it.meant()),
        is_on_vendors_word: app.deprovision.is_none()
            && (is_never_shown || documented != Deprovision::Unknown),
        required_channels: app.required_channels.iter().map(|it| it.meant()).collect(),
        privileged_roles: app
            .privileged_roles
            .clone()
            .unwrap_or_else(|| known.map_or_else(Vec::new, |it| it.privileged_roles().to_vec())),
        canaries: app.canaries.clone(),
        inactive_canaries: app.inactive_canaries.clone(),
        idps,
    };
    let mut external_id = Vec::new();
    for (idp, carries) in &app.external_id {
        external_id.push((bound.idp(&["external_id", idp], idp)?, carries.meant()));
    }
    let mut assigns_everyone = bound.idps("assigns_everyone", &app.assigns_everyone)?;
    assigns_everyone.extend(bound.for_all()?);
    Ok(AppPlan { rules, keys: KeyRules { external_id, assigns_everyone, ..common.clone() } })
}

/// Mail domains that are one, lower-cased as names of domains compare.
fn domain_aliases(
    document: &Document<'_>,
    keys: &Keys,
) -> Result<Vec<(String, String)>, SettingsError> {
    let folded =
        |it: &String| Folded::new(it).map_or_else(String::new, |it| it.as_str().to_owned());
    let aliases: Vec<(String, String)> = keys
        .domain_aliases
        .iter()
        .map(|(alias, canonical)| (folded(alias), folded(canonical)))
        .collect();
    for (written, (alias, canonical)) in keys.domain_aliases.keys().zip(&aliases) {
        let path = ["keys", "domain_aliases", written.as_str()];
        if alias.contains('@') || canonical.contains('@') {
            return Err(document.wrong(&path, "has an `@` in it: write the domain alone"));
        }
        if aliases.iter().any(|(other, _)| other == canonical) {
            let what = "stands for a domain that is an alias itself: name the last one";
            return Err(document.wrong(&path, what));
        }
    }
    Ok(aliases)
}

/// Names of other systems in one app's table.
struct Bound<'a> {
    document: &'a Document<'a>,
    file: &'a File,
    app: &'a str,
}

impl Bound<'_> {
    fn idps(&self, key: &str, names: &[String]) -> Result<Vec<SystemId>, SettingsError> {
        let mut ids: Vec<SystemId> = Vec::new();
        for (index, name) in names.iter().enumerate() {
            let at = index.to_string();
            let id = self.idp(&[key, &at], name)?;
            if ids.contains(&id) {
                return Err(self.wrong(&[key, &at], "is named twice: take one out"));
            }
            ids.push(id);
        }
        Ok(ids)
    }

    /// Identity providers whose own table says that everybody is in scope.
    fn for_all(&self) -> Result<Vec<SystemId>, SettingsError> {
        let app = self.file.app.get(self.app);
        let bound = |name: &&String| app.is_some_and(|it| it.idps.contains(name));
        let is_for_all = |it: &&Idp| it.entra.as_ref().is_some_and(EntraApi::is_for_all);
        let idps = self.file.idp.iter().filter(|(name, idp)| bound(name) && is_for_all(idp));
        idps.map(|(name, _)| system_id(self.document, &["idp", name], name)).collect()
    }

    fn idp(&self, at: &[&str], name: &str) -> Result<SystemId, SettingsError> {
        let known: Vec<&str> = self.file.idp.keys().map(String::as_str).collect();
        self.known(at, name, &known, "an identity provider", "idp")
    }

    fn authority(&self, name: &str) -> Result<SystemId, SettingsError> {
        let hr = self.file.hr.keys();
        let known: Vec<&str> = self.file.idp.keys().chain(hr).map(String::as_str).collect();
        self.known(&["authority"], name, &known, "an identity provider or HR system", "hr")
    }

    fn known(
        &self,
        at: &[&str],
        name: &str,
        known: &[&str],
        what: &str,
        section: &str,
    ) -> Result<SystemId, SettingsError> {
        if known.contains(&name) {
            return self.parse(at, name);
        }
        let guess = nearest(name, known.iter().copied())
            .map_or_else(String::new, |word| format!("; did you mean `{word}`?"));
        let there = if known.is_empty() {
            String::new()
        } else {
            format!("; there is {}", listed(known.iter().copied()))
        };
        let what = format!(
            "names `{name}`, which is not {what} of this file{guess}{there}; or add `[{section}.{name}]`"
        );
        Err(self.wrong(at, what))
    }

    fn parse(&self, at: &[&str], name: &str) -> Result<SystemId, SettingsError> {
        SystemId::parse(name).map_err(|error| self.wrong(at, format!("cannot be used: {error}")))
    }

    fn wrong(&self, at: &[&str], what: impl std::fmt::Display) -> SettingsError {
        let path: Vec<&str> = ["app", self.app].into_iter().chain(at.iter().copied()).collect();
        self.document.wrong(&path, what)
    }
}

/// Refuses Google Workspace as an identity provider that provisions Secureframe.
///
/// Source: Secureframe's SCIM guide lists Okta, Microsoft Entra ID and OneLogin.
fn refuse_google(
    document: &Document<'_>,
    name: &str,
    app: &App,
    (index, idp): (usize, &str),
    settings: Option<&Idp>,
) -> Result<(), SettingsError> {
    let is_secureframe = name.contains("secureframe")
        || profiles(&app.file).any(|profile| profile.contains("secureframe"));
    let is_google =
        is_google(idp) || settings.is_some_and(|settings| profiles(&settings.file).any(is_google));
    if !is_secureframe || !is_google || settings.is_some_and(|settings| !settings.scim) {
        return Ok(());
    }
    let index = index.to_string();
    let what = format!(
        "names Google Workspace, which Secureframe does not list as an identity provider for \
         SCIM: say `scim = false` in `[idp.{idp}]` and give its user export as a file with a \
         generic profile, so that accounts without an owner are still found"
    );
    Err(document.wrong(&["app", name, "idps", &index], what))
}

fn profiles(files: &[super::file::SourceFile]) -> impl Iterator<Item = &str> {
    files.iter().filter_map(|file| file.profile.as_deref())
}

fn is_google(name: &str) -> bool {
    name.contains("google") || name.contains("gsuite") || name == "gws"
}
