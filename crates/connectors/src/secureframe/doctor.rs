//! Looks at what a pull of Secureframe rests on, and says what to do next. Never writes.

use super::pull::{Owner, owner};
use super::refusal::{Asked, VENDOR, words};
use super::{Secureframe, paths};
use crate::app_checks::{active_canaries, pulled_list};
use crate::checks::{Answered, clocks, failed, fine, refused, skipped, unanswered};
use crate::live::{Check, CheckResult};
use crate::walk::Dialect as _;

const CREDENTIAL: &str = "the API key is accepted";
const OWNER: &str = "the key's owner is seen";

impl Secureframe {
    /// Looks at the key, the list, the key's owner and the clock. One request more than a pull.
    pub async fn doctor(&self) -> Vec<Check> {
        let first = self.reader.new_pull().get(&paths::anybody()).await;
        let mut checks = vec![credential(&first)];
        if checks.iter().any(|it| it.result == CheckResult::Failed) {
            // Nothing else can be looked at.
            return checks;
        }
        let pulled = self.pull().await;
        checks.extend(pulled_list(&pulled));
        let rows = pulled.snapshots.first().map(|it| &it.rows);
        let list = rows.map(|it| match it {
            domain::Rows::Accounts(accounts) => accounts.to_vec(),
            _ => Vec::new(),
        });
        checks.push(match rows.map(|it| owner(it, &self.config.owner)) {
            Some(owner) => of_owner(owner),
            None => skipped(OWNER, "There is no list to look into.", "Mend the list first."),
        });
        checks.extend(active_canaries(&self.config.canaries, list.as_deref()));
        checks.push(skipped(
            "the key cannot write",
            "This cannot be told: a key may do what its owner may. Driftline sends nothing but GET.",
            "Give the owner a role of its own that reads Personnel and nothing else.",
        ));
        checks.push(clocks("our clock agrees with Secureframe's", "Secureframe's", &first));
        checks
    }
}

fn credential(first: &Answered) -> Check {
    match first {
        Ok(answer) if answer.is_success() => fine(CREDENTIAL, format!("{VENDOR} takes it.")),
        Ok(answer) => refused(CREDENTIAL, answer.status, words(answer.status, ANYBODY)),
        Err(error) => unanswered(CREDENTIAL, error),
    }
}

const ANYBODY: Asked = Asked::People(super::refusal::Order::AsItIs);

fn of_owner(owner: Owner) -> Check {
    match (owner.doubt(), owner) {
        (Some(why), _) => failed(
            OWNER,
            format!("In {} {why}.", ANYBODY.shown()),
            "Name in `owner` whoever the key belongs to, and look at that person in Secureframe: a key sees what its owner sees.",
        ),
        (None, Owner::Seen(Some(roles))) => {
            fine(OWNER, format!("They are active, with the role `{}`.", roles.join("`, `")))
        }
        (None, _) => fine(OWNER, "They are active; the list shows no roles.".to_owned()),
    }
}
