//! Keys of identities, looked up by accounts. One entry for each key, whoever carries it.

use std::borrow::Cow;

use domain::{Folded, IdForm, Identity, Text, is_placeholder};
use rustc_hash::FxHashMap;

use crate::estate::Estate;
use crate::keys::{ExternalIdCarries, KeyRules};
use crate::node::{Key, KeyKind};
use crate::person::count;

/// A key that more identities than this carry is no key: a default of some form, a shared
/// mailbox of a team. Applies to employee numbers, where it would make one person of many.
pub(crate) const CARRIERS_MAX: usize = 3;

/// Who carries which key. Made small: at a million people the cost is that of memory.
#[derive(Debug, Default)]
pub(crate) struct Index<'a> {
    account_id: Carried<'a, 1>,
    external_id: Carried<'a, 1>,
    employee_number: Carried<'a, 1>,
    /// User names, then addresses: mostly they are the same text.
    names: Carried<'a, 2>,
    /// The carriers of keys that several carry.
    shared: Vec<Vec<u32>>,
    /// Accounts that an IdP assigned to somebody who is in no list of its users, and that IdP.
    strangers: FxHashMap<&'a str, u16>,
}

/// The carriers of texts, for `N` kinds of key. Each text is in one of the maps.
#[derive(Debug)]
struct Carried<'a, const N: usize> {
    /// Texts as they stand in their rows.
    as_is: FxHashMap<&'a str, [Carriers; N]>,
    /// Texts that had to be folded, and are in no row.
    folded: FxHashMap<String, [Carriers; N]>,
}

#[derive(Clone, Copy, Debug, Default)]
enum Carriers {
    #[default]
    None,
    One(u32),
    /// A place in [`Index::shared`].
    Many(u32),
}

impl<const N: usize> Default for Carried<'_, N> {
    fn default() -> Self {
        Self { as_is: FxHashMap::default(), folded: FxHashMap::default() }
    }
}

impl<'a, const N: usize> Carried<'a, N> {
    fn with_capacity(n: usize) -> Self {
        let as_is = FxHashMap::with_capacity_and_hasher(n, rustc_hash::FxBuildHasher);
        Self { as_is, folded: FxHashMap::default() }
    }

    fn get(&self, text: &str) -> Option<&[Carriers; N]> {
        self.as_is.get(text).or_else(|| self.folded.get(text))
    }

    fn entry(&mut self, text: Cow<'a, str>) -> &mut [Carriers; N] {
        match text {
            Cow::Borrowed(text) if !self.folded.contains_key(text) => {
                self.as_is.entry(text).or_insert([Carriers::None; N])
            }
            text if self.as_is.contains_key(&*text) => match self.as_is.get_mut(&*text) {
                Some(carriers) => carriers,
                None => unreachable!("it was found just now"),
            },
            text => self.folded.entry(text.into_owned()).or_insert([Carriers::None; N]),
        }
    }
}

impl<'a> Index<'a> {
    /// Room for that many identities.
    pub(crate) fn with_capacity(n_identities: usize) -> Self {
        Self {
            external_id: Carried::with_capacity(n_identities),
            names: Carried::with_capacity(n_identities),
            ..Self::default()
        }
    }

    pub(crate) fn insert_stranger(&mut self, account: &'a str, idp: u16) {
        self.strangers.insert(account, idp);
    }

    /// The IdP that assigned this account to somebody who is in no list of its users.
    pub(crate) fn stranger(&self, account: &str) -> Option<u16> {
        self.strangers.get(account).copied()
    }

    pub(crate) fn insert(&mut self, key: Key<'a>, identity: u32) {
        let carriers = match key.kind {
            KeyKind::AccountId => self.account_id.entry(key.value).get_mut(0),
            KeyKind::ExternalId => self.external_id.entry(key.value).get_mut(0),
            KeyKind::EmployeeNumber => self.employee_number.entry(key.value).get_mut(0),
            KeyKind::UserName => self.names.entry(key.value).get_mut(0),
            KeyKind::Email => self.names.entry(key.value).get_mut(1),
        };
        let Some(carriers) = carriers else { return };
        match *carriers {
            Carriers::None => *carriers = Carriers::One(identity),
            Carriers::One(one) if one == identity => {}
            Carriers::One(one) => {
                *carriers = Carriers::Many(count(self.shared.len()));
                self.shared.push(vec![one, identity]);
            }
            Carriers::Many(at) => {
                let many = self.shared.get_mut(at as usize);
                if let Some(many) = many.filter(|it| !it.contains(&identity)) {
                    many.push(identity);
                }
            }
        }
    }

    /// The carriers of a key, in order; empty when nobody carries it.
    pub(crate) fn carriers(&self, key: &Key<'_>) -> &[u32] {
        let found = match key.kind {
            KeyKind::AccountId => self.account_id.get(&key.value).map(|[it]| it),
            KeyKind::ExternalId => self.external_id.get(&key.value).map(|[it]| it),
            KeyKind::EmployeeNumber => self.employee_number.get(&key.value).map(|[it]| it),
            KeyKind::UserName => self.names.get(&key.value).map(|[name, _]| name),
            KeyKind::Email => self.names.get(&key.value).map(|[_, email]| email),
        };
        match found {
            None | Some(Carriers::None) => &[],
            Some(Carriers::One(one)) => std::slice::from_ref(one),
            Some(Carriers::Many(at)) => self.shared.get(*at as usize).map_or(&[], |it| it),
        }
    }
}

/// A user name in the form in which it is compared; `None` when there is none.
pub(crate) fn user_name_key(name: Option<&Text>) -> Option<Key<'_>> {
    let value = Folded::new(name?)?.into_inner();
    Some(Key { kind: KeyKind::UserName, value })
}

/// An address in the form in which it is compared; `None` when there is none.
pub(crate) fn email_key<'a>(
    rules: &KeyRules,
    address: Option<&'a impl AsRef<str>>,
) -> Option<Key<'a>> {
    let folded = Folded::new(address?.as_ref())?.into_inner();
    let value = match folded.rsplit_once('@') {
        Some((local, domain)) => match rules.domain_aliases.iter().find(|it| it.0 == domain) {
            Some((_, canonical)) => Cow::Owned(format!("{local}@{canonical}")),
            None => folded,
        },
        None => folded,
    };
    Some(Key { kind: KeyKind::Email, value })
}

/// The address of somebody: the one that is stated, or else a sign-in name that is written like one.
/// Exports of consoles often have one of the two alone.
pub(crate) fn address<'a>(
    stated: Option<&'a Text>,
    sign_in_name: Option<&'a Text>,
) -> Option<&'a Text> {
    stated.or_else(|| sign_in_name.filter(|it| it.contains('@')))
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

/// What an IdP writes into `externalId`, for each IdP of the estate.
pub(crate) fn carried(estate: &Estate, rules: &KeyRules) -> Vec<ExternalIdCarries> {
    let of = |idp| rules.external_id.iter().find(|it| it.0 == idp).map(|it| it.1);
    estate.idps.iter().map(|idp| of(idp.id.clone()).unwrap_or(ExternalIdCarries::IdpId)).collect()
}
