//! What names a row in its list.

use std::borrow::Cow;

use crate::Principal;

/// What names a row in its list: one text, of which the rest may be borrowed. The keys of one list are in
/// the order of their texts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowKey<'b> {
    /// The letter in front of the rest, if there is one: in a list, all have one or none has.
    front: Option<u8>,
    rest: Cow<'b, str>,
}

impl<'b> RowKey<'b> {
    /// The key of a row that an id names.
    pub(super) fn id(id: &'b str) -> Self {
        Self { front: None, rest: id.into() }
    }

    /// The key of a row about a principal: `u` before an identity's id, `g` before a group's.
    pub(super) fn principal(principal: Principal<&'b str>) -> Self {
        match principal {
            Principal::Identity(id) => Self { front: Some(b'u'), rest: id.into() },
            Principal::Group(id) => Self { front: Some(b'g'), rest: id.into() },
        }
    }

    /// A key with another rest.
    #[must_use]
    pub fn map(self, change: impl FnOnce(Cow<'b, str>) -> Cow<'b, str>) -> Self {
        Self { rest: change(self.rest), ..self }
    }

    /// The letter in front, if there is one, and the rest.
    #[must_use]
    pub fn parts(&self) -> (Option<u8>, &str) {
        (self.front, &self.rest)
    }

    /// Whether this is its text.
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        let (front, rest) = match self.front {
            None => (None, text.as_bytes()),
            Some(_) => {
                text.as_bytes().split_first().map_or((None, &[][..]), |it| (Some(*it.0), it.1))
            }
        };
        front == self.front && rest == self.rest.as_bytes()
    }
}

impl From<String> for RowKey<'_> {
    fn from(text: String) -> Self {
        Self { front: None, rest: text.into() }
    }
}

impl std::fmt::Display for RowKey<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.front.map_or(Ok(()), |it| write!(f, "{}", char::from(it)))?;
        f.write_str(&self.rest)
    }
}
