//! The app's own view of its accounts, beside the one over SCIM: a record of each, with an id of its
//! own, found by its address. The two say the same, but where somebody set one in the console.

use std::sync::Arc;

use connectors::files::Profiles;
use connectors::secureframe::{self, Secureframe};
use domain::SystemId;
use engine::Source;
use fastrand::Rng;
use outbound::{Auth, Pace, Secret};

use super::company::{CANARY_ON, Company, address_of};
use super::installation::client;
use crate::personnel::{Record, Shape};
use crate::world::{Account, Active, World};
use crate::{Endpoint, SimClock};

/// Where something may go wrong.
pub(super) const PLACES: &[Endpoint] =
    &[Endpoint::Secureframe, Endpoint::SecureframeUsers, Endpoint::SecureframeUser];

/// What stands before the id of an account in that of its record.
const RECORD: &str = "rec-";
/// What is said to have set a record by hand.
const BY_HAND: &str = "manual";

/// The account that a key of either view is of.
pub(super) fn account_of(key: &str) -> &str {
    key.strip_prefix(RECORD).unwrap_or(key)
}

/// Is it the key of a record?
pub(super) fn is_record(key: &str) -> bool {
    key.starts_with(RECORD)
}

/// The record of an account; `None`: the app has no such view.
pub(super) fn record<'w>(world: &'w World, account: &str) -> Option<&'w Record> {
    world.personnel.people.iter().find(|it| account_of(&it.id) == account)
}

/// Can the account be used, by either view?
pub(super) fn is_on(world: &World, account: &Account) -> bool {
    !account.is_off() || is_on_here(world, account) == Some(true)
}

/// Is it on by this view? `None`: there is no such view.
pub(super) fn is_on_here(world: &World, account: &Account) -> Option<bool> {
    record(world, &account.id).map(|it| it.active == Active::Set(true))
}

/// How its API behaves, by chance.
pub(super) fn habits(world: &mut World, rng: &mut Rng) {
    let habits = &mut world.personnel.habits;
    habits.shape = [Shape::Total, Shape::NoTotal, Shape::Bare]
        .get(rng.usize(0..3))
        .copied()
        .unwrap_or(Shape::Total);
    habits.refuses_sort = rng.u32(0..4) == 0;
    habits.page_max = [10, 25, 100].get(rng.usize(0..3)).copied().unwrap_or(100);
    habits.refuses_past_end = rng.bool();
    // Without a total, nobody could tell such a list from one that goes on; nor where it fills one
    // page of the size that is asked for, and the total may be that of the page.
    let repeats = habits.shape == Shape::Total && rng.u32(0..4) == 0;
    habits.repeats_past_end = repeats && habits.page_max < 100;
}

/// Writes down what it shows of the accounts.
pub(super) fn show(world: &mut World) {
    let before = std::mem::take(&mut world.personnel.people);
    let shown = world.app.accounts.iter().map(|account| {
        let id = format!("{RECORD}{}", account.id);
        let by_hand = before.iter().find(|it| it.id == id && is_by_hand(it));
        let has_role = account.id == CANARY_ON || account.id.ends_with(['1', '4', '7']);
        Record {
            id,
            email: account.email.clone(),
            active: by_hand.map_or(Active::Set(!account.is_off()), |it| it.active.clone()),
            active_source: Some(by_hand.map_or("scim", |_| BY_HAND).to_owned()),
            access_role: has_role.then(|| "Admin".to_owned()),
            status: Some(if account.is_off() { "offboarded" } else { "active" }.to_owned()),
            invited: true,
            ends_at: None,
            created_at: account.created_at,
            updated_at: account.modified_at,
        }
    });
    world.personnel.people = shown.collect();
}

fn is_by_hand(record: &Record) -> bool {
    record.active_source.as_deref() == Some(BY_HAND)
}

/// The connector that reads it.
///
/// # Errors
///
/// Returns an error when a client cannot be set up.
pub(super) fn source(
    app: SystemId,
    (url, pair): (&str, &str),
    profiles: &Profiles,
    clock: &Arc<SimClock>,
) -> anyhow::Result<Source> {
    let config = secureframe::Config {
        system: app,
        owner: address_of(CANARY_ON).as_str().into(),
        canaries: Vec::new(),
    };
    let auth = Auth::Header(Secret::new(pair.to_owned()));
    // Its minutes are those of a clock on the wall, and nights pass faster here.
    let client = client(clock, url, auth, Pace::RetryAfter, "application/json")?;
    Ok(Source::Secureframe(Secureframe::new(config, client.reader(), profiles)?))
}

impl Company {
    /// Somebody sets an account in the console, against what SCIM says.
    pub(super) fn set_in_console(&mut self) -> Option<String> {
        let account = self.account(|_, _| true)?;
        let mut world = self.sim.world();
        let record = world.personnel.people.iter_mut().find(|it| account_of(&it.id) == account)?;
        let is_on = record.active == Active::Set(true);
        record.active = Active::Set(!is_on);
        record.active_source = Some(BY_HAND.to_owned());
        Some(format!("{account} is set in the console, on: {}", !is_on))
    }

    /// What was set in the console is taken back.
    pub(super) fn console_is_set_back(&mut self) -> Option<String> {
        let mut world = self.sim.world();
        let by_hand: Vec<_> =
            world.personnel.people.iter_mut().filter(|it| is_by_hand(it)).collect();
        let record = self.rng.choice(by_hand)?;
        record.active_source = None;
        Some(format!("{} is what SCIM says again", account_of(&record.id)))
    }

    /// All that was set in the console is taken back; whose records those are.
    pub(super) fn console_is_set_right(&mut self) -> Vec<String> {
        let mut world = self.sim.world();
        let by_hand = world.personnel.people.iter_mut().filter(|it| is_by_hand(it));
        let set_back = by_hand.map(|it| {
            it.active_source = None;
            account_of(&it.id).to_owned()
        });
        set_back.collect()
    }
}
