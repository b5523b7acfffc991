//! Keys of identities, looked up by accounts. One entry for each key, whoever carries it.

use std::borrow::Cow;

use domain::{Folded, IdForm, Identity, IdentityKind, Text, is_placeholder};
use rustc_hash::FxHashMap;

use crate::estate::{Estate, Sighting};
use crate::keys::{ExternalIdCarries, KeyRules};
use crate::node::{Key, KeyKind};

/// A key that more identities than this carry is no key: a default of some form, a shared
/// mailbox of a team. Applies to employee numbers, where it would make one person of many.
pub(crate) const CARRIERS_MAX: usize = 3;

/// Who carries which key: one map for each kind of key.
#[derive(Debug, Default)]
pub(crate) struct Index<'a> {
    account_id: Carried<'a>,
    external_id: Carried<'a>,
    employee_number: Carried<'a>,
    user_name: Carried<'a>,
    email: Carried<'a>,
}

type Carried<'a> = FxHashMap<Cow<'a, str>, Carriers>;

/// Most keys have one carrier; they cost no allocation.
#[derive(Debug)]
enum Carriers {
    One(u32),
    Many(Vec<u32>),
}

impl<'a> Index<'a> {
    /// Room for that many identities.
    pub(crate) fn with_capacity(n_identities: usize) -> Self {
        let room = || Carried::with_capacity_and_hasher(n_identities, rustc_hash::FxBuildHasher);
        Self { external_id: room(), user_name: room(), email: room(), ..Self::default() }
    }

    pub(crate) fn insert(&mut self, key: Key<'a>, identity: u32) {
        let map = match key.kind {
            KeyKind::AccountId => &mut self.account_id,
            KeyKind::ExternalId => &mut self.external_id,
            KeyKind::EmployeeNumber => &mut self.employee_number,
            KeyKind::UserName => &mut self.user_name,
            KeyKind::Email => &mut self.email,
        };
        map.entry(key.value)
            .and_modify(|carriers| carriers.add(identity))
            .or_insert(Carriers::One(identity));
    }

    /// The carriers of a key, in order; empty when nobody carries it.
    pub(crate) fn carriers(&self, key: &Key<'_>) -> &[u32] {
        let map = match key.kind {
            KeyKind::AccountId => &self.account_id,
            KeyKind::ExternalId => &self.external_id,
            KeyKind::EmployeeNumber => &self.employee_number,
            KeyKind::UserName => &self.user_name,
            KeyKind::Email => &self.email,
        };
        match map.get(&*key.value) {
            None => &[],
            Some(Carriers::One(one)) => std::slice::from_ref(one),
            Some(Carriers::Many(many)) => many,
        }
    }
}

impl Carriers {
    fn add(&mut self, identity: u32) {
        match self {
            Self::One(one) if *one == identity => {}
            Self::One(one) => *self = Self::Many(vec![*one, identity]),
            Self::Many(many) => {
                if !many.contains(&identity) {
                    many.push(identity);
                }
            }
        }
    }
}

/// A user name in the form in which it is compared; `None` when there is none.
pub(crate) fn user_name_key(name: Option<&Text>) -> Option<Key<'_>> {
    let value = Folded::new(name?)?.into_inner();
    Some(Key { kind: KeyKind::UserName, value })
}

/// An address in the form in which it is compared; `None` when there is none.
pub(crate) fn email_key<'a>(rules: &KeyRules, address: Option<&'a Text>) -> Option<Key<'a>> {
    let folded = Folded::new(address?)?.into_inner();
    let value = match folded.rsplit_once('@') {
        Some((local, domain)) => match rules.domain_aliases.iter().find(|it| it.0 == domain) {
            Some((_, canonical)) => Cow::Owned(format!("{local}@{canonical}")),
            None => folded,
        },
        None => folded,
    };
    Some(Key { kind: KeyKind::Email, value })
}

/// An employee number; `None` when there is none or it is a placeholder.
pub(crate) fn employee_key(number: Option<&Text>) -> Option<Key<'_>> {
    let number = number?.trim();
    (!is_placeholder(number))
        .then_some(Key { kind: KeyKind::EmployeeNumber, value: Cow::Borrowed(number) })
}

/// An `externalId` in the form in which it is compared: exactly, but GUIDs in lower case, which
/// differ in nothing else (RFC 9562, 4).
pub(crate) fn external_id(value: &str) -> Key<'_> {
    let is_guid = IdForm::Entra.fits(value) && value.bytes().any(|it| it.is_ascii_uppercase());
    let value = if is_guid { value.to_lowercase().into() } else { Cow::Borrowed(value) };
    Key { kind: KeyKind::ExternalId, value }
}

/// What the app's `externalId` would carry for this identity; `None` when nothing that joins.
pub(crate) fn external_id_key<'a>(
    carries: ExternalIdCarries,
    identity: &'a Identity,
) -> Option<Key<'a>> {
    match carries {
        ExternalIdCarries::IdpId => Some(external_id(&identity.id)),
        ExternalIdCarries::MailNickname => {
            let name = identity.user_name.as_ref()?;
            Some(external_id(name.split_once('@').map_or(&**name, |(local, _)| local)))
        }
        ExternalIdCarries::EmployeeNumber => {
            let key = employee_key(identity.employee_number.as_ref())?;
            Some(Key { kind: KeyKind::ExternalId, ..key })
        }
        ExternalIdCarries::Nothing => None,
    }
}

/// The sign-in name of an identity that may serve as a key. A guest's name in the directory is
/// made from the address (`kim_example.org#EXT#@...`) and never is the app's.
pub(crate) fn sign_in_name<'a>(sighting: &Sighting<'a, Identity>) -> Option<&'a Text> {
    match sighting.row.kind {
        IdentityKind::Member => sighting.row.user_name.as_ref(),
        IdentityKind::Guest => None,
    }
}

/// What an IdP writes into `externalId`, for each IdP of the estate.
pub(crate) fn carried(estate: &Estate<'_>, rules: &KeyRules) -> Vec<ExternalIdCarries> {
    let of = |idp| rules.external_id.iter().find(|it| it.0 == idp).map(|it| it.1);
    estate.idps.iter().map(|idp| of(idp.id.clone()).unwrap_or(ExternalIdCarries::IdpId)).collect()
}
