//! One row as it was read: the wanted values, borrowed from the file where they can be.

use std::borrow::Cow;

/// One value of a row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    /// The member or column is not there.
    Absent,
    /// JSON `null`, or an empty cell.
    Null,
    /// A JSON boolean.
    Bool(bool),
    /// A JSON integer.
    Int(i64),
    /// Text.
    Text(Cow<'a, str>),
    /// The texts of an array, in order.
    List(Vec<Cow<'a, str>>),
    /// An object or array where a simple value belongs, or a number that is no integer.
    Other,
}

impl Value<'_> {
    /// The value as text; `None` where nothing is stated.
    pub(crate) fn text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Text(text) if text.trim_start().is_empty() => None,
            Self::Text(text) => Some(Cow::Borrowed(text)),
            Self::Bool(is_true) => Some(Cow::Borrowed(if *is_true { "true" } else { "false" })),
            Self::Int(number) => Some(Cow::Owned(number.to_string())),
            Self::List(texts) => texts.first().map(|it| Cow::Borrowed(it.as_ref())),
            Self::Absent | Self::Null | Self::Other => None,
        }
    }

    const fn is_stated(&self) -> bool {
        !matches!(self, Self::Absent | Self::Null)
    }
}

/// The wanted values of one row, by slot of the profile's layout.
#[derive(Debug, Default)]
pub(crate) struct Record<'a> {
    values: Vec<Value<'a>>,
}

impl<'a> Record<'a> {
    /// A record of `n` absent values in the memory of an earlier one.
    pub(crate) fn recycle(earlier: Record<'_>, n: usize) -> Self {
        let mut values = earlier.values;
        values.clear();
        // Collecting an emptied vector in place keeps its memory and forgets its lifetime.
        let mut values: Vec<Value<'a>> = values.into_iter().map(|_| Value::Absent).collect();
        values.resize_with(n, || Value::Absent);
        Self { values }
    }

    pub(crate) fn set(&mut self, slot: usize, value: Value<'a>) {
        if let Some(place) = self.values.get_mut(slot) {
            *place = value;
        }
    }

    /// Puts a text into a slot, or at the end of the list that is there.
    pub(crate) fn add_text(&mut self, slot: usize, text: &'a str) {
        match self.values.get_mut(slot) {
            Some(Value::List(texts)) => texts.push(Cow::Borrowed(text)),
            Some(place) => *place = Value::Text(Cow::Borrowed(text)),
            None => {}
        }
    }

    /// All values, by slot.
    pub(crate) fn values(&self) -> &[Value<'a>] {
        &self.values
    }

    pub(crate) fn get(&self, slot: usize) -> &Value<'a> {
        self.values.get(slot).unwrap_or(&Value::Absent)
    }

    /// The first slot that states something; else `Null` if any says that, else `Absent`.
    pub(crate) fn first(&self, slots: &[usize]) -> &Value<'a> {
        let mut found = &Value::Absent;
        for slot in slots {
            match self.get(*slot) {
                value if value.is_stated() => return value,
                Value::Null => found = &Value::Null,
                _ => {}
            }
        }
        found
    }
}

/// The form in which names of columns and raw words are compared: letters and digits
/// only, lower-cased. `User Principal Name`, `userPrincipalName` and `user_principal_name` are one.
pub(crate) fn plain(name: &str) -> String {
    name.chars().filter(|it| it.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
