//! What it means that an account is gone from the list. Pure: from what was seen, and from what
//! is known of the app.

use domain::Coverage;

use super::app::AppProfile;
use super::canary::InactiveShown;
use super::filter::Lookup;
use crate::live::Answer;

/// How well one pull saw the app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    /// How much of the list was seen.
    pub coverage: Coverage,
    /// Whether it shows inactive users, as an inactive canary showed today.
    pub inactive: InactiveShown,
}

/// How an account that is not in the list was asked for.
#[derive(Clone, Copy, Debug)]
pub enum Asked<'a> {
    /// By the id that was remembered.
    ById(&'a Answer),
    /// No id is known: by `userName` and by `externalId`, which must both bring nothing.
    ByName {
        /// What `userName eq` brought.
        user_name: &'a Lookup,
        /// What `externalId eq` brought.
        external_id: &'a Lookup,
    },
}

/// What an account that is not in the list is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Absence {
    /// Not there (any more): the app deletes what is deactivated.
    Proven,
    /// Inactive, by what is known of the app: it hides inactive users, which an inactive canary
    /// showed today.
    HidesInactive,
    /// Cannot be said.
    NotProven {
        /// Why, and what would settle it.
        why: String,
    },
}

/// Judges an account that the list does not have.
#[must_use]
pub fn absence(app: &AppProfile, sight: &Sight, asked: Asked<'_>) -> Absence {
    let not_proven = |why: String| Absence::NotProven { why };
    if let Coverage::Partial { reason } = &sight.coverage {
        return not_proven(format!("the list is not complete: {reason}"));
    }
    if let Err(why) = is_gone(asked) {
        return not_proven(why);
    }
    if app.delete_on_deactivate().is_known() {
        return Absence::Proven;
    }
    match (app.inactive_hidden().is_known(), sight.inactive) {
        (true, InactiveShown::Hidden) => Absence::HidesInactive,
        (true, InactiveShown::Listed) => not_proven(
            "the app is said to hide inactive users, and the inactive canary is in the list: correct `inactive_hidden`".to_owned(),
        ),
        (true, InactiveShown::Unknown) => not_proven(
            "the app is said to hide inactive users, and no inactive canary showed it today: configure one by its id".to_owned(),
        ),
        (false, _) => not_proven(
            "it is not known whether the app deletes or hides deactivated users: deactivate a test user, look, and set `delete_on_deactivate` or `inactive_hidden`".to_owned(),
        ),
    }
}

/// Whether the account cannot be found otherwise either.
fn is_gone(asked: Asked<'_>) -> Result<(), String> {
    match asked {
        Asked::ById(Answer::Gone) => Ok(()),
        Asked::ById(Answer::Found { .. }) => Err("by its id it is still there".to_owned()),
        Asked::ById(Answer::Unknown { why }) => Err(format!("asked by its id: {why}")),
        Asked::ByName { user_name, external_id } => {
            for (name, lookup) in [("userName", user_name), ("externalId", external_id)] {
                match lookup {
                    Lookup::Nothing => {}
                    Lookup::Found(_) => return Err(format!("by its `{name}` it is still there")),
                    Lookup::Unknown { why } => return Err(format!("asked by `{name}`: {why}")),
                }
            }
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::Proof;

    use super::*;
    use crate::scim::AppProfiles;

    fn judged(app: &str, inactive: InactiveShown, answer: &Answer) -> String {
        let toml = format!("name = \"x\"\ntitle = \"X\"\n{app}");
        let app = AppProfiles::builtin().unwrap().with_profile(&toml).unwrap().get("x").unwrap();
        let sight = Sight { coverage: Coverage::Complete(Proof::StatedTotal), inactive };
        shown(absence(&app, &sight, Asked::ById(answer)))
    }

    fn shown(absence: Absence) -> String {
        match absence {
            Absence::Proven => "proven".to_owned(),
            Absence::HidesInactive => "hides inactive".to_owned(),
            Absence::NotProven { why } => why,
        }
    }

    #[test]
    fn absence_needs_the_habit_of_the_app_to_be_known() {
        use InactiveShown::{Hidden, Listed, Unknown};
        let (deletes, hides) =
            ("delete_on_deactivate = \"observed\"", "inactive_hidden = \"documented\"");
        for (app, inactive, wanted) in [
            (deletes, Unknown, "proven"),
            (hides, Hidden, "hides inactive"),
            (hides, Unknown, "the app is said to hide inactive users, and no inactive canary"),
            (
                hides,
                Listed,
                "the app is said to hide inactive users, and the inactive canary is in",
            ),
            ("", Hidden, "it is not known whether"),
            ("", Listed, "it is not known whether"),
            ("inactive_hidden = \"no\"", Listed, "it is not known whether"),
        ] {
            let judged = judged(app, inactive, &Answer::Gone);
            assert!(judged.starts_with(wanted), "{app} {inactive:?}: {judged}");
        }
    }

    #[test]
    fn a_partial_list_or_an_answer_by_id_proves_nothing() {
        let deletes = "delete_on_deactivate = \"observed\"";
        let unknown = Answer::Unknown { why: "HTTP 500".to_owned() };
        assert_eq!(judged(deletes, InactiveShown::Unknown, &unknown), "asked by its id: HTTP 500");
        let app = AppProfiles::builtin().unwrap().get("generic-scim").unwrap();
        let coverage = Coverage::Partial { reason: "page 2 is HTML".to_owned() };
        let sight = Sight { coverage, inactive: InactiveShown::Unknown };
        assert_eq!(
            shown(absence(&app, &sight, Asked::ById(&Answer::Gone))),
            "the list is not complete: page 2 is HTML"
        );
    }

    #[test]
    fn without_an_id_both_names_must_bring_nothing() {
        let toml = "name = \"x\"\ntitle = \"X\"\ndelete_on_deactivate = \"documented\"";
        let app = AppProfiles::builtin().unwrap().with_profile(toml).unwrap().get("x").unwrap();
        let coverage = Coverage::Complete(Proof::StatedTotal);
        let sight = Sight { coverage, inactive: InactiveShown::Unknown };
        let judged = |user_name: &Lookup, external_id: &Lookup| {
            shown(absence(&app, &sight, Asked::ByName { user_name, external_id }))
        };
        let lies = Lookup::Unknown { why: "filters are ignored".to_owned() };
        assert_eq!(judged(&Lookup::Nothing, &Lookup::Nothing), "proven");
        assert_eq!(judged(&lies, &Lookup::Nothing), "asked by `userName`: filters are ignored");
        assert_eq!(
            judged(&Lookup::Nothing, &Lookup::Found("7".into())),
            "by its `externalId` it is still there"
        );
    }
}
