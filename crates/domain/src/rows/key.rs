//! What names a row in its list.

use std::borrow::Cow;

use crate::Principal;

/// What names a row in its list: one text, of which the rest may be borrowed. The keys of one list are in
/// the order of their texts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowKey<'b> {
    /// The letter in front of the rest, if there is one: in a list, all have one or none has.
    front: Option<u8>,
    /// UTF-8: nobody looks whether it is, for every row of a list.
    rest: Cow<'b, [u8]>,
}

impl<'b> RowKey<'b> {
    /// The key of a row that an id names.
    pub(super) fn id(id: &'b (impl AsRef<[u8]> + ?Sized)) -> Self {
        Self { front: None, rest: id.as_ref().into() }
    }

    /// The key of a row about a principal: `u` before an identity's id, `g` before a group's.
    pub(super) fn principal<T: AsRef<[u8]> + ?Sized>(principal: Principal<&'b T>) -> Self {
        match principal {
            Principal::Identity(id) => Self { front: Some(b'u'), ..Self::id(id) },
            Principal::Group(id) => Self { front: Some(b'g'), ..Self::id(id) },
        }
    }

    /// Whether it is UTF-8, as all but a damaged one is.
    #[must_use]
    pub fn is_text(&self) -> bool {
        self.rest.is_ascii() || str::from_utf8(&self.rest).is_ok()
    }

    /// The same behind which something is written.
    #[must_use]
    pub fn followed_by(self, end: &str) -> Self {
        let mut rest = self.rest.into_owned();
        rest.extend(end.as_bytes());
        Self { rest: rest.into(), ..self }
    }

    /// The letter in front, if there is one, and the bytes of the rest.
    #[must_use]
    pub fn parts(&self) -> (Option<u8>, &[u8]) {
        (self.front, &self.rest)
    }

    /// Whether these are the bytes of its text.
    #[must_use]
    pub fn is(&self, text: &[u8]) -> bool {
        let (front, rest) = match self.front {
            None => (None, text),
            Some(_) => text.split_first().map_or((None, text), |it| (Some(*it.0), it.1)),
        };
        front == self.front && *rest == *self.rest
    }
}

impl From<String> for RowKey<'_> {
    fn from(text: String) -> Self {
        Self { front: None, rest: text.into_bytes().into() }
    }
}

impl std::fmt::Display for RowKey<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.front.map_or(Ok(()), |it| write!(f, "{}", char::from(it)))?;
        f.write_str(&String::from_utf8_lossy(&self.rest))
    }
}
