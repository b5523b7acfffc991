//! Whether OneLogin keeps the app in step: the app itself, and how provisioning of one user does.
//!
//! Source: OneLogin API 2, Get App and Get User Apps. Where OneLogin does not provision the app,
//! everybody who loses it keeps the account; where an admin must approve, everybody whose turn has
//! not come: the root of many findings at once. What is set for who loses the app (Delete, Suspend,
//! Do Nothing) is not in the API.

use domain::{Cause, Grant, Interval, Reach, Text, Watcher, Whom};
use serde::Deserialize;

use crate::crosscheck::shown as some_of;
use crate::live::Trouble;

/// The app, as OneLogin describes it.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) struct App {
    id: Option<u64>,
    name: Option<String>,
    provisioning: Option<Provisioning>,
    /// Roles that give it.
    role_ids: Option<Vec<u64>>,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
struct Provisioning {
    enabled: Option<bool>,
}

impl App {
    /// Reads the answer. `None`: it is not that of this app.
    pub(super) fn read(body: &[u8], app_id: &str) -> Option<Self> {
        let app: Self = serde_json::from_slice(body).ok()?;
        (app.id?.to_string() == app_id).then_some(app)
    }

    /// Whether OneLogin provisions it; `None`: it does not say.
    pub(super) fn is_provisioned(&self) -> Option<bool> {
        self.provisioning.as_ref()?.enabled
    }

    /// Roles that give it; empty: none, or it does not say.
    pub(super) fn roles(&self) -> &[u64] {
        self.role_ids.as_deref().unwrap_or_default()
    }
}

/// What is wrong with provisioning to the app. `None`: nothing, or nothing that was seen.
pub(super) fn of_app(app: &App, app_id: &str) -> Option<Trouble> {
    (app.is_provisioned() == Some(false)).then(|| {
        let text = format!(
            "Provisioning to the app {} is off: OneLogin will never deactivate anybody there. Enable it in the app, under Provisioning, or remove accounts by hand.",
            shown(app, app_id)
        );
        let causes = vec![Cause::LeaverActive, Cause::UnassignedActive, Cause::NotProvisioned];
        let whom = Whom::EverybodySince(Interval { earliest: None, latest: None });
        let reach = vec![Reach { name: "provisioning_off".to_owned(), causes, whom }];
        Trouble { kind: Watcher::ProvisioningUnhealthy, text, reach }
    })
}

/// How the app is called.
pub(super) fn shown(app: &App, app_id: &str) -> String {
    match app.name.as_deref() {
        Some(name) => format!("`{name}` ({app_id})"),
        None => app_id.to_owned(),
    }
}

/// That provisioning of some users does not go on. `None`: it does. `stuck`: who, with how it does.
pub(super) fn of_stuck(stuck: &[(Text, Push)]) -> Option<Trouble> {
    let of = |is: fn(&Push) -> bool| -> Vec<&Text> {
        stuck.iter().filter(|it| is(&it.1)).map(|it| &it.0).collect()
    };
    let waiting = of(|it| matches!(it, Push::Waits(_)));
    let failed = of(|it| matches!(it, Push::Failed(_)));
    let mut texts = Vec::new();
    if !waiting.is_empty() {
        texts.push(format!(
            "What OneLogin would do in the app waits for an admin's approval, for {} of the users who were asked about ({}). Approve it in OneLogin, under Users, Provisioning.",
            waiting.len(),
            some_of(&waiting)
        ));
    }
    if !failed.is_empty() {
        texts.push(format!(
            "What OneLogin would do in the app failed, for {} of the users who were asked about ({}). Look at them in OneLogin, under Users, Provisioning.",
            failed.len(),
            some_of(&failed)
        ));
    }
    if texts.is_empty() {
        return None;
    }
    let off = vec![Cause::LeaverActive, Cause::UnassignedActive, Cause::SuspendedActive];
    let reach = [(Way::Off, off), (Way::On, vec![Cause::NotProvisioned])];
    let reach = reach.into_iter().filter_map(|(way, causes)| {
        let is_it = |it: &&(Text, Push)| it.1.way() == Some(way);
        let users: Vec<Text> = stuck.iter().filter(is_it).map(|it| it.0.clone()).collect();
        let name = "push_stuck".to_owned();
        (!users.is_empty()).then_some(Reach { name, causes, whom: Whom::Users(users) })
    });
    Some(Trouble {
        kind: Watcher::ProvisioningUnhealthy,
        text: texts.join(" "),
        reach: reach.collect(),
    })
}

/// How provisioning of one user does, as far as somebody should know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Push {
    /// It waits for an admin.
    Waits(Way),
    /// It failed.
    Failed(Way),
    /// Neither.
    GoesOn,
}

impl Push {
    /// Where to; `None`: it is not stuck.
    const fn way(self) -> Option<Way> {
        match self {
            Self::Waits(way) | Self::Failed(way) => Some(way),
            Self::GoesOn => None,
        }
    }
}

/// What a push would do to the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Switch it off, or delete it.
    Off,
    /// Make it, or switch it on.
    On,
    /// Something else.
    Aside,
}

impl Way {
    /// Of a word of OneLogin.
    fn of(word: &str) -> Self {
        let begins = |with: &[&str]| with.iter().any(|it| word.starts_with(it));
        match () {
            () if begins(&["disabling", "deleting"]) || word.ends_with("then_disabled") => {
                Self::Off
            }
            () if begins(&["enabling", "provisioning"]) => Self::On,
            () => Self::Aside,
        }
    }
}

/// One app of one user.
#[derive(Debug, Deserialize)]
pub(super) struct UserApp {
    id: Option<u64>,
    provisioning_status: Option<String>,
    provisioning_state: Option<String>,
}

impl UserApp {
    /// Whether it is this one.
    pub(super) fn is(&self, app_id: &str) -> bool {
        self.id.is_some_and(|it| it.to_string() == app_id)
    }

    /// What of it OneLogin is taking away, or has taken: whether the user still may use the app is
    /// not said then.
    pub(super) fn grant(&self) -> Grant {
        let is_going = |it: &str| {
            ["disabling", "deleting"].iter().any(|begin| it.starts_with(begin)) || it == "deleted"
        };
        if self.words().any(is_going) { Grant::Undecided } else { Grant::Grants }
    }

    /// OneLogin's own words: `enabled, provisioned`; `None`: it has none.
    pub(super) fn raw(&self) -> Option<String> {
        let words: Vec<&str> = self.words().collect();
        (!words.is_empty()).then(|| words.join(", "))
    }

    pub(super) fn push(&self) -> Push {
        // Also as OneLogin's own document spells it.
        let waits =
            |it: &str| it.contains("_pending_approval") || it.contains("_pendding_approval");
        let failed = |it: &str| it.ends_with("_failed");
        let first = |is: &dyn Fn(&str) -> bool| self.words().find(|it| is(it)).map(Way::of);
        let waiting = first(&waits).map(Push::Waits);
        waiting.or_else(|| first(&failed).map(Push::Failed)).unwrap_or(Push::GoesOn)
    }

    fn words(&self) -> impl Iterator<Item = &str> {
        [&self.provisioning_status, &self.provisioning_state]
            .into_iter()
            .filter_map(|it| it.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_is_the_one_that_was_asked_for_and_says_whether_it_is_provisioned() {
        let body = |enabled: &str| {
            format!(r#"{{"id":3001,"name":"Secureframe","provisioning":{enabled},"role_ids":[1]}}"#)
        };
        let read = |body: &str| App::read(body.as_bytes(), "3001");
        let off = read(&body(r#"{"enabled":false}"#)).unwrap();
        let told = of_app(&off, "3001").unwrap();
        assert!(told.text.contains("`Secureframe` (3001) is off"), "{}", told.text);
        for said in [r#"{"enabled":true}"#, r#"{"enabled":null}"#, "{}", "null"] {
            assert_eq!(of_app(&read(&body(said)).unwrap(), "3001"), None, "{said}");
        }
        for body in ["", "{}", "[]", "<html>", r#"{"id":3002}"#, r#"{"id":null}"#] {
            assert_eq!(read(body), None, "{body}");
        }
    }

    #[test]
    fn what_waits_for_an_admin_is_told_and_what_is_going_is_not_decided() {
        for (status, state, push, grant) in [
            ("enabled", "provisioned", Push::GoesOn, Grant::Grants),
            ("enabled", "unknown", Push::GoesOn, Grant::Grants),
            ("disabled", "disabled", Push::GoesOn, Grant::Grants),
            ("enabling_pending_approval", "unknown", Push::Waits(Way::On), Grant::Grants),
            ("disabling_pendding_approval", "unknown", Push::Waits(Way::Off), Grant::Undecided),
            ("enabled", "deleting_pending_approval", Push::Waits(Way::Off), Grant::Undecided),
            ("disabling_failed", "deleting_failed", Push::Failed(Way::Off), Grant::Undecided),
            ("enabled", "modifying_failed", Push::Failed(Way::Aside), Grant::Grants),
            ("enabled", "deleted", Push::GoesOn, Grant::Undecided),
        ] {
            let app = UserApp {
                id: Some(3001),
                provisioning_status: Some(status.to_owned()),
                provisioning_state: Some(state.to_owned()),
            };
            assert_eq!((app.push(), app.grant()), (push, grant), "{status}, {state}");
            assert_eq!(app.raw(), Some(format!("{status}, {state}")));
        }
        let silent: UserApp = serde_json::from_str(r#"{"id":3001}"#).unwrap();
        assert_eq!((silent.push(), silent.grant()), (Push::GoesOn, Grant::Grants));
        assert_eq!(silent.raw(), None);
    }

    #[test]
    fn users_that_are_stuck_are_counted_by_why() {
        let stuck: Vec<(Text, Push)> = [
            ("1", Push::Waits(Way::Off)),
            ("2", Push::Failed(Way::On)),
            ("3", Push::Waits(Way::Aside)),
        ]
        .map(|(id, push)| (id.into(), push))
        .into();
        let told = of_stuck(&stuck).unwrap();
        assert_eq!(told.kind, Watcher::ProvisioningUnhealthy);
        assert!(
            told.text.contains("approval, for 2 of the users who were asked about (1, 3)"),
            "{}",
            told.text
        );
        assert!(
            told.text.contains("failed, for 1 of the users who were asked about (2)"),
            "{}",
            told.text
        );
        let touched: Vec<(Cause, Whom)> =
            told.reach.into_iter().map(|it| (it.causes[0], it.whom)).collect();
        let one = |id: &str| Whom::Users(vec![id.into()]);
        assert_eq!(touched, [(Cause::LeaverActive, one("1")), (Cause::NotProvisioned, one("2"))]);
        assert_eq!(of_stuck(&[("1".into(), Push::GoesOn)]), None);
    }
}
