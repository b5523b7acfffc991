//! Reads the words of a profile: names of our vocabulary, and tables from raw words to them.

use chrono_tz::Tz;
use domain::{Channel, Grant, IdForm, IdentityKind, Invitation, Lifecycle, Population, SystemKind};
use rustc_hash::FxHashMap;
use serde::de::Error as _;
use serde::{Deserialize as _, Deserializer};

use super::shape::{PrincipalType, Words};
use crate::files::record::plain;

/// Reads a name of a `named!` enum.
fn named<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    parse: fn(&str) -> Option<T>,
) -> Result<T, D::Error> {
    let name = String::deserialize(deserializer)?;
    parse(&name)
        .ok_or_else(|| D::Error::custom(format!("`{name}` is not one of the words for this key")))
}

/// Reads a table from raw words to names.
fn words<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    parse: fn(&str) -> Option<T>,
) -> Result<Words<T>, D::Error> {
    let written = FxHashMap::<String, String>::deserialize(deserializer)?;
    let mut words = Words::default();
    for (raw, name) in written {
        let meaning = parse(&name)
            .ok_or_else(|| D::Error::custom(format!("`{raw}` cannot mean `{name}`")))?;
        words.insert(plain(&raw), meaning);
    }
    Ok(words)
}

pub(super) fn system_kind<'de, D: Deserializer<'de>>(it: D) -> Result<SystemKind, D::Error> {
    named(it, SystemKind::parse)
}

pub(super) fn population<'de, D: Deserializer<'de>>(it: D) -> Result<Population, D::Error> {
    named(it, Population::parse)
}

pub(super) fn id_form<'de, D: Deserializer<'de>>(it: D) -> Result<Option<IdForm>, D::Error> {
    named(it, IdForm::parse).map(Some)
}

pub(super) fn channel<'de, D: Deserializer<'de>>(it: D) -> Result<Option<Channel>, D::Error> {
    named(it, Channel::parse).map(Some)
}

pub(super) fn zone<'de, D: Deserializer<'de>>(it: D) -> Result<Option<Tz>, D::Error> {
    named(it, |name| name.parse::<Tz>().ok()).map(Some)
}

pub(super) fn lifecycle<'de, D: Deserializer<'de>>(it: D) -> Result<Option<Lifecycle>, D::Error> {
    named(it, Lifecycle::parse).map(Some)
}

pub(super) fn grant<'de, D: Deserializer<'de>>(it: D) -> Result<Option<Grant>, D::Error> {
    named(it, Grant::parse).map(Some)
}

pub(super) fn lifecycles<'de, D: Deserializer<'de>>(it: D) -> Result<Words<Lifecycle>, D::Error> {
    words(it, Lifecycle::parse)
}

pub(super) fn identity_kinds<'de, D: Deserializer<'de>>(
    it: D,
) -> Result<Words<IdentityKind>, D::Error> {
    words(it, IdentityKind::parse)
}

pub(super) fn grants<'de, D: Deserializer<'de>>(it: D) -> Result<Words<Grant>, D::Error> {
    words(it, Grant::parse)
}

pub(super) fn invitations<'de, D: Deserializer<'de>>(it: D) -> Result<Words<Invitation>, D::Error> {
    words(it, Invitation::parse)
}

pub(super) fn principals<'de, D: Deserializer<'de>>(
    it: D,
) -> Result<Words<PrincipalType>, D::Error> {
    words(it, |name| match name {
        "identity" => Some(PrincipalType::Identity),
        "group" => Some(PrincipalType::Group),
        "ignored" => Some(PrincipalType::Ignored),
        _ => None,
    })
}
