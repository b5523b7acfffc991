//! Attribute-based scoping filters of the provisioning job: whom Entra leaves out of the app although
//! they are assigned. An operator says them as they stand in the attribute mapping; Graph gives the
//! attributes.
//!
//! Source: Microsoft Entra, "Scoping users or groups to be provisioned with scoping filters". Clauses
//! of one filter are joined by AND, filters by OR; an attribute that is null or empty fails every
//! clause but IS NULL. What the page leaves open is undecided here: whether ENDS WITH heeds case, and
//! whether a pattern must match the whole value. So is an attribute that was not read.

use domain::{Assignment, Grant, GroupRef, Lifecycle, Membership, Principal, Rows, Text, Via};
use regex::{Regex, RegexBuilder};
use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::Value;

use super::groups::Members;
use crate::bodies::Bodies;
use crate::page::ListRead;
use crate::walk::{End, Walked};

/// Attributes of one value that a clause may name, as Microsoft Graph calls them.
pub const ATTRIBUTES: &[&str] = &[
    "accountEnabled",
    "city",
    "companyName",
    "country",
    "creationType",
    "department",
    "displayName",
    "employeeId",
    "employeeType",
    "externalUserState",
    "givenName",
    "isResourceAccount",
    "jobTitle",
    "mail",
    "mailNickname",
    "officeLocation",
    "onPremisesDomainName",
    "onPremisesImmutableId",
    "onPremisesSamAccountName",
    "onPremisesSyncEnabled",
    "onPremisesUserPrincipalName",
    "postalCode",
    "preferredLanguage",
    "state",
    "streetAddress",
    "surname",
    "usageLocation",
    "userPrincipalName",
    "userType",
];

/// `extensionAttribute1` to this one are members of an object of their own in Graph.
const EXTENSIONS: u8 = 15;

/// The object that holds the extension attributes.
const EXTENSIONS_OF: &str = "onPremisesExtensionAttributes";

/// Longest pattern. Those of the attribute mapping are typed by hand.
const PATTERN_BYTES_MAX: usize = 1000;

/// Rows whose raw bytes are looked at together.
const ROWS_AT_A_TIME: usize = 1000;

/// All filters of a job; somebody is in scope by any of them. Empty: nobody is left out.
#[derive(Clone, Debug, Default)]
pub struct ScopingFilters(pub Vec<Vec<Clause>>);

/// One condition on one attribute.
#[derive(Clone, Debug)]
pub struct Clause {
    attribute: String,
    operator: Operator,
}

/// What a clause asks for.
#[derive(Clone, Debug)]
pub enum Operator {
    /// EQUALS: exactly, in this case.
    Equals(String),
    /// NOT EQUALS.
    NotEquals(String),
    /// ENDS WITH.
    EndsWith(String),
    /// Includes: contains it, in this case.
    Includes(String),
    /// REGEX MATCH.
    Matches(Pattern),
    /// NOT REGEX MATCH.
    NotMatches(Pattern),
    /// Greater Than, of whole numbers.
    GreaterThan(i64),
    /// Greater Than OR EQUALS.
    GreaterOrEquals(i64),
    /// IS NULL: null or empty.
    IsNull,
    /// IS NOT NULL.
    IsNotNull,
    /// IS TRUE.
    IsTrue,
    /// IS FALSE.
    IsFalse,
    /// Another that cannot be said here: it decides nothing about anybody.
    Other,
}

/// A pattern, read in both ways in which it may be meant.
#[derive(Clone, Debug)]
pub struct Pattern {
    somewhere: Regex,
    whole: Regex,
}

/// Whether provisioning reaches somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InScope {
    /// It does.
    In,
    /// The filters leave them out.
    Out,
    /// It cannot be said.
    Undecided,
}

/// What stands within the brackets of a pattern and means something else in .NET than here: a class
/// in a class, and operators on sets.
fn set_operator(pattern: &str) -> Option<&str> {
    let (mut is_escaped, mut is_within) = (false, false);
    for (at, letter) in pattern.char_indices() {
        let rest = pattern.get(at..).unwrap_or_default();
        let operator = ["[", "&&", "--", "~~"].into_iter().find(|it| rest.starts_with(it));
        match letter {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            _ if is_within && operator.is_some() => return operator,
            '[' => is_within = true,
            ']' => is_within = false,
            _ => {}
        }
    }
    None
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    ///
    /// Returns why it cannot be used: Entra's patterns are .NET's, and look-around and references
    /// back are not known here.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > PATTERN_BYTES_MAX {
            return Err(format!("has more than {PATTERN_BYTES_MAX} bytes"));
        }
        if let Some(what) = set_operator(text) {
            return Err(format!("has `{what}` within brackets, which .NET reads otherwise"));
        }
        let build = |text: &str| RegexBuilder::new(text).build().map_err(|it| it.to_string());
        Ok(Self { somewhere: build(text)?, whole: build(&format!("^(?:{text})$"))? })
    }

    /// `None`: it depends on how the pattern is meant.
    fn is_match(&self, value: &str) -> Option<bool> {
        let (somewhere, whole) = (self.somewhere.is_match(value), self.whole.is_match(value));
        (somewhere == whole).then_some(whole)
    }
}

impl Clause {
    /// A clause; `None`: the attribute is none that can be read.
    #[must_use]
    pub fn new(attribute: &str, operator: Operator) -> Option<Self> {
        let is_known = ATTRIBUTES.contains(&attribute) || is_extension(attribute);
        is_known.then(|| Self { attribute: attribute.to_owned(), operator })
    }

    /// `None`: undecided.
    fn holds(&self, row: &Value) -> Option<bool> {
        let value = match is_extension(&self.attribute) {
            true => {
                row.get(EXTENSIONS_OF).map(|it| it.get(&self.attribute).unwrap_or(&Value::Null))
            }
            false => row.get(&self.attribute),
        };
        let value = value?;
        let is_empty = value.is_null() || value.as_str() == Some("");
        match (&self.operator, is_empty) {
            (Operator::Other, _) => None,
            (Operator::IsNull, _) => Some(is_empty),
            (_, true) => Some(false),
            (Operator::IsNotNull, false) => Some(true),
            (Operator::IsTrue, false) => value.as_bool(),
            (Operator::IsFalse, false) => value.as_bool().map(|it| !it),
            (Operator::GreaterThan(least), false) => whole_number(value).map(|it| it > *least),
            (Operator::GreaterOrEquals(least), false) => whole_number(value).map(|it| it >= *least),
            (operator, false) => operator.holds(value.as_str()?),
        }
    }
}

impl Operator {
    /// What it says of a text that is not empty.
    fn holds(&self, text: &str) -> Option<bool> {
        match self {
            Self::Equals(wanted) => Some(text == wanted),
            Self::NotEquals(wanted) => Some(text != wanted),
            Self::Includes(part) => Some(text.contains(part)),
            Self::EndsWith(end) => {
                let as_written = text.ends_with(end);
                let in_any_case = text.to_lowercase().ends_with(&end.to_lowercase());
                (as_written == in_any_case).then_some(as_written)
            }
            Self::Matches(pattern) => pattern.is_match(text),
            Self::NotMatches(pattern) => pattern.is_match(text).map(|it| !it),
            Self::GreaterThan(_)
            | Self::GreaterOrEquals(_)
            | Self::IsNull
            | Self::IsNotNull
            | Self::IsTrue
            | Self::IsFalse
            | Self::Other => None,
        }
    }
}

impl ScopingFilters {
    /// Returns true when there is no filter.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Members of a user that must be read for them, each once.
    pub(super) fn members(&self) -> Vec<&str> {
        let clauses = self.0.iter().flatten();
        let members = clauses
            .map(|it| if is_extension(&it.attribute) { EXTENSIONS_OF } else { &it.attribute });
        let mut members: Vec<&str> = members.collect();
        members.sort_unstable();
        members.dedup();
        members
    }

    /// Whether provisioning reaches this user, by the row as Graph gave it.
    pub(super) fn reach(&self, row: &[u8]) -> InScope {
        let Ok(row) = serde_json::from_slice::<Value>(row) else { return InScope::Undecided };
        let all = |clauses: &Vec<Clause>| {
            let mut said = clauses.iter().map(|it| it.holds(&row));
            let (mut is_undecided, mut fails) = (false, false);
            said.all(|it| {
                is_undecided |= it.is_none();
                fails |= it == Some(false);
                !fails
            });
            if fails { Some(false) } else { (!is_undecided).then_some(true) }
        };
        let filters: Vec<Option<bool>> = self.0.iter().map(all).collect();
        if filters.is_empty() || filters.contains(&Some(true)) {
            InScope::In
        } else if filters.contains(&None) {
            InScope::Undecided
        } else {
            InScope::Out
        }
    }

    /// What the filters say of the users of one page, and whether they decide about anybody. `None`:
    /// it is no page.
    pub(super) fn shown(&self, page: &[u8]) -> Option<(String, bool)> {
        let page: Value = serde_json::from_slice(page).ok()?;
        let mut count = Count::default();
        for row in page.get("value")?.as_array()? {
            count.add(self.reach(row.to_string().as_bytes()));
        }
        let decides = count.n_in + count.n_out > 0 || count.n_undecided == 0;
        Some((format!("Of some users: {}.", count.shown()), decides))
    }

    /// Whom provisioning reaches, by id, of those who have not left.
    fn verdicts(&self, users: &Walked) -> FxHashMap<Text, InScope> {
        let Rows::Identities(rows) = &users.list.rows else { return FxHashMap::default() };
        let here: Vec<(usize, &str)> = rows
            .iter_packed()
            .enumerate()
            .filter(|it| it.1.lifecycle != Lifecycle::Left)
            .map(|(at, it)| (at, it.id))
            .collect();
        let mut verdicts = FxHashMap::default();
        for some in here.chunks(ROWS_AT_A_TIME) {
            let numbers: Vec<usize> = some.iter().map(|it| it.0).collect();
            for ((_, id), body) in some.iter().zip(users.list.bodies.read(&numbers)) {
                let reach = body.map_or(InScope::Undecided, |it| self.reach(&it));
                verdicts.insert(Text::from(*id), reach);
            }
        }
        verdicts
    }

    /// Makes a list of who is assigned, each member of a group by themselves, and takes the app from
    /// whom the filters leave out. Who was not read is undecided.
    pub(super) fn withhold(
        &self,
        users: Option<&Walked>,
        assigned: &mut Walked,
        members: Option<&mut Members>,
    ) {
        let verdicts = users.map(|it| self.verdicts(it)).unwrap_or_default();
        let reach = |id: &Text| verdicts.get(id).copied().unwrap_or(InScope::Undecided);
        let (groups, mut seen) = by_hand(&mut assigned.list);
        if let Some(members) = members {
            let through_groups = of_members(&members.walked.list, &groups, &mut seen);
            assigned.list.append(through_groups, assigned.requests.len());
            assigned.requests.extend(members.walked.requests.iter().cloned());
            members.reasons.extend(without_members(&members.walked.list, &groups));
        }
        let has_left: FxHashSet<&str> = match users.map(|it| &it.list.rows) {
            Some(Rows::Identities(rows)) => {
                let left = rows.iter_packed().filter(|it| it.lifecycle == Lifecycle::Left);
                left.map(|it| it.id).collect()
            }
            _ => FxHashSet::default(),
        };
        let mut count = Count::default();
        if let Rows::Assignments(rows) = &mut assigned.list.rows {
            rows.update(|row| {
                let Principal::Identity(id) = &row.principal else { return };
                // Who has left needs no filter.
                if row.grant != Grant::Grants || has_left.contains(&**id) {
                    return;
                }
                let reach = reach(id);
                count.add(reach);
                restate(row, reach);
            });
        }
        assigned.list.notes.push(count.shown());
    }

    /// Who has the app where everybody is assigned whom the filters reach: a list made of that of
    /// users.
    pub(super) fn assign(&self, users: &Walked) -> Walked {
        let verdicts = self.verdicts(users);
        let mut count = Count::default();
        let ids: Vec<&str> = match &users.list.rows {
            Rows::Identities(rows) => rows.iter_packed().map(|it| it.id).collect(),
            _ => Vec::new(),
        };
        let is_here = |it: usize| ids.get(it).is_some_and(|it| verdicts.contains_key(*it));
        let rows = ids.iter().filter_map(|id| {
            let reach = *verdicts.get(*id)?;
            count.add(reach);
            Some(assignment(Text::from(*id), Via::NotStated, reach))
        });
        let rows = Rows::Assignments(rows.collect());
        let list = part_of(&users.list, rows, is_here);
        let unread = (!users.is_whole())
            .then(|| "the list of users is not whole, and this is made of it".to_owned());
        let mut made = Walked {
            list,
            requests: users.requests.clone(),
            began_at: users.began_at,
            unread: unread.or_else(|| users.unread.clone()),
            proof: users.proof,
            end: End::Whole,
        };
        made.list.notes.push(count.shown());
        made
    }
}

/// Changes what a row that grants says, for somebody whom provisioning may not reach.
pub(super) fn restate(row: &mut Assignment, reach: InScope) {
    row.grant = match reach {
        InScope::In => return,
        InScope::Out => Grant::Denies,
        InScope::Undecided => Grant::Undecided,
    };
    // The row says when they were assigned, and nothing says since when they are left out.
    row.changed_at = None;
}

pub(super) fn assignment(id: Text, via: Via, reach: InScope) -> Assignment {
    let mut row = Assignment {
        principal: Principal::Identity(id),
        via,
        grant: Grant::Grants,
        raw_status: None,
        account_id: None,
        user_name: None,
        changed_at: None,
    };
    restate(&mut row, reach);
    row
}

/// Takes the rows of groups out of a list of who is assigned. Gives those groups, and who is assigned
/// by hand.
fn by_hand(list: &mut ListRead) -> (FxHashMap<Text, GroupRef>, FxHashSet<Text>) {
    let Rows::Assignments(rows) = &mut list.rows else { return Default::default() };
    let stays: Vec<bool> =
        rows.iter_packed().map(|it| matches!(it.principal, Principal::Identity(_))).collect();
    let (mut groups, mut ids) = (FxHashMap::default(), FxHashSet::default());
    for row in rows.iter().filter(|it| it.grant == Grant::Grants) {
        match (&row.principal, &row.via) {
            (Principal::Group(id), Via::Groups(named)) => {
                groups.extend(named.first().map(|it| (id.clone(), it.clone())));
            }
            (Principal::Group(_), _) => {}
            (Principal::Identity(id), _) => drop(ids.insert(id.clone())),
        }
    }
    let stays = |at: usize| stays.get(at) == Some(&true);
    rows.keep(stays);
    keep(&mut list.origins, stays);
    list.bodies.retain(stays);
    (groups, ids)
}

/// The members of groups as rows of who has the app, each once, but for those who are `seen`.
fn of_members(
    list: &ListRead,
    groups: &FxHashMap<Text, GroupRef>,
    seen: &mut FxHashSet<Text>,
) -> ListRead {
    let mut through: FxHashMap<&str, usize> = FxHashMap::default();
    let (mut first, mut rows): (Vec<usize>, Vec<Assignment>) = (Vec::new(), Vec::new());
    let memberships: Vec<Membership<&str>> = match &list.rows {
        Rows::Memberships(rows) => rows.iter_packed().collect(),
        _ => Vec::new(),
    };
    for (at, row) in memberships.into_iter().enumerate() {
        let (Principal::Identity(id), Some(group)) = (row.member, groups.get(row.group)) else {
            continue;
        };
        let known = through.get(id).and_then(|it| rows.get_mut(*it));
        match known.map(|it| &mut it.via) {
            Some(Via::Groups(all)) => all.push(group.clone()),
            _ if seen.insert(id.into()) => {
                through.insert(id, rows.len());
                first.push(at);
                let via = Via::Groups(vec![group.clone()]);
                rows.push(assignment(id.into(), via, InScope::In));
            }
            _ => {}
        }
    }
    part_of(list, Rows::Assignments(rows.into()), |at| first.binary_search(&at).is_ok())
}

/// That of some group no member was shown: it may be empty, or its members may not be shown to us.
fn without_members(list: &ListRead, groups: &FxHashMap<Text, GroupRef>) -> Option<String> {
    let shown: FxHashSet<&str> = match &list.rows {
        Rows::Memberships(rows) => rows.iter_packed().map(|it| it.group).collect(),
        _ => FxHashSet::default(),
    };
    let unseen = groups.keys().filter(|it| !shown.contains(&***it)).min()?;
    Some(format!("of the assigned group `{unseen}` no member was shown"))
}

/// Some rows of a list under another meaning, with where they were read.
fn part_of(list: &ListRead, rows: Rows, has: impl Fn(usize) -> bool) -> ListRead {
    let mut bodies: Bodies = list.bodies.clone();
    bodies.retain(&has);
    let mut origins = list.origins.clone();
    keep(&mut origins, &has);
    ListRead {
        rows,
        origins,
        bodies,
        population: list.population,
        notes: Vec::new(),
        unmapped: Vec::new(),
        n_silent: 0,
        withheld: FxHashSet::default(),
        n_repeated: 0,
        conflicts: Vec::new(),
    }
}

fn keep<T>(rows: &mut Vec<T>, stays: impl Fn(usize) -> bool) {
    let mut at = 0;
    rows.retain(|_| {
        at += 1;
        stays(at - 1)
    });
}

/// How many the filters reach.
#[derive(Debug, Default)]
struct Count {
    n_in: u64,
    n_out: u64,
    n_undecided: u64,
}

impl Count {
    const fn add(&mut self, reach: InScope) {
        match reach {
            InScope::In => self.n_in += 1,
            InScope::Out => self.n_out += 1,
            InScope::Undecided => self.n_undecided += 1,
        }
    }

    fn shown(&self) -> String {
        format!(
            "scoping filters: {} in scope, {} left out, {} undecided",
            self.n_in, self.n_out, self.n_undecided
        )
    }
}

/// A whole number, also as text.
fn whole_number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

fn is_extension(attribute: &str) -> bool {
    let number = attribute.strip_prefix("extensionAttribute").and_then(|it| it.parse::<u8>().ok());
    number.is_some_and(|it| (1..=EXTENSIONS).contains(&it))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANA: &str = r#"{"id":"a1","userPrincipalName":"ana@Acme.test","department":"Sales",
        "employeeId":"1041","jobTitle":"","companyName":null,"accountEnabled":true,
        "onPremisesExtensionAttributes":{"extensionAttribute1":"EU","extensionAttribute2":null}}"#;

    fn pattern(text: &str) -> Pattern {
        Pattern::parse(text).unwrap()
    }

    fn clause(attribute: &str, operator: Operator) -> Clause {
        Clause::new(attribute, operator).unwrap()
    }

    #[test]
    fn what_brackets_mean_otherwise_in_net_is_refused() {
        for text in ["^[a-z-[aeiou]]+$", "[a&&b]", "[a--b]", "[a~~b]"] {
            assert!(Pattern::parse(text).is_err(), "{text}");
        }
        for text in ["^[a-z\\[-]+$", "a&&b", "[a-z]--[0-9]", "\\[[a-z]"] {
            assert!(Pattern::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_clause_holds_fails_or_cannot_be_said() {
        use Operator::*;
        let text = str::to_owned;
        for (attribute, operator, holds) in [
            ("department", Equals(text("Sales")), Some(true)),
            ("department", Equals(text("sales")), Some(false)),
            ("department", NotEquals(text("Legal")), Some(true)),
            ("department", Includes(text("ale")), Some(true)),
            ("department", Includes(text("ALE")), Some(false)),
            ("userPrincipalName", EndsWith(text("@Acme.test")), Some(true)),
            ("userPrincipalName", EndsWith(text("@other.test")), Some(false)),
            // Whether case counts is not documented.
            ("userPrincipalName", EndsWith(text("@acme.test")), None),
            ("userPrincipalName", Matches(pattern(r".*\@Acme\.test")), Some(true)),
            ("userPrincipalName", NotMatches(pattern(r".*\@Acme\.test")), Some(false)),
            ("userPrincipalName", Matches(pattern("zoe")), Some(false)),
            // Nor whether a pattern must match all of it.
            ("userPrincipalName", Matches(pattern("Acme")), None),
            ("userPrincipalName", NotMatches(pattern("Acme")), None),
            ("employeeId", GreaterThan(1041), Some(false)),
            ("employeeId", GreaterOrEquals(1041), Some(true)),
            ("department", GreaterThan(1), None),
            ("accountEnabled", IsTrue, Some(true)),
            ("accountEnabled", IsFalse, Some(false)),
            ("department", IsTrue, None),
            ("department", IsNull, Some(false)),
            ("department", IsNotNull, Some(true)),
            // Null or empty fails all but IS NULL.
            ("jobTitle", IsNull, Some(true)),
            ("companyName", IsNull, Some(true)),
            ("companyName", IsNotNull, Some(false)),
            ("companyName", NotEquals(text("Acme")), Some(false)),
            ("companyName", NotMatches(pattern("Acme")), Some(false)),
            ("companyName", Other, None),
            ("extensionAttribute1", Equals(text("EU")), Some(true)),
            ("extensionAttribute2", IsNull, Some(true)),
            ("extensionAttribute3", IsNull, Some(true)),
            // What was not read is not empty.
            ("city", IsNull, None),
            ("city", Equals(text("Graz")), None),
        ] {
            let clause = clause(attribute, operator);
            let row = serde_json::from_str(ANA).unwrap();
            assert_eq!(clause.holds(&row), holds, "{clause:?}");
        }
    }

    #[test]
    fn clauses_are_joined_by_and_and_filters_by_or() {
        let holds = || clause("department", Operator::Equals("Sales".to_owned()));
        let fails = || clause("department", Operator::Equals("Legal".to_owned()));
        let open = || clause("city", Operator::IsNull);
        for (filters, reach) in [
            (vec![], InScope::In),
            (vec![vec![holds()]], InScope::In),
            (vec![vec![holds(), fails()]], InScope::Out),
            (vec![vec![holds(), open()]], InScope::Undecided),
            (vec![vec![open(), fails()]], InScope::Out),
            (vec![vec![fails()], vec![holds()]], InScope::In),
            (vec![vec![open()], vec![holds()]], InScope::In),
            (vec![vec![open()], vec![fails()]], InScope::Undecided),
            (vec![vec![fails()], vec![fails()]], InScope::Out),
        ] {
            let filters = ScopingFilters(filters);
            assert_eq!(filters.reach(ANA.as_bytes()), reach, "{filters:?}");
        }
        let filters =
            ScopingFilters(vec![vec![holds(), clause("extensionAttribute4", Operator::IsNull)]]);
        assert_eq!(filters.members(), ["department", EXTENSIONS_OF]);
        assert_eq!(filters.reach(b"<html>"), InScope::Undecided);
    }

    #[test]
    fn only_attributes_that_can_be_read_are_known() {
        for attribute in ["department", "extensionAttribute1", "extensionAttribute15"] {
            assert!(Clause::new(attribute, Operator::IsNull).is_some(), "{attribute}");
        }
        for attribute in ["Department", "extensionAttribute0", "extensionAttribute16", "otherMails"]
        {
            assert!(Clause::new(attribute, Operator::IsNull).is_none(), "{attribute}");
        }
        assert!(Pattern::parse("(?=look)").unwrap_err().contains("look"));
        assert!(Pattern::parse(&"a".repeat(2000)).is_err());
    }
}
