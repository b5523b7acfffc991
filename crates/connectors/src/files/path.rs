//! Paths to members of a JSON row, as profiles write them.
//!
//! `profile.login` is a member of a member. `emails[primary].value` is the member of the
//! element marked primary (of the only element, where none is marked; RFC 7643, 2.4).
//! `roles[].value` is that of every element, `roles[]` every element itself. Names with
//! dots are quoted: `"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User".employeeNumber`.

use std::borrow::Cow;

use super::capture::Names;
use super::record::{Record, Value};

/// Which elements of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pick {
    All,
    Primary,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Segment {
    name: String,
    pick: Option<Pick>,
}

/// One step into a row: what to keep here, and which members to enter.
#[derive(Debug, Default)]
pub(crate) struct Node {
    /// Keep a simple value here.
    pub(crate) slot: Option<usize>,
    /// Enter these members.
    pub(crate) members: Vec<(String, Self)>,
    /// What to keep of the elements of an array here.
    pub(crate) elements: Option<Box<Elements>>,
    /// The marks of the names of `members`: most names in a file have another, and end there.
    marks: u64,
}

/// One bit that two names share if they are equal without regard to ASCII case.
fn mark(name: &str) -> u64 {
    let first = name.as_bytes().first().map_or(0, u8::to_ascii_lowercase);
    1 << ((name.len() + usize::from(first)) % 64)
}

/// What to keep of the elements of an array. Each is read as a small row of its own.
#[derive(Debug)]
pub(crate) struct Elements {
    /// How one element is read: slot 0 is itself, slot 1 its member `primary`, then the members kept.
    pub(crate) node: Node,
    pub(crate) n_slots: usize,
    pub(crate) captures: Vec<Capture>,
}

/// One thing that is kept of an array.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Capture {
    /// Where it goes in the row.
    pub(crate) slot: usize,
    pub(crate) pick: Pick,
    /// Where it is in the element.
    pub(crate) from: usize,
}

impl Elements {
    pub(crate) const ITSELF: usize = 0;
    pub(crate) const PRIMARY: usize = 1;

    fn new() -> Self {
        let mut node = Node { slot: Some(Self::ITSELF), ..Node::default() };
        node.member("primary".to_owned()).slot = Some(Self::PRIMARY);
        Self { node, n_slots: 2, captures: Vec::new() }
    }

    fn add(&mut self, slot: usize, pick: Pick, member: Option<String>) {
        let from = match member {
            None => Self::ITSELF,
            Some(member) => *self.node.member(member).slot.get_or_insert_with(|| {
                self.n_slots += 1;
                self.n_slots - 1
            }),
        };
        self.captures.push(Capture { slot, pick, from });
    }
}

impl Node {
    /// Adds a path. Says what is wrong with it if it is none.
    pub(crate) fn add(&mut self, path: &str, slot: usize) -> Result<(), String> {
        let mut segments = segments(path)?.into_iter().peekable();
        let mut node = self;
        while let Some(segment) = segments.next() {
            node = node.member(segment.name);
            if let Some(pick) = segment.pick {
                let member = segments.next().map(|it| it.name);
                if segments.peek().is_some() {
                    return Err(format!("`{path}` goes deeper than one member below an array"));
                }
                node.elements
                    .get_or_insert_with(|| Box::new(Elements::new()))
                    .add(slot, pick, member);
                return Ok(());
            }
        }
        node.slot = Some(slot);
        Ok(())
    }

    /// The wanted member of this name.
    pub(crate) fn find(&self, name: &str, names: Names) -> Option<&Self> {
        if self.marks & mark(name) == 0 {
            return None;
        }
        let mut members = self.members.iter();
        members.find(|(it, _)| names.equal(it, name)).map(|(_, node)| node)
    }

    fn member(&mut self, name: String) -> &mut Self {
        self.marks |= mark(&name);
        let at = match self.members.iter().position(|(it, _)| *it == name) {
            Some(at) => at,
            None => {
                self.members.push((name, Self::default()));
                self.members.len() - 1
            }
        };
        match self.members.get_mut(at) {
            Some((_, node)) => node,
            None => unreachable!("the member was found or added just now"),
        }
    }
}

fn segments(path: &str) -> Result<Vec<Segment>, String> {
    let mut segments = Vec::new();
    let mut rest = path;
    loop {
        let (name, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted
                .split_once('"')
                .ok_or_else(|| format!("`{path}` opens a quote and does not close it"))?,
            None => rest.split_at(rest.find(['.', '[']).unwrap_or(rest.len())),
        };
        if name.is_empty() {
            return Err(format!("`{path}` has an empty name"));
        }
        let (pick, after) = if let Some(after) = after.strip_prefix("[primary]") {
            (Some(Pick::Primary), after)
        } else if let Some(after) = after.strip_prefix("[]") {
            (Some(Pick::All), after)
        } else {
            (None, after)
        };
        segments.push(Segment { name: name.to_owned(), pick });
        match after.strip_prefix('.') {
            Some(after) => rest = after,
            None if after.is_empty() => return Ok(segments),
            None => return Err(format!("`{path}` has `{after}` where a `.` or its end belongs")),
        }
    }
}

/// What one array gave for one capture.
#[derive(Debug, Default)]
pub(crate) struct Found<'de> {
    n_elements: usize,
    primary: Option<Value<'de>>,
    first: Option<Value<'de>>,
    all: Vec<Cow<'de, str>>,
}

impl<'de> Found<'de> {
    /// Looks at one element.
    pub(crate) fn see(&mut self, capture: Capture, element: &Record<'de>) {
        let value = element.get(capture.from);
        match (capture.pick, value) {
            (Pick::All, Value::Text(text)) => self.all.push(text.clone()),
            (Pick::All, other) => {
                self.all.extend(other.text().map(|it| Cow::Owned(it.into_owned())));
            }
            (Pick::Primary, _) => {
                // Servers write booleans as text, too.
                let is_primary = element
                    .get(Elements::PRIMARY)
                    .text()
                    .is_some_and(|it| it.eq_ignore_ascii_case("true"));
                if is_primary {
                    self.primary.get_or_insert_with(|| value.clone());
                } else if self.n_elements == 0 {
                    self.first = Some(value.clone());
                }
            }
        }
        self.n_elements += 1;
    }

    /// What is kept in the end.
    pub(crate) fn into_value(self, pick: Pick) -> Value<'de> {
        match (pick, self.primary, self.first) {
            (Pick::All, _, _) => Value::List(self.all),
            (Pick::Primary, Some(primary), _) => primary,
            (Pick::Primary, None, Some(only)) if self.n_elements == 1 => only,
            (Pick::Primary, None, _) => Value::Null,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let plain = |name: &str| Segment { name: name.to_owned(), pick: None };
        assert_eq!(segments("profile.login").unwrap(), [plain("profile"), plain("login")]);
        assert_eq!(
            segments(r#""urn:2.0:User".number"#).unwrap(),
            [plain("urn:2.0:User"), plain("number")]
        );
        assert_eq!(
            segments("emails[primary].value").unwrap(),
            [Segment { name: "emails".to_owned(), pick: Some(Pick::Primary) }, plain("value")]
        );
        for bad in ["", "a..b", ".a", "a[0]", "\"a", "a[]b"] {
            assert!(segments(bad).is_err(), "`{bad}`");
        }
        assert!(Node::default().add("a[].b.c", 0).is_err());
    }
}
