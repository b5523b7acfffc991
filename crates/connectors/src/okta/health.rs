//! Whether Okta keeps the app in step: the app itself, and what its provisioning is set to do.
//!
//! Source: Okta Admin Management API 2026.06.3, applications and their features. Where Okta does
//! not deactivate accounts, everybody who loses the app keeps the account: the root of many
//! findings at once.

use domain::{Cause, Interval, Reach, Watcher, Whom};
use serde::Deserialize;

use crate::live::Trouble;

/// The app, as Okta describes it.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) struct App {
    id: Option<String>,
    /// What people call it.
    label: Option<String>,
    /// `ACTIVE`, `INACTIVE` or `DELETED`; open, as all words of Okta.
    status: Option<String>,
}

impl App {
    /// Reads the answer. `None`: it is not that of this app.
    pub(super) fn read(body: &[u8], app_id: &str) -> Option<Self> {
        let app: Self = serde_json::from_slice(body).ok()?;
        (app.id.as_deref() == Some(app_id)).then_some(app)
    }
}

/// Whether Okta deactivates the accounts of those who lose the app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deactivation {
    /// It does.
    On,
    /// "Deactivate Users" is off.
    Off,
    /// Provisioning to the app is switched off as a whole.
    ProvisioningOff,
    /// Provisioning was never set up.
    NotSetUp,
    /// Okta does not say.
    NotStated,
}

/// Reads the features of an app. Every member may be null or missing.
///
/// # Errors
///
/// Returns the decoder's error when the body is no array of objects.
pub(super) fn deactivation(body: &[u8]) -> Result<Deactivation, serde_json::Error> {
    let features: Vec<Feature> = serde_json::from_slice(body)?;
    let Some(push) = features.iter().find(|it| it.name.as_deref() == Some("USER_PROVISIONING"))
    else {
        return Ok(Deactivation::NotStated);
    };
    if push.status.as_deref() == Some("DISABLED") {
        return Ok(Deactivation::ProvisioningOff);
    }
    let update = push.capabilities.as_ref().and_then(|it| it.update.as_ref());
    let toggle = update.and_then(|it| it.lifecycle_deactivate.as_ref());
    Ok(match toggle.and_then(|it| it.status.as_deref()) {
        Some("ENABLED") => Deactivation::On,
        Some("DISABLED") => Deactivation::Off,
        _ => Deactivation::NotStated,
    })
}

/// What is wrong with the app. `None`: nothing, or nothing that was seen.
pub(super) fn of_app(app: &App, app_id: &str) -> Option<Trouble> {
    let name = shown(app, app_id);
    let text = match app.status.as_deref() {
        Some("ACTIVE") | None => return None,
        Some("INACTIVE") => format!(
            "The app {name} is INACTIVE in Okta. Activate it, or take it out of the settings if it is no longer used."
        ),
        Some("DELETED") => {
            format!(
                "The app {name} is DELETED in Okta. Put the id of the app that took its place in `app_id`."
            )
        }
        Some(other) => {
            format!(
                "The app {name} has the status `{other}` in Okta, which Driftline does not know. Look at the app in Okta."
            )
        }
    };
    // Whether Okta goes on provisioning an app that is not active is not documented.
    Some(Trouble::new(Watcher::ProvisioningUnhealthy, text))
}

/// What is wrong with provisioning to the app. Okta never says since when it is so.
pub(super) fn of_deactivation(
    deactivation: Deactivation,
    app: &App,
    app_id: &str,
) -> Option<Trouble> {
    let name = shown(app, app_id);
    let (word, text) = match deactivation {
        Deactivation::On | Deactivation::NotStated => return None,
        Deactivation::Off => (
            "deactivate_users_off",
            format!(
                "\"Deactivate Users\" is off for the app {name}: Okta will never deactivate anybody there. Switch it on in the provisioning settings of the app, under To App."
            ),
        ),
        Deactivation::ProvisioningOff => (
            "provisioning_off",
            format!(
                "Provisioning to the app {name} is off: Okta will never deactivate anybody there. Switch it on, with \"Deactivate Users\", in the provisioning settings of the app, under To App."
            ),
        ),
        Deactivation::NotSetUp => (
            "provisioning_not_set_up",
            format!(
                "Provisioning is not set up for the app {name}: Okta will never deactivate anybody there. Set it up with \"Deactivate Users\" on, or remove accounts by hand."
            ),
        ),
    };
    // Nothing is sent of who is suspended, whatever is set.
    let mut causes = vec![Cause::LeaverActive, Cause::UnassignedActive];
    if deactivation != Deactivation::Off {
        causes.push(Cause::NotProvisioned);
    }
    let whom = Whom::EverybodySince(Interval { earliest: None, latest: None });
    let reach = vec![Reach { name: word.to_owned(), causes, whom }];
    Some(Trouble { kind: Watcher::ProvisioningUnhealthy, text, reach })
}

/// How the app is called.
pub(super) fn shown(app: &App, app_id: &str) -> String {
    match app.label.as_deref() {
        Some(label) => format!("`{label}` ({app_id})"),
        None => app_id.to_owned(),
    }
}

#[derive(Deserialize)]
struct Feature {
    name: Option<String>,
    status: Option<String>,
    capabilities: Option<Capabilities>,
}

#[derive(Deserialize)]
struct Capabilities {
    update: Option<Update>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Update {
    lifecycle_deactivate: Option<Toggle>,
}

#[derive(Deserialize)]
struct Toggle {
    status: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features(update: &str) -> String {
        format!(
            r#"[{{"name":"INBOUND_PROVISIONING","status":"ENABLED","capabilities":{{"importRules":{{}}}}}},
            {{"name":"USER_PROVISIONING","status":"ENABLED","capabilities":{{"create":null,"update":{update}}}}}]"#
        )
    }

    #[test]
    fn the_toggle_is_read_and_never_assumed() {
        let enabled = features(r#"{"lifecycleDeactivate":{"status":"ENABLED"}}"#);
        let off = enabled.replace(
            r#"_PROVISIONING","status":"ENABLED""#,
            r#"_PROVISIONING","status":"DISABLED""#,
        );
        for (body, expected) in [
            (enabled.as_str(), Deactivation::On),
            (&features(r#"{"lifecycleDeactivate":{"status":"DISABLED"}}"#), Deactivation::Off),
            (&features(r#"{"lifecycleDeactivate":{"status":"PAUSED"}}"#), Deactivation::NotStated),
            (&features(r#"{"lifecycleDeactivate":{"status":null}}"#), Deactivation::NotStated),
            (&features(r#"{"lifecycleDeactivate":null}"#), Deactivation::NotStated),
            (&features("{}"), Deactivation::NotStated),
            (&features("null"), Deactivation::NotStated),
            (r#"[{"name":null,"status":null,"capabilities":null}]"#, Deactivation::NotStated),
            ("[]", Deactivation::NotStated),
            (&off, Deactivation::ProvisioningOff),
        ] {
            assert_eq!(deactivation(body.as_bytes()).unwrap(), expected, "{body}");
        }
        for body in ["", "{}", "<html>", "[1]"] {
            assert!(deactivation(body.as_bytes()).is_err(), "{body}");
        }
    }

    #[test]
    fn unhealthy_provisioning_names_what_to_switch_on() {
        let app = App {
            label: Some("Secureframe".to_owned()),
            status: Some("ACTIVE".to_owned()),
            ..App::default()
        };
        assert_eq!(of_app(&app, "0oa1"), None);
        assert_eq!(of_deactivation(Deactivation::On, &app, "0oa1"), None);
        assert_eq!(of_deactivation(Deactivation::NotStated, &app, "0oa1"), None);
        let off = of_deactivation(Deactivation::Off, &app, "0oa1").unwrap();
        assert_eq!(off.kind, Watcher::ProvisioningUnhealthy);
        insta::assert_snapshot!(off.text, @r#""Deactivate Users" is off for the app `Secureframe` (0oa1): Okta will never deactivate anybody there. Switch it on in the provisioning settings of the app, under To App."#);
        for status in ["INACTIVE", "DELETED", "PAUSED"] {
            let app = App { status: Some(status.to_owned()), ..App::default() };
            let trouble = of_app(&app, "0oa1").unwrap();
            assert!(trouble.text.contains(status), "{}", trouble.text);
        }
    }

    #[test]
    fn an_app_is_the_one_that_was_asked_for() {
        let body =
            br#"{"id":"0oa1","label":null,"status":"ACTIVE","features":[],"accessibility":null}"#;
        let app =
            App { id: Some("0oa1".to_owned()), label: None, status: Some("ACTIVE".to_owned()) };
        assert_eq!(App::read(body, "0oa1"), Some(app));
        for body in [&b"{}"[..], b"[]", b"", b"<html>", br#"{"id":"0oa2"}"#, br#"{"id":null}"#] {
            assert_eq!(App::read(body, "0oa1"), None);
        }
    }
}
