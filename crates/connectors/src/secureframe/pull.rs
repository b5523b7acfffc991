//! One pull: everybody, and whether the owner of the key is among them.

use domain::{Account, Activity, Raw, Rows, Table, Watcher};
use rustc_hash::FxHashSet;

use super::refusal::{Asked, Order};
use super::{Secureframe, paths};
use crate::gather::Gather;
use crate::live::{LiveError, LivePull, Trouble, clock_trouble};
use crate::walk::{End, Plan, Walked};

/// Readings of a list that states no total, until two show the same people.
const READINGS_MAX: usize = 3;

/// What the list says of the owner of the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// There is no such person in it.
    Missing,
    /// They are not active.
    NotActive,
    /// They have no console role, so the key can have none either.
    NoRole,
    /// They are active. `None`: the list does not show roles.
    Seen(Option<Vec<Raw>>),
}

impl Secureframe {
    /// Reads everybody. What could not be read is in [`LivePull::failures`], never in a snapshot.
    pub async fn pull(&self) -> LivePull {
        let mut gather = Gather::new(self.reader.new_pull());
        let mut walked = self.walk(&mut gather).await;
        let mut reasons = Vec::new();
        if let Some(walked) = &mut walked {
            let owner = owner(&walked.list.rows, &self.config.owner);
            walked.list.notes.extend(owner.note());
            // A list that was not read to its end says so already.
            if let (Some(why), true) = (owner.doubt(), walked.is_whole()) {
                gather.brought.troubles.push(Trouble::new(Watcher::CanaryMissing, format!(
                        "In the list `{}` {why}. Look at that person in Secureframe, and name in `owner` whoever the key belongs to.",
                        self.stream()
                    )));
                reasons.push(format!("{why}, and a key sees what its owner sees"));
            }
            reasons.extend(nameless(walked));
        }
        gather.add(self.stream(), walked, &self.personnel, reasons);
        let mut brought = gather.brought;
        brought.troubles.extend(clock_trouble(&gather.reader));
        brought
    }

    /// Walks by id; as it is, where Secureframe takes no `sort`. A list that states no total is read
    /// until two readings show the same people.
    async fn walk(&self, gather: &mut Gather) -> Option<Walked> {
        let mut order = Order::ById;
        let mut walked = self.once(gather, order).await?;
        if is_sort_refused(&walked) {
            gather.brought.requests.append(&mut walked.requests);
            order = Order::AsItIs;
            walked = self.once(gather, order).await?;
        }
        for _ in 1..READINGS_MAX {
            if !is_unsettled(&walked) {
                return Some(walked);
            }
            let Some(again) = self.once(gather, order).await.filter(Walked::is_whole) else {
                break;
            };
            let is_same = ids(&again.list.rows) == ids(&walked.list.rows);
            gather.brought.requests.append(&mut walked.requests);
            walked = again;
            if is_same {
                let note = "it states no total: two readings showed the same people";
                walked.list.notes.push(note.to_owned());
                return Some(walked);
            }
        }
        if is_unsettled(&walked) {
            let why = "it states no total, and no two readings showed the same people";
            walked.end = End::Changed(why.to_owned());
        }
        Some(walked)
    }

    async fn once(&self, gather: &mut Gather, order: Order) -> Option<Walked> {
        let asked = Asked::People(order);
        let path = paths::people(order, 1);
        let plan = Plan {
            system: &self.config.system,
            profile: &self.personnel,
            path: &path,
            dialect: &asked,
            skips_identities: false,
            group: None,
        };
        let mut walked = gather.walk(plan).await?;
        if order == Order::AsItIs {
            walked.list.notes.push("Secureframe takes no `sort`: it was read as it is".to_owned());
        }
        Some(walked)
    }
}

/// `sort` came later than the API, which has one version for both.
fn is_sort_refused(walked: &Walked) -> bool {
    walked.list.rows.is_empty()
        && matches!(walked.end, End::Broken(LiveError::Refused { status: 400, .. }))
}

/// Whoever is taken away while pages are read moves those behind up, past the next page. Without a
/// total nothing shows that, unless there was one page that is not full.
fn is_unsettled(walked: &Walked) -> bool {
    let n_pages = walked.requests.iter().filter(|it| it.n_rows > 0).count();
    let is_one_short_page = n_pages < 2 && walked.list.rows.len() < paths::PAGE_ROWS as usize;
    walked.is_whole() && walked.proof == domain::Proof::ReadToEnd && !is_one_short_page
}

fn ids(rows: &Rows) -> FxHashSet<&str> {
    accounts(rows).map(|it| it.id).collect()
}

fn accounts(rows: &Rows) -> impl Iterator<Item = Account<&str, &str>> {
    let accounts = if let Rows::Accounts(accounts) = rows { Some(accounts) } else { None };
    accounts.into_iter().flat_map(Table::iter_packed)
}

/// Why people of whom nothing tells who they are make the list partial: the address is the one key.
fn nameless(walked: &Walked) -> Option<String> {
    let silent = walked.list.n_silent;
    let n = accounts(&walked.list.rows).filter(|it| it.email.is_none()).count() as u64;
    (n + silent > 0).then(|| format!("people without an address: {}", n + silent))
}

/// Looks for the owner of the key.
pub(super) fn owner(rows: &Rows, address: &str) -> Owner {
    let Some(owner) = accounts(rows).find(|it| it.is_named(address)) else {
        return Owner::Missing;
    };
    match &owner.roles {
        _ if Activity::of(&owner) != Activity::Active => Owner::NotActive,
        Some(roles) if roles.is_empty() => Owner::NoRole,
        roles => {
            let own = |all: &Vec<&str>| all.iter().map(|it| Raw::from(*it)).collect();
            Owner::Seen(roles.as_ref().map(own))
        }
    }
}

impl Owner {
    /// Why the list need not be all; `None`: nothing speaks against it.
    pub(super) const fn doubt(&self) -> Option<&'static str> {
        match self {
            Self::Missing => Some("the owner of the API key is missing"),
            Self::NotActive => Some("the owner of the API key is not active"),
            Self::NoRole => Some("the owner of the API key has no role"),
            Self::Seen(_) => None,
        }
    }

    /// As whom the list was read, for the report. `None`: that is not shown.
    fn note(&self) -> Option<String> {
        let Self::Seen(Some(roles)) = self else { return None };
        Some(format!("read with a key whose owner has the role `{}`", roles.join("`, `")))
    }
}
