//! One pull while it runs: what it has brought so far, and whether anything more is asked. What is
//! read, and in which order, is each connector's.

use domain::{Rows, Stream, Text, Watcher};
use outbound::{Bytes, Reader};

use crate::crosscheck::{missing, shown};
use crate::files::Profile;
use crate::live::{LiveError, LiveFailure, LivePull, Trouble, chain};
use crate::walk::{self, Dialect, Plan, Unread, Walked};

/// What a pull has brought so far.
pub(crate) struct Gather {
    pub(crate) reader: Reader,
    pub(crate) brought: LivePull,
    /// Why nothing is asked any more; `None`: more is asked.
    pub(crate) stopped: Option<&'static str>,
    /// What was met then, for lists that are not asked for; `None` where there was none.
    refusal: Option<LiveError>,
}

impl Gather {
    /// Begins a pull.
    pub(crate) fn new(reader: Reader) -> Self {
        Self { reader, brought: LivePull::default(), stopped: None, refusal: None }
    }

    /// Lets nothing more be asked.
    pub(crate) fn stop(&mut self, why: &'static str, error: LiveError) {
        self.stopped = Some(why);
        self.refusal = Some(error);
    }

    /// Lets nothing more be asked where a walk met the refusal of the credential. `asked`: for
    /// what it was.
    pub(crate) fn stop_after(&mut self, walked: &Walked, asked: &dyn Dialect) {
        if let Some(why) = walked.ends_pull() {
            self.stop(why, not_asked(why, asked.shown()));
        }
    }

    /// Walks one list. `None`: nothing more is asked, or its profile gives no such list.
    pub(crate) async fn walk(&mut self, plan: Plan<'_>) -> Option<Walked> {
        if self.stopped.is_some() {
            return None;
        }
        let walked = walk::walk(&self.reader, plan, &mut self.brought.requests).await?;
        self.stop_after(&walked, plan.dialect);
        Some(walked)
    }

    /// Asks for one object. Keeps the requests.
    pub(crate) async fn ask(
        &mut self,
        path: &str,
        dialect: &dyn Dialect,
    ) -> Result<Bytes, Refused> {
        match self.reader.get(path).await {
            Ok(answer) if answer.is_success() => {
                self.brought.requests.extend(answer.requests);
                Ok(answer.body)
            }
            Ok(answer) => {
                let error = dialect.refused(&answer);
                self.brought.requests.extend(answer.requests);
                Err(Refused { status: Some(answer.status), body: answer.body, error })
            }
            Err(mut error) => {
                self.brought.requests.append(&mut error.requests);
                let error = dialect.failed(error);
                Err(Refused { status: None, body: Bytes::new(), error })
            }
        }
    }

    /// Makes a snapshot of a list, with the reasons why it is not all. `None`: its profile gives no
    /// such list.
    pub(crate) fn add(
        &mut self,
        stream: Stream,
        walked: Option<Walked>,
        profile: &Profile,
        reasons: Vec<String>,
    ) {
        let Some(mut walked) = walked else {
            let why = format!("the profile `{}` gives no such list: correct it", profile.name());
            let error = LiveError::NoList { url: profile.name().to_owned(), why };
            self.brought.failures.push(LiveFailure { lists: vec![stream], error });
            return;
        };
        self.brought.unmapped.append(&mut walked.list.unmapped);
        match walked.into_snapshot(stream.clone(), profile.id_form, reasons) {
            Ok((snapshot, bodies)) => {
                self.brought.snapshots.push(snapshot);
                self.brought.bodies.push(bodies);
            }
            Err(Unread { error, requests }) => {
                self.brought.requests.extend(requests);
                self.brought.failures.push(LiveFailure { lists: vec![stream], error: *error });
            }
        }
    }

    /// Lists that were not asked for fail with the one that met the refusal, so that it is said
    /// once.
    pub(crate) fn fail_too(&mut self, mut lists: Vec<Stream>) {
        if lists.is_empty() {
            return;
        }
        let mut failures = self.brought.failures.iter_mut();
        if let Some(failure) = failures.find(|it| it.error.ends_pull().is_some()) {
            failure.lists.append(&mut lists);
        } else if let Some(error) = self.refusal.take() {
            self.brought.failures.push(LiveFailure { lists, error });
        }
    }

    /// Why a list that was read to its end is not believed; `None`: no canary is missing. `others`:
    /// lists that say the same of other users.
    pub(crate) fn canaries(
        &mut self,
        stream: &Stream,
        canaries: &[Text],
        walked: &Walked,
        others: Option<&Rows>,
    ) -> Option<String> {
        let lists: Vec<&Rows> = std::iter::once(&walked.list.rows).chain(others).collect();
        let missing = missing(canaries, &lists);
        // A list that was not read to its end says so already.
        if missing.is_empty() || !walked.is_whole() {
            return None;
        }
        let missing = shown(&missing);
        self.brought.troubles.push(Trouble::new(Watcher::CanaryMissing, format!(
                "Users who must be in the list `{stream}` are not: {missing}. Look whether they still should be, and whether the credential may see everybody."
            )));
        Some(format!("canaries are not in it ({missing})"))
    }

    /// Keeps a refusal: of the credential, or of one thing.
    pub(crate) fn refused(&mut self, asked: &dyn Dialect, error: LiveError) {
        match error.ends_pull() {
            Some(why) => self.stop(why, error),
            None => self.unseen(asked, &chain(&error)),
        }
    }

    /// Says that something of the app could not be looked at.
    pub(crate) fn unseen(&mut self, asked: &dyn Dialect, why: &str) {
        self.brought.troubles.push(Trouble::new(
            Watcher::SnapshotIncomplete,
            format!(
                "Could not read {}, so whether {} keeps the app in step is not known: {why}.",
                asked.shown(),
                asked.vendor()
            ),
        ));
    }
}

/// A refusal of one object.
pub(crate) struct Refused {
    /// HTTP status; `None`: there was no answer.
    pub(crate) status: Option<u16>,
    /// What came with it; empty where there was no answer.
    pub(crate) body: Bytes,
    pub(crate) error: LiveError,
}

/// Why the rest is not asked for.
pub(crate) fn not_asked(why: &str, met_at: &str) -> LiveError {
    LiveError::NotAsked { why: format!("{why} for {met_at}") }
}
