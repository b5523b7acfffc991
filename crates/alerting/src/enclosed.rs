//! The report of a run as it leaves with its notice: its page for a mailbox, its counts and the head
//! of the evidence log for a program, and its document where the settings say so.
//!
//! It renders nothing and cuts nothing short: what is too large stays away, and that is said.

use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use domain::{Digest, Grade};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::Letter;
use crate::letter::time;

/// Longest page or document that goes along, in bytes. A page is a third longer in base64, and many
/// mail servers take 20 MB.
pub const ENCLOSED_MAX: usize = 12 << 20;

/// The report of one run.
#[derive(Clone, Debug)]
pub struct Enclosed {
    /// When the run judged.
    pub judged_at: DateTime<Utc>,
    /// It saw every list whole.
    pub is_complete: bool,
    /// The apps, in order of name.
    pub apps: Vec<AppStand>,
    /// The head of the evidence log when it is sent, in which the run is; `None`: there is none.
    pub head: Option<Head>,
    /// The page, HTML. It names people.
    pub page: Vec<u8>,
    /// The document, JSON, as it was kept. It names people.
    pub document: Vec<u8>,
    /// The document may go to a program, and not its counts alone.
    pub shows_document: bool,
}

/// How one app stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppStand {
    /// Its name.
    pub app: String,
    /// How sure that is.
    pub grade: Grade,
    /// Findings that live, by the name of their state; also those with 0.
    pub by_state: Vec<(&'static str, u64)>,
    /// Those of them that are open and critical.
    pub n_open_critical: u64,
}

/// The head of the evidence log: what shows later that nobody wrote it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// How many entries.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Digest,
    /// The checkpoint as it was written, with its signatures.
    pub checkpoint: String,
}

impl Enclosed {
    /// The least sure grade of all apps; `None` without any.
    #[must_use]
    pub fn grade(&self) -> Option<Grade> {
        self.apps.iter().map(|it| it.grade).max()
    }

    /// What a mail says of what is attached to it, a sentence each.
    pub(crate) fn sentences(&self) -> Vec<String> {
        let page = match left_out(&self.page) {
            None => "The page of the report is attached. It names people.".to_owned(),
            Some(why) => format!("The page of the report is not attached: {why}."),
        };
        let head = self.head.as_ref().map_or_else(
            || "The evidence log has no head yet.".to_owned(),
            |it| {
                format!(
                    "Head of the evidence log: {} entries, root {}. Keep the attached checkpoint: \
                     `driftline ledger verify --since FILE` shows by it that nobody wrote the log \
                     again.",
                    it.size,
                    HEXLOWER.encode(&it.root)
                )
            },
        );
        vec![page, head]
    }

    /// The page, where it is not too large.
    pub(crate) fn page(&self) -> Option<&[u8]> {
        left_out(&self.page).is_none().then_some(&self.page)
    }

    /// The `data` of its event: counts and digests, no person; with the document where the settings
    /// say so.
    pub(crate) fn data(&self, letter: &Letter) -> Value {
        let of_app = |it: &AppStand| {
            let by_state = it.by_state.iter().map(|(state, n)| ((*state).to_owned(), (*n).into()));
            json!({
                "app": it.app,
                "grade": it.grade.name(),
                "by_state": by_state.collect::<serde_json::Map<String, Value>>(),
                "n_open_critical": it.n_open_critical,
            })
        };
        let head = self.head.as_ref().map(|it| {
            json!({
                "size": it.size,
                "root_sha256": HEXLOWER.encode(&it.root),
                "checkpoint": it.checkpoint,
            })
        });
        let mut data = json!({
            "key": &*letter.notice.key,
            "notice": letter.id.0,
            "reason": letter.notice.reason.name(),
            "run": letter.notice.run.map(|it| it.0),
            "judged_at": time(self.judged_at),
            "is_complete": self.is_complete,
            "grade": self.grade().map(Grade::name),
            "apps": self.apps.iter().map(of_app).collect::<Vec<Value>>(),
            "ledger": head,
            "report_sha256": HEXLOWER.encode(&Sha256::digest(&self.document)),
            "report_url": letter.report_url,
        });
        if let (true, Some(data)) = (self.shows_document, data.as_object_mut()) {
            let left_out = left_out(&self.document);
            let document = left_out.is_none().then(|| serde_json::from_slice(&self.document).ok());
            data.insert("report".to_owned(), document.flatten().unwrap_or_default());
            data.insert("report_left_out".to_owned(), left_out.into());
        }
        data
    }
}

/// Why it does not go along; `None`: it does.
fn left_out(bytes: &[u8]) -> Option<String> {
    (bytes.len() > ENCLOSED_MAX)
        .then(|| format!("it has {} bytes, and at most {ENCLOSED_MAX} are sent", bytes.len()))
}
