//! Reads one JSON row into a record: keeps the wanted members, borrowed from the bytes
//! where they need no unescaping, and skips the rest without building anything.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::path::{Found, Node};
use super::record::{Record, Value};

/// How names of members are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Names {
    /// As written (JSON).
    #[default]
    Exact,
    /// Without regard to ASCII case (RFC 7643, 2.1).
    AnyCase,
}

impl Names {
    #[inline]
    pub(crate) fn equal(self, left: &str, right: &str) -> bool {
        match self {
            Self::Exact => left == right,
            Self::AnyCase => left.eq_ignore_ascii_case(right),
        }
    }
}

/// Fills `record` with what `node` wants.
pub(crate) struct NodeSeed<'n, 'r, 'de> {
    pub(crate) node: &'n Node,
    pub(crate) names: Names,
    pub(crate) record: &'r mut Record<'de>,
}

impl<'de> NodeSeed<'_, '_, 'de> {
    fn put<E>(self, value: Value<'de>) -> Result<(), E> {
        if let Some(slot) = self.node.slot {
            self.record.set(slot, value);
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for NodeSeed<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for NodeSeed<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        if self.node.members.is_empty() {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return self.put(Value::Other);
        }
        while let Some(member) =
            map.next_key_seed(MemberSeed { node: self.node, names: self.names })?
        {
            match member {
                Some(node) => {
                    map.next_value_seed(NodeSeed { node, names: self.names, record: self.record })?;
                }
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Some(elements) = &self.node.elements else {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            return self.put(Value::Other);
        };
        let mut found: Vec<Found<'de>> = Vec::new();
        found.resize_with(elements.captures.len(), Found::default);
        let mut element = Record::default();
        loop {
            element = Record::recycle(element, elements.n_slots);
            let seed = NodeSeed { node: &elements.node, names: self.names, record: &mut element };
            if seq.next_element_seed(seed)?.is_none() {
                break;
            }
            for (capture, found) in elements.captures.iter().zip(&mut found) {
                found.see(*capture, &element);
            }
        }
        for (capture, found) in elements.captures.iter().zip(found) {
            self.record.set(capture.slot, found.into_value(capture.pick));
        }
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        for capture in self.node.elements.iter().flat_map(|it| &it.captures) {
            self.record.set(capture.slot, Value::Null);
        }
        self.put(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.put(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.put(Value::Int(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.put(
            i64::try_from(value).map_or_else(|_| Value::Text(value.to_string().into()), Value::Int),
        )
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        self.put(Value::Other)
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<(), E> {
        self.put(Value::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        match self.node.slot {
            Some(_) => self.put(Value::Text(Cow::Owned(value.to_owned()))),
            None => Ok(()),
        }
    }
}

/// Which wanted member a name is; `None` for the others.
struct MemberSeed<'n> {
    node: &'n Node,
    names: Names,
}

impl<'de, 'n> DeserializeSeed<'de> for MemberSeed<'n> {
    type Value = Option<&'n Node>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'n> Visitor<'_> for MemberSeed<'n> {
    type Value = Option<&'n Node>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.node.find(name, self.names))
    }
}
