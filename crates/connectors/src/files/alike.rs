//! Rows of one source are written alike: the same members in the same order, and other values in
//! them. The shape of a row that was parsed is remembered, and a row of a known shape is read by
//! comparing what is between its values and looking for their ends.
//!
//! Never reads a row otherwise than the parser does: whatever is not exactly of a known shape is
//! left to it.

use std::ops::Range;

use super::capture::Names;
use super::json::Taken;
use super::path::Node;
use super::record::{Record, Value};
use super::window::line_ends;

/// Shapes that are remembered. Flags that are wanted, members that some rows lack and the lengths
/// of lists make different ones.
const SHAPES_MAX: usize = 12;

/// Rows one after the other of no known shape, after which no more are looked at: this source
/// writes hardly two rows alike.
const MISSES_MAX: u32 = 200;

/// Digits of a number that is taken as it is: all of them fit what the parser makes of them.
const DIGITS_MAX: usize = 18;

/// The shapes met so far, the one met last in front.
#[derive(Debug, Default)]
pub(crate) struct Shapes {
    shapes: Vec<Shape>,
    n_misses: u32,
    /// Where the texts are that go into the record; memory for the next row.
    found: Vec<Range<usize>>,
}

impl Shapes {
    /// Reads the row at the beginning of the bytes into an empty record.
    /// `None`: it is of no known shape, or not all of it is there; the record is of no use then.
    pub(crate) fn read<'a>(&mut self, bytes: &'a [u8], record: &mut Record<'a>) -> Option<Taken> {
        let Self { shapes, found, .. } = self;
        let mut tried = shapes.iter_mut().enumerate();
        let (at, len) = tried.find_map(|(at, it)| Some((at, it.find(bytes, found)?)))?;
        let shape = shapes.get(at)?;
        shape.fill(bytes.get(..len)?, found, record)?;
        // No value has one: in a text it is escaped.
        let n_lines = Some(shape.n_lines);
        shapes.get_mut(..=at)?.rotate_right(1);
        self.n_misses = 0;
        Some(Taken { len, n_lines })
    }

    /// Remembers the shape of a row that was parsed into this record, by this tree of what is wanted.
    pub(crate) fn learn(&mut self, row: &[u8], wanted: (&Node, Names), record: &Record<'_>) {
        if self.n_misses == MISSES_MAX {
            self.shapes.clear();
            return;
        }
        self.n_misses += 1;
        if let Some(shape) = Shape::of(row, wanted, record) {
            self.shapes.truncate(SHAPES_MAX - 1);
            self.shapes.insert(0, shape);
        }
    }
}

/// How one row is written.
#[derive(Debug, Default)]
struct Shape {
    form: Form,
    narrow: Narrow,
    /// Line ends between tokens.
    n_lines: u64,
    /// What else than texts is in the slots, for every row of this shape. Texts go into the lists.
    fixed: Vec<(usize, Value<'static>)>,
}

/// What is compared of a row, and looked for in it.
#[derive(Debug, Default)]
struct Form {
    tokens: Vec<Token>,
    /// What is behind the last token.
    end: Box<[u8]>,
    /// Which slot each text goes into, by number of its token.
    texts: Vec<(usize, usize)>,
}

/// Something that may differ from row to row.
#[derive(Debug)]
struct Token {
    /// What is before it, behind the token before: the same in every row.
    before: Box<[u8]>,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// What is between the quotes of a text that is wanted, none of it escaped.
    Text,
    /// A simple value that nobody wants, with its quotes; a number without fraction or exponent.
    Unwanted,
}

impl Shape {
    /// The shape of a row. `None` for one of which a later row cannot be told by comparing.
    fn of(row: &[u8], (tree, names): (&Node, Names), record: &Record<'_>) -> Option<Self> {
        let places = places(row, tree, names)?;
        let (mut shape, mut form) = (Self::default(), Form::default());
        for (slot, value) in record.values().iter().enumerate() {
            match value {
                Value::Absent => {}
                Value::Null => shape.fixed.push((slot, Value::Null)),
                Value::Bool(is_true) => shape.fixed.push((slot, Value::Bool(*is_true))),
                Value::Other => shape.fixed.push((slot, Value::Other)),
                Value::Text(text) => form.texts.push((place_of(text, row, &places)?, slot)),
                Value::List(texts) => {
                    shape.fixed.push((slot, Value::List(Vec::new())));
                    for text in texts {
                        form.texts.push((place_of(text, row, &places)?, slot));
                    }
                }
                Value::Int(_) => return None, // Which of its numbers that is cannot be seen.
            }
        }
        form.texts.sort_unstable();
        let mut begins = 0;
        for (kind, place) in places {
            let before = row.get(begins..place.start)?;
            shape.n_lines += line_ends(before);
            form.tokens.push(Token { before: before.into(), kind });
            begins = place.end;
        }
        let end = row.get(begins..)?;
        shape.n_lines += line_ends(end);
        form.end = end.into();
        Some(Self { form, ..shape })
    }

    /// Finds the texts that go into the record, and says how long the row is; `None` for a row of
    /// another shape.
    fn find(&mut self, bytes: &[u8], found: &mut Vec<Range<usize>>) -> Option<usize> {
        if let Some(len) = self.narrow.find(bytes, found) {
            return Some(len);
        }
        let len = self.form.find(bytes, found)?;
        self.narrow.learn(&self.form, bytes.get(..len)?);
        Some(len)
    }

    /// Fills the record with what was found in a row; `None` when the row is no UTF-8.
    fn fill<'a>(
        &self,
        row: &'a [u8],
        found: &[Range<usize>],
        record: &mut Record<'a>,
    ) -> Option<()> {
        let row = simdutf8::basic::from_utf8(row).ok()?; // One long text is checked sooner than many short ones.
        for (slot, value) in &self.fixed {
            record.set(*slot, value.clone());
        }
        for ((_, slot), place) in self.form.texts.iter().zip(found) {
            record.add_text(*slot, row.get(place.clone())?);
        }
        Some(())
    }
}

impl Form {
    /// Finds the texts, and says how long the row is; `None` for a row of another form.
    fn find(&self, bytes: &[u8], found: &mut Vec<Range<usize>>) -> Option<usize> {
        found.clear();
        let mut at = 0;
        let mut texts = self.texts.iter().peekable();
        for (number, token) in self.tokens.iter().enumerate() {
            let rest = bytes.get(at..)?.strip_prefix(&*token.before)?;
            let begins = at + token.before.len();
            at = begins + token.kind.len(rest)?;
            while texts.next_if(|it| it.0 == number).is_some() {
                found.push(begins..at);
            }
        }
        bytes.get(at..)?.strip_prefix(&*self.end)?;
        Some(at + self.end.len())
    }

    /// The same with these values of what nobody wants; `None` where there are none.
    fn narrowed(&self, values: &[Option<Box<[u8]>>]) -> Option<Self> {
        let (mut form, mut before, mut numbers) = (Self::default(), Vec::new(), Vec::new());
        for (token, value) in self.tokens.iter().zip(values) {
            before.extend(&token.before);
            numbers.push(form.tokens.len());
            match value.as_ref().filter(|_| token.kind == Kind::Unwanted) {
                Some(value) => before.extend(value),
                None => {
                    let before = std::mem::take(&mut before).into();
                    form.tokens.push(Token { before, kind: token.kind });
                }
            }
        }
        before.extend(&self.end);
        form.end = before.into();
        form.texts = self
            .texts
            .iter()
            .map(|(number, slot)| Some((*numbers.get(*number)?, *slot)))
            .collect::<Option<_>>()?;
        (form.tokens.len() < self.tokens.len()).then_some(form)
    }

    /// What each token is in a row of this form.
    fn values<'a>(&self, row: &'a [u8]) -> Option<Vec<&'a [u8]>> {
        let mut rest = row;
        let value = |token: &Token| {
            let from = rest.get(token.before.len()..)?;
            let (value, behind) = from.split_at_checked(token.kind.len(from)?)?;
            rest = behind;
            Some(value)
        };
        self.tokens.iter().map(value).collect()
    }
}

/// Rows of one shape have many values in common, too: a type, a status, what is empty. What was the same in
/// some rows one after the other is compared with what is around it, as long as that holds for most rows.
#[derive(Debug, Default)]
struct Narrow {
    /// The narrower form; `None`: not enough rows were met, or they have no such value in common.
    form: Option<Form>,
    /// Rows met since there is none.
    n_rows: u32,
    /// What each token was in all of them; `None`: not the same.
    values: Vec<Option<Box<[u8]>>>,
    /// Of the last rows those that were not of the narrower form, without those that were.
    n_misses: u32,
}

/// So many rows are set against each other.
const ROWS_COMPARED: u32 = 16;

impl Narrow {
    fn find(&mut self, bytes: &[u8], found: &mut Vec<Range<usize>>) -> Option<usize> {
        let len = self.form.as_ref()?.find(bytes, found);
        self.n_misses = match len {
            Some(_) => self.n_misses.saturating_sub(1),
            None => self.n_misses + 1,
        };
        if self.n_misses > ROWS_COMPARED {
            *self = Self::default();
        }
        len
    }

    /// Sets a row of the wider form against those before it.
    fn learn(&mut self, wide: &Form, row: &[u8]) {
        if self.n_rows == ROWS_COMPARED {
            return;
        }
        let Some(values) = wide.values(row) else { return };
        if self.n_rows == 0 {
            self.values = values.into_iter().map(|it| Some(it.into())).collect();
        } else {
            for (before, now) in self.values.iter_mut().zip(values) {
                before.take_if(|it| **it != *now);
            }
        }
        self.n_rows += 1;
        if self.n_rows == ROWS_COMPARED {
            self.form = wide.narrowed(&std::mem::take(&mut self.values));
        }
    }
}

impl Kind {
    /// How long the token at the beginning of the bytes is; `None` when there is none of this kind.
    fn len(self, bytes: &[u8]) -> Option<usize> {
        match (self, bytes.first()?) {
            (Self::Text, _) => {
                let n = plain_len(bytes);
                (bytes.get(n) == Some(&b'"')).then_some(n)
            }
            (Self::Unwanted, b'"') => escaped_len(bytes.get(1..)?).map(|it| it + 2),
            (Self::Unwanted, _) => WORDS
                .iter()
                .find(|it| bytes.starts_with(it))
                .map(|it| it.len())
                .or_else(|| integer_len(bytes)),
        }
    }
}

const WORDS: [&[u8]; 3] = [b"null", b"true", b"false"];

fn integer_len(bytes: &[u8]) -> Option<usize> {
    let sign = usize::from(bytes.first() == Some(&b'-'));
    let digits = bytes.get(sign..)?;
    let n = digits.iter().take_while(|it| it.is_ascii_digit()).count();
    let is_integer = n > 0 && n <= DIGITS_MAX && (n == 1 || digits.first() != Some(&b'0'));
    let is_whole = !matches!(digits.get(n), None | Some(b'.' | b'e' | b'E'));
    (is_integer && is_whole).then_some(sign + n)
}

/// Bytes up to the quote that closes a text; `None` when it is not closed, or written in a way
/// that the parser has to look at.
fn escaped_len(bytes: &[u8]) -> Option<usize> {
    let mut n = plain_len(bytes);
    loop {
        match bytes.get(n)? {
            b'"' => return Some(n),
            b'\\' if br#""\/bfnrt"#.contains(bytes.get(n + 1)?) => {
                n += 2;
                n += plain_len(bytes.get(n..)?);
            }
            _ => return None,
        }
    }
}

/// A list or an object that a place is in, and what is wanted of its elements or members.
#[derive(Clone, Copy)]
struct Around<'n> {
    is_list: bool,
    wanted: Option<&'n Node>,
}

/// Where the simple values of a row are that may be others in a row of its shape. `None` for a row
/// in which one of them decides what is read.
fn places(row: &[u8], tree: &Node, names: Names) -> Option<Vec<(Kind, Range<usize>)>> {
    let (mut places, mut around) = (Vec::new(), Vec::new());
    // What is wanted of the value that comes next, and whether it marks an element of a list.
    let (mut wanted, mut is_mark) = (Some(tree), false);
    let mut at = 0;
    while let Some(byte) = row.get(at) {
        let rest = row.get(at..)?;
        let mut len = 1;
        match byte {
            b'{' => around.push(Around { is_list: false, wanted }),
            b'[' => {
                wanted = wanted.and_then(|it| Some(&it.elements.as_ref()?.node));
                around.push(Around { is_list: true, wanted });
            }
            b'}' | b']' => drop(around.pop()),
            b',' => {
                let list = around.last().filter(|it| it.is_list);
                wanted = list.map_or(wanted, |it| it.wanted);
            }
            b'"' => {
                let text = at + 1..at + 1 + quoted_len(rest.get(1..)?)?;
                len = text.len() + 2;
                if is_name(row.get(at + len..)?) {
                    let name =
                        str::from_utf8(row.get(text)?).ok().filter(|it| !it.contains('\\'))?;
                    wanted = around.last()?.wanted.and_then(|it: &Node| it.find(name, names));
                    is_mark = name.eq_ignore_ascii_case("primary");
                } else if wanted.is_none() {
                    places.push((Kind::Unwanted, at..at + len));
                } else if is_mark {
                    return None; // A flag that is written as text.
                } else {
                    places.push((Kind::Text, text));
                }
            }
            _ => {
                len = rest.iter().take_while(|it| is_of_word(**it)).count().max(1);
                if wanted.is_none() && Kind::Unwanted.len(rest) == Some(len) {
                    places.push((Kind::Unwanted, at..at + len));
                }
            }
        }
        at += len;
    }
    Some(places)
}

/// Is what was just read the name of a member, by what is behind it?
fn is_name(behind: &[u8]) -> bool {
    behind.iter().find(|it| !it.is_ascii_whitespace()) == Some(&b':')
}

const fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.')
}

/// Bytes up to the quote that closes a text.
fn quoted_len(bytes: &[u8]) -> Option<usize> {
    let mut is_escaped = false;
    bytes.iter().position(|byte| {
        let ends = *byte == b'"' && !is_escaped;
        is_escaped = *byte == b'\\' && !is_escaped;
        ends
    })
}

/// The number of the token that a value of the record was borrowed from.
/// `None` for a text that is not as it stands there, but was unescaped.
fn place_of(text: &str, row: &[u8], places: &[(Kind, Range<usize>)]) -> Option<usize> {
    let begins = text.as_ptr().addr().checked_sub(row.as_ptr().addr())?;
    let place = (Kind::Text, begins..begins + text.len());
    places.iter().position(|it| *it == place)
}

/// Bytes before the first that ends a text or cannot be in one as it is: a quote, a backslash, a
/// control character (RFC 8259, 7). Eight at a time: the lowest bit of each mask is right, as a
/// borrow only goes up.
fn plain_len(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGHS: u64 = u64::from_ne_bytes([0x80; 8]);
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word & HIGHS;
    let is = |word: u64, byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    let (words, rest) = bytes.as_chunks();
    let mut n = 0;
    for word in words {
        let word = u64::from_le_bytes(*word);
        let special = below(word, 0x20) | is(word, b'"') | is(word, b'\\');
        if special != 0 {
            return n + special.trailing_zeros() as usize / 8;
        }
        n += 8;
    }
    n + rest.iter().take_while(|it| **it >= 0x20 && !matches!(it, b'"' | b'\\')).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::capture::{Names, NodeSeed};
    use crate::files::path::Node;
    use proptest::prelude::*;
    use serde::de::DeserializeSeed as _;

    const PATHS: &[&str] = &["id", "a.b", "mails[primary].value", "roles[].value", "tags[]", "on"];

    fn node() -> Node {
        let mut node = Node::default();
        for (slot, path) in PATHS.iter().enumerate() {
            node.add(path, slot).unwrap();
        }
        node
    }

    fn empty<'a>() -> Record<'a> {
        Record::recycle(Record::default(), PATHS.len())
    }

    /// What the parser makes of the row at the beginning; `None` where it refuses.
    fn parsed<'a>(node: &Node, bytes: &'a [u8]) -> Option<(Record<'a>, usize)> {
        let mut record = empty();
        let mut parser = serde_json::Deserializer::from_slice(bytes);
        let seed = NodeSeed { node, names: Names::Exact, record: &mut record };
        seed.deserialize(&mut parser).ok()?;
        Some((record, crate::files::json::parsed_len(parser)))
    }

    /// Reads `later` after the shape of `first` was met: how far, and into what.
    fn read_after<'a>(first: &str, later: &'a [u8]) -> Option<(Record<'a>, Taken)> {
        let (record, len) = parsed(&node(), first.as_bytes()).unwrap();
        let mut shapes = Shapes::default();
        shapes.learn(&first.as_bytes()[..len], (&node(), Names::Exact), &record);
        let mut record = empty();
        let taken = shapes.read(later, &mut record)?;
        Some((record, taken))
    }

    /// How much a row is that has this many bytes.
    fn taken(bytes: &[u8], len: usize) -> Taken {
        Taken { len, n_lines: Some(line_ends(&bytes[..len])) }
    }

    #[test]
    fn a_row_that_differs_in_texts_and_in_what_nobody_wants_is_read_as_it_was_parsed() {
        let first = r#"{"id":"1","n":17,"a":{"b":"x"},"mails":[{"value":"o","primary":false},
            {"value":"p","primary":true}],"roles":[{"value":"r"},{"value":"s"}],"on":true,
            "tags":null,"u":[null,{"id":"v"}]}"#;
        let later = [
            (r#""1""#, r#""two""#),
            ("17", "-4"),
            (r#""p""#, r#""pé""#),
            (r#""s""#, r#""""#),
            ("[null", r#"["a \"text\"\n""#),
            (r#""v""#, "false"),
        ]
        .iter()
        .fold(first.to_owned(), |row, (old, new)| row.replace(old, new));
        let (record, read) = read_after(first, later.as_bytes()).unwrap();
        let (expected, n) = parsed(&node(), later.as_bytes()).unwrap();
        assert_eq!((record.values(), read), (expected.values(), taken(later.as_bytes(), n)));
        assert_eq!(read.n_lines, Some(2));
    }

    #[test]
    fn whatever_is_not_exactly_of_the_shape_is_left_to_the_parser() {
        let first = r#"{"id":"1","n":17,"on":true}"#;
        for other in [
            r#"{"id":"1","n":17,"on":false}"#,
            r#"{"id":"1","n":1.5,"on":true}"#,
            r#"{"id":"1","n":1e5,"on":true}"#,
            r#"{"id":"1","n":007,"on":true}"#,
            r#"{"id":"1","n":1234567890123456789,"on":true}"#,
            r#"{"id":"1","n":nil,"on":true}"#,
            r#"{"id":"1","n":"\u0041","on":true}"#,
            r#"{"id":"1","n":"\x","on":true}"#,
            r#"{"id":"1","n":{},"on":true}"#,
            r#"{"id":"1\n","n":17,"on":true}"#,
            "{\"id\":\"1\n\",\"n\":17,\"on\":true}",
            "{\"id\":\"1\",\"n\":\"\n\",\"on\":true}",
            r#"{"id": "1","n":17,"on":true}"#,
            r#"{"ID":"1","n":17,"on":true}"#,
            r#"{"id":1,"n":17,"on":true}"#,
            r#"{"id":null,"n":17,"on":true}"#,
            r#"{"id":"1","n":17,"on":true"#,
            r#"{"id":"1"#,
            "",
        ] {
            assert!(read_after(first, other.as_bytes()).is_none(), "{other}");
        }
        assert!(read_after(first, b"{\"id\":\"\xff\",\"n\":17,\"on\":true}").is_none(), "no UTF-8");
        assert!(read_after(r#"{"id":1}"#, br#"{"id":2}"#).is_none(), "a number is wanted");
        assert!(read_after(r#"{"id":"\t"}"#, br#"{"id":"x"}"#).is_none(), "it was unescaped");
    }

    #[test]
    fn a_flag_that_is_written_as_text_makes_no_shape() {
        let first = r#"{"mails":[{"value":"o","primary":"false"},{"value":"p","primary":"true"}]}"#;
        assert!(read_after(first, first.as_bytes()).is_none());
    }

    #[test]
    fn a_source_that_writes_no_two_rows_alike_is_left_in_peace() {
        let rows: Vec<String> = (0..300).map(|it| format!(r#"{{"id":"x","m{it}":0}}"#)).collect();
        let (node, mut shapes) = (node(), Shapes::default());
        for row in &rows {
            assert_eq!(shapes.read(row.as_bytes(), &mut empty()), None);
            let record = parsed(&node, row.as_bytes()).unwrap().0;
            shapes.learn(row.as_bytes(), (&node, Names::Exact), &record);
        }
        assert!(shapes.shapes.is_empty());
    }

    /// Whatever the shapes read of these rows, the parser reads alike, and as far. Returns how many rows
    /// they read.
    fn assert_read_alike(shapes: &mut Shapes, rows: &[Vec<u8>]) -> usize {
        let (node, mut n_read) = (node(), 0);
        for row in rows {
            let mut record = empty();
            let read = shapes.read(row, &mut record);
            let expected = parsed(&node, row);
            if let Some(read) = read {
                let (expected, n) = expected.expect("the parser reads it, too");
                assert_eq!((record.values(), read), (expected.values(), taken(row, n)));
                n_read += 1;
            } else if let Some((record, len)) = expected {
                shapes.learn(&row[..len], (&node, Names::Exact), &record);
            }
        }
        n_read
    }

    #[test]
    fn what_many_rows_have_in_common_may_be_another_in_a_later_one() {
        let row = |at: usize, kind: &str, n: &str| {
            format!(r#"{{"id":"{at}","kind":{kind},"n":{n},"other":"x"}}"#).into_bytes()
        };
        let mut rows: Vec<_> = (0..40).map(|at| row(at, r#""a""#, "1")).collect();
        rows.extend((40..50).map(|at| row(at, "null", "1")));
        rows.push(row(50, r#""a"#, "1"));
        rows.extend((51..200).map(|at| row(at, r#""ab""#, "12")));
        let mut shapes = Shapes::default();
        assert_eq!(assert_read_alike(&mut shapes, &rows), 198); // Neither the first nor the cut one.
        let narrow = &shapes.shapes[0].narrow.form.as_ref().unwrap();
        assert_eq!(narrow.tokens.len(), 1);
        assert!(narrow.end.starts_with(br#"","kind":"ab","n":12,"#));
    }

    fn a_value() -> impl Strategy<Value = String> {
        prop_oneof![
            Just("null"),
            Just("true"),
            Just("false"),
            Just("\"\""),
            Just("\"true\""),
            Just("\"x\""),
            Just("\"a\\\"b\""),
            Just("\"é\""),
            Just("0"),
            Just("-1"),
            Just("12"),
            Just("1.0"),
            Just("1e2"),
            Just("{}"),
            Just("[]"),
            Just("[\"p\",\"q\"]"),
            Just("[1,null]"),
            Just("{\"b\":\"y\"}"),
            Just("{\"b\":7}"),
            Just("{\"c\":[\"z\\t\",4]}"),
            Just("[{\"value\":\"u\"}]"),
            Just("[{\"value\":\"u\",\"primary\":true},{\"value\":\"v\"}]"),
            Just("[{\"value\":\"u\",\"Primary\":\"true\"},{\"primary\":false}]"),
        ]
        .prop_map(str::to_owned)
    }

    fn a_row() -> impl Strategy<Value = String> {
        let name = prop::sample::select(&["id", "a", "mails", "roles", "tags", "on", "other"][..]);
        let member = (name, a_value()).prop_map(|(name, value)| format!("\"{name}\":{value}"));
        prop::collection::vec(member, 0..6).prop_map(|it| format!("{{{}}}", it.join(",\n")))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        /// Whatever a shape reads, the parser reads alike, and as far.
        #[test]
        fn shapes_read_what_the_parser_reads(
            rows in prop::collection::vec(a_row(), 1..8),
            broken in any::<prop::sample::Index>(),
            byte in any::<u8>(),
        ) {
            let damaged = |row: &String| {
                let mut damaged = row.clone().into_bytes();
                let at = broken.index(damaged.len());
                damaged[at] = byte;
                damaged
            };
            let rows: Vec<_> =
                rows.iter().flat_map(|it| [it.clone().into_bytes(), damaged(it)]).collect();
            assert_read_alike(&mut Shapes::default(), &rows);
        }

        /// So it is where many rows have values in common, and some have others.
        #[test]
        fn values_in_common_change_nothing(
            all in prop::collection::vec((a_value(), a_value(), 0_usize..40), 1..5),
            n_rows in 20_usize..60,
            broken in any::<prop::sample::Index>(),
            byte in any::<u8>(),
        ) {
            let member = |(at, (usual, other, since)): (usize, &(String, String, usize)), row: usize| {
                let value = if row % (since + 1) == since % 7 { other } else { usual };
                format!("\"{}\":{value}", PATHS.get(at).unwrap_or(&"more"))
            };
            let row = |row: usize| {
                let members: Vec<_> = all.iter().enumerate().map(|it| member(it, row)).collect();
                format!("{{{}}}", members.join(", ")).into_bytes()
            };
            let mut rows: Vec<_> = (0..n_rows).map(row).collect();
            let damaged = &mut rows[n_rows - 2];
            let at = broken.index(damaged.len());
            damaged[at] = byte;
            assert_read_alike(&mut Shapes::default(), &rows);
        }
    }
}
