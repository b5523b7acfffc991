//! What a pull brought: one list of one system, and how much of it was seen.

use chrono::{DateTime, Utc};

use crate::{Rows, SystemId, Text, named};

/// A SHA-256.
pub type Digest = [u8; 32];

/// The store's number of one row of one list, the same over all its versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntityId(pub i64);

/// The store's number of one snapshot. Later snapshots have higher numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SnapshotId(pub i64);

named! {
    /// What a connected system is to us.
    pub enum SystemKind {
        /// Says who should have access.
        Idp = "idp",
        /// Says who has it.
        App = "app",
        /// Says who leaves.
        Hr = "hr",
        /// Says which accounts belong to no person.
        Register = "register",
    }
}

named! {
    /// One kind of list.
    pub enum List {
        /// Users of an IdP.
        Identities = "identities",
        /// Who may use the app.
        Assignments = "assignments",
        /// Direct members of groups.
        Memberships = "memberships",
        /// Accounts of an app.
        Accounts = "accounts",
        /// Registered non-human accounts.
        NonHumans = "nonhumans",
        /// Leavers by HR.
        Leavers = "leavers",
    }
}

named! {
    /// One way of seeing an app.
    pub enum Channel {
        /// SCIM `GET /Users`.
        Scim = "scim",
        /// Secureframe's own REST API, `/users`.
        SecureframeApi = "secureframe_api",
        /// An export of the console, or an attestation.
        File = "file",
    }
}

/// What stays the same from night to night: one list of one system, seen one way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stream {
    /// Whose list.
    pub system: SystemId,
    /// Which list.
    pub list: List,
    /// Which way it is seen; `None` for all but accounts.
    pub channel: Option<Channel>,
}

impl std::fmt::Display for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.system, self.list)?;
        match self.channel {
            Some(channel) => write!(f, " ({channel})"),
            None => Ok(()),
        }
    }
}

/// One list as one pull saw it.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// Which list.
    pub stream: Stream,
    /// As of when it speaks.
    pub as_of: AsOf,
    /// How much of the list this is.
    pub coverage: Coverage,
    /// Whom the list is about when it is complete.
    pub population: Population,
    /// The form of this IdP's ids; `None` for lists of other systems and for sources without ids.
    pub id_form: Option<IdForm>,
    /// The rows, each key once.
    pub rows: Rows,
    /// Where each row was read, in the order of `rows`.
    pub origins: Vec<RowOrigin>,
    /// The requests or files behind it, in the order they were read.
    pub requests: Vec<Request>,
    /// Peculiarities for the report: unmapped values, text booleans, unknown columns.
    pub notes: Vec<String>,
}

/// As of when a list speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AsOf {
    /// The instant. For an answer to a request, when the request was sent.
    pub at: DateTime<Utc>,
    /// How we know.
    pub basis: AsOfBasis,
}

named! {
    /// How the as-of time of a list is known.
    pub enum AsOfBasis {
        /// The operator, the file's name or the request says so.
        Stated = "stated",
        /// The data says so.
        InData = "in_data",
        /// Assumed: the file's modification time.
        FileTime = "file_time",
    }
}

/// How much of a list was seen. A claim from absence needs `Complete`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Coverage {
    /// All of it.
    Complete(Proof),
    /// Some of it.
    Partial {
        /// Why, for the operator.
        reason: String,
    },
}

impl Coverage {
    /// Returns true when all of the list was seen.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        matches!(self, Self::Complete(_))
    }
}

named! {
    /// Why a list counts as complete.
    pub enum Proof {
        /// As many unique rows as the source states.
        StatedTotal = "stated_total",
        /// Read to its end, which the source itself marks: no next page, no further cursor.
        ReadToEnd = "read_to_end",
        /// Read to its end, and the profile or the operator declares such a file whole.
        DeclaredWhole = "declared_whole",
        /// Read to its end, and nobody declared anything (`check`): taken on your word.
        YourWord = "your_word",
    }
}

named! {
    /// Whom a complete list is about.
    pub enum Population {
        /// Everyone the system knows: not listed means gone.
        Everyone = "everyone",
        /// Those with access: not listed means not assigned.
        Assigned = "assigned",
    }
}

named! {
    /// What the user ids of an IdP look like, so that an id unknown there can be told from a
    /// text that never was one.
    pub enum IdForm {
        /// `00u` and 17 letters or digits.
        Okta = "okta",
        /// A GUID.
        Entra = "entra",
        /// Digits.
        OneLogin = "onelogin",
    }
}

impl IdForm {
    /// Returns true when `id` has this form.
    #[must_use]
    pub fn fits(self, id: &str) -> bool {
        match self {
            Self::Okta => {
                id.len() == 20
                    && id.starts_with("00u")
                    && id.bytes().all(|it| it.is_ascii_alphanumeric())
            }
            Self::Entra => {
                id.len() == 36
                    && id.bytes().enumerate().all(|(at, it)| match at {
                        8 | 13 | 18 | 23 => it == b'-',
                        _ => it.is_ascii_hexdigit(),
                    })
            }
            Self::OneLogin => !id.is_empty() && id.bytes().all(|it| it.is_ascii_digit()),
        }
    }
}

/// Where a row was read. Packed: of a list there are as many as rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(Rust, packed(4))]
pub struct RowOrigin {
    /// Which of the snapshot's requests, from 0.
    pub request: u32,
    /// Line in a file of lines, or number of the row in an array; from 1.
    pub line: u32,
    /// Where the raw row begins in the decoded body, in bytes.
    pub offset: u64,
    /// Its length in bytes.
    pub len: u32,
}

/// One request, or one file read, behind a snapshot. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `GET`, or `FILE`.
    pub method: Text,
    /// The URL without secrets, or the path as the settings write it.
    pub url: Text,
    /// HTTP status; `None` for a file.
    pub status: Option<u16>,
    /// Bytes of the body as it came (still compressed, for a compressed file).
    pub n_bytes: u64,
    /// SHA-256 of those bytes.
    pub sha256: Digest,
    /// The answer's `Date` header, or the file's modification time.
    pub date: Option<DateTime<Utc>>,
    /// The answer's request id; `None` when it had none.
    pub request_id: Option<Text>,
    /// Rows in it, before duplicates are dropped.
    pub n_rows: u64,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// How long we waited before we sent it, in milliseconds: for the source's rate limit, or after
    /// a try that failed.
    pub waited_ms: u64,
}

/// A raw row that a conclusion rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// Whose row.
    pub entity: EntityId,
    /// The bytes as they were read, decoded to UTF-8 where the file was not.
    pub bytes: Vec<u8>,
}

/// A snapshot without its rows: what claims, explanations and later runs refer to.
#[derive(Clone, Debug, PartialEq)]
pub struct SnapshotRef {
    /// Its number.
    pub id: SnapshotId,
    /// Which list.
    pub stream: Stream,
    /// As of when it speaks.
    pub as_of: AsOf,
    /// How much of the list it is.
    pub coverage: Coverage,
    /// Whom the list is about when it is complete.
    pub population: Population,
    /// The form of this IdP's ids; `None` where there is none.
    pub id_form: Option<IdForm>,
    /// Why its absences do not count; `None` when they do.
    pub held: Option<String>,
    /// Unique rows.
    pub n_rows: u64,
    /// Merkle root over the sorted row hashes.
    pub digest: Digest,
    /// SHA-256 over the digests of its requests: the same only for the very same bytes.
    pub body_digest: Digest,
}

impl SnapshotRef {
    /// Names it for people: `snapshot 3, as of 2026-11-20T02:00:00Z, 60 rows`.
    #[must_use]
    pub fn describe(&self) -> String {
        let at = self.as_of.at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        format!("snapshot {}, as of {at}, {} rows", self.id.0, self.n_rows)
    }

    /// Returns true when a claim from absence may rest on it (freshness aside).
    #[must_use]
    pub const fn supports_absence(&self) -> bool {
        self.coverage.is_complete() && self.held.is_none()
    }
}
