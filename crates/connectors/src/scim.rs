//! Any SCIM 2.0 app over HTTP: `GET /Users`, one user by id, and filters that were shown to work.
//!
//! Sources: RFC 7643, RFC 7644, RFC 9865. Needs a token that may read users; most SCIM tokens can
//! write as well, and nothing here can. *Partial* means that the pages did not add up to what the
//! server states, twice, that one was no list, or that an account known to be there was missing.

mod absence;
mod app;
mod by_id;
mod canary;
mod doctor;
mod filter;
mod proof;
mod walk;
mod wire;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::{
    Account, AsOf, AsOfBasis, Channel, Clock, Coverage, List, Population, Request, Snapshot,
    Stream, SystemId, Watcher,
};
use outbound::Reader;

pub use absence::{Absence, Asked, Sight, absence};
pub use app::{AppProfile, AppProfiles, Habit, Prerequisite};
pub use canary::{Canary, CanaryName, InactiveShown};
pub use filter::{Attribute, Filters, Lookup, Trust};

use canary::CanarySeen;
use filter::Filtering;
use proof::Proved;
use walk::Walked;
use wire::Service;

use crate::abreast::answers;
use crate::live::{Check, LiveFailure, LivePull, Question, Reply, Trouble};

/// What an operator says about one SCIM app. Where it is and as whom is the client's business.
#[derive(Clone, Debug)]
pub struct Config {
    /// The system's name.
    pub system: SystemId,
    /// What is known of the app.
    pub app: Arc<AppProfile>,
    /// Accounts that are known to be there. Empty: nothing shows that the list works.
    pub canaries: Vec<Canary>,
    /// Accounts to ask for at a time; `None`: as the app profile says.
    pub page_size: Option<u32>,
}

/// One SCIM app.
#[derive(Clone, Debug)]
pub struct Scim {
    config: Config,
    reader: Reader,
}

/// All that a pull of one SCIM app brought.
#[derive(Debug)]
pub struct ScimPull {
    /// The list, or why there is none.
    pub pull: LivePull,
    /// How well the app was seen; `None` when nothing could be read.
    pub sight: Option<Sight>,
}

impl Scim {
    /// Connects. Nothing is sent before it is asked for.
    #[must_use]
    pub const fn new(config: Config, reader: Reader) -> Self {
        Self { config, reader }
    }

    /// The system's name.
    #[must_use]
    pub const fn system(&self) -> &SystemId {
        &self.config.system
    }

    /// What is known of the app.
    #[must_use]
    pub fn app(&self) -> &AppProfile {
        &self.config.app
    }

    /// Reads all accounts. A list that does not add up is read once more, and is partial when it
    /// does not add up then either.
    pub async fn pull(&self, clock: &dyn Clock) -> ScimPull {
        let reader = self.reader.new_pull();
        let (service, mut requests) = self.service(&reader).await;
        let (walked, proved) = self.walk(&reader, &service, &mut requests).await;
        let mut pull = LivePull { requests, ..LivePull::default() };
        if let Some(error) = walked.error {
            pull.requests.extend(walked.read.requests);
            pull.failures.push(LiveFailure { lists: vec![self.stream()], error });
            return ScimPull { pull, sight: None };
        }
        let coverage = match proved {
            Proved::Complete(proof) => Coverage::Complete(proof),
            Proved::Partial(reason) => Coverage::Partial { reason },
            Proved::Unsteady(reason) => {
                Coverage::Partial { reason: format!("{reason}; it was read twice") }
            }
        };
        let began_at = walked.began_at.unwrap_or_else(|| clock.now());
        let mut notes = vec![format!("read {}", walked.paging)];
        let Some(list) = walked.read.lists.into_iter().next() else {
            return ScimPull { pull, sight: None };
        };
        notes.extend(list.notes);
        let mut snapshot = Snapshot {
            stream: self.stream(),
            as_of: AsOf { at: began_at, basis: AsOfBasis::Stated },
            coverage,
            population: Population::Everyone,
            id_form: None,
            rows: list.rows,
            origins: list.origins,
            requests: walked.read.requests,
            notes,
        };
        let inactive = self.canaries(&reader, clock, &mut snapshot, &mut pull).await;
        let sight = Sight { coverage: snapshot.coverage.clone(), inactive };
        pull.snapshots.push(snapshot);
        pull.bodies.push(list.bodies);
        pull.unmapped = list.unmapped;
        ScimPull { pull, sight: Some(sight) }
    }

    /// Asks for accounts by their ids, a few at a time, and answers in the order of the questions.
    /// Once the token is refused, the remaining questions are not sent and their answers say so.
    pub async fn reread(&self, clock: &dyn Clock, questions: &[Question]) -> Vec<Reply> {
        let (reader, is_refused) = (self.reader.new_pull(), AtomicBool::new(false));
        let (reader, is_refused) = (&reader, &is_refused);
        let ask = async move |question| {
            if is_refused.load(Ordering::Relaxed) {
                return by_id::not_asked(question, clock);
            }
            let reply = self.ask(reader, clock, question).await;
            if reply.requests.last().is_some_and(|it| it.status == Some(401)) {
                is_refused.store(true, Ordering::Relaxed);
            }
            reply
        };
        answers(questions.iter().map(ask).collect()).await
    }

    /// Tries the filters of the server with accounts that a pull of this run read.
    pub async fn prove_filters(&self, clock: &dyn Clock, known: &[Account]) -> Filters {
        let reader = self.reader.new_pull();
        let mut filtering = self.filtering(&reader, clock);
        if self.config.app.filters() == Habit::No {
            let why = "the app profile says that filters cannot be trusted".to_owned();
            let fails = Trust::Fails { why };
            return Filters { user_name: fails.clone(), external_id: fails, requests: Vec::new() };
        }
        let user_name = filtering.prove(Attribute::UserName, known).await;
        let external_id = filtering.prove(Attribute::ExternalId, known).await;
        Filters { user_name, external_id, requests: filtering.requests }
    }

    /// Looks one account up by name, where `filters` were shown to work in this run. Gives the
    /// requests behind it.
    pub async fn find(
        &self,
        clock: &dyn Clock,
        filters: &Filters,
        attribute: Attribute,
        value: &str,
    ) -> (Lookup, Vec<Request>) {
        let reader = self.reader.new_pull();
        let mut filtering = self.filtering(&reader, clock);
        let trust = match attribute {
            Attribute::UserName => &filters.user_name,
            Attribute::ExternalId => &filters.external_id,
        };
        let lookup = filtering.find(attribute, value, trust).await;
        (lookup, filtering.requests)
    }

    /// Looks at everything that a pull needs, and at what the app's makers ask for. Reads only.
    pub async fn doctor(&self, clock: &dyn Clock) -> Vec<Check> {
        doctor::examine(self, clock).await
    }

    fn filtering<'s>(&'s self, reader: &'s Reader, clock: &dyn Clock) -> Filtering<'s> {
        Filtering {
            reader,
            mapping: &self.config.app.mapping,
            system: &self.config.system,
            now: clock.now(),
            requests: Vec::new(),
        }
    }

    async fn ask(&self, reader: &Reader, clock: &dyn Clock, question: &Question) -> Reply {
        let mapping = &self.config.app.mapping;
        by_id::ask(reader, mapping, &self.config.system, clock, question).await
    }

    /// Reads what the server says of itself. Nothing is said where there is no such page: many
    /// servers have none, or answer with something else.
    async fn service(&self, reader: &Reader) -> (Service, Vec<Request>) {
        match reader.get("ServiceProviderConfig").await {
            Ok(answer) if answer.is_success() => {
                (wire::service(&answer.body).unwrap_or_default(), answer.requests)
            }
            Ok(answer) => (Service::default(), answer.requests),
            Err(error) => (Service::default(), error.requests),
        }
    }

    /// Walks the list, and once more when its pages do not fit together.
    async fn walk(
        &self,
        reader: &Reader,
        service: &Service,
        requests: &mut Vec<Request>,
    ) -> (Walked, Proved) {
        let Config { system, app, page_size, .. } = &self.config;
        let count = page_size.unwrap_or(app.page_size()).max(1);
        let first = walk::walk(reader, &app.mapping, system, service, count).await;
        let proved = proof::judge(&first.seen);
        let Proved::Unsteady(why) = &proved else { return (first, proved) };
        let again = walk::walk(reader, &app.mapping, system, service, count).await;
        if again.error.is_some() {
            // The first time something was read, and what was seen counts.
            requests.extend(again.read.requests);
            let why = format!("{why}; when it was read again, nothing came");
            return (first, Proved::Partial(why));
        }
        requests.extend(first.read.requests);
        let proved = proof::judge(&again.seen);
        (again, proved)
    }

    /// Looks for each canary, and takes back what one that is missing disproves.
    async fn canaries(
        &self,
        reader: &Reader,
        clock: &dyn Clock,
        snapshot: &mut Snapshot,
        pull: &mut LivePull,
    ) -> InactiveShown {
        let mut inactive = InactiveShown::Unknown;
        let hides = self.config.app.inactive_hidden().is_known();
        for canary in &self.config.canaries {
            let kept = canary.kept();
            let is_expected = hides && !canary.is_active;
            match self.look_for(reader, clock, canary, snapshot, pull).await {
                CanarySeen::Listed { id, is_as_kept: true } => {
                    snapshot.notes.push(format!("the {kept} canary `{id}` was in the list"));
                    if !canary.is_active {
                        inactive = InactiveShown::Listed;
                    }
                }
                CanarySeen::Listed { id, is_as_kept: false } => snapshot.notes.push(format!(
                    "the {kept} canary `{id}` was in the list, and is not {kept}: choose another"
                )),
                CanarySeen::Hidden => {
                    inactive = InactiveShown::Hidden;
                    let seen = "the inactive canary was not in the list, and is there by its id";
                    if is_expected {
                        snapshot.notes.push(format!("{seen}, as the app profile says"));
                    } else {
                        miss(snapshot, pull, &format!("{seen}: the app hides inactive users, so set `inactive_hidden = \"observed\"` in its profile"));
                    }
                }
                CanarySeen::Missing if is_expected => snapshot.notes.push(
                    "the inactive canary was not in the list, as the app profile says, nor seen by its id"
                        .to_owned(),
                ),
                CanarySeen::Missing => {
                    miss(snapshot, pull, &format!("the {kept} canary was not in the list"));
                }
            }
        }
        inactive
    }

    /// Looks for one canary in the list; one that is kept off, and is not in it, by its id.
    async fn look_for(
        &self,
        reader: &Reader,
        clock: &dyn Clock,
        canary: &Canary,
        snapshot: &Snapshot,
        pull: &mut LivePull,
    ) -> CanarySeen {
        let seen = canary.look(&snapshot.rows);
        match (&seen, &canary.name) {
            (CanarySeen::Missing, CanaryName::Id(id)) if !canary.is_active => {
                let question = Question::Account(id.clone());
                let reply = self.ask(reader, clock, &question).await;
                pull.requests.extend(reply.requests);
                canary.look_again(&reply.answer)
            }
            _ => seen,
        }
    }

    fn stream(&self) -> Stream {
        let system = self.config.system.clone();
        Stream { system, list: List::Accounts, channel: Some(Channel::Scim) }
    }
}

/// A canary is missing: the list is not whole, whatever its pages say.
fn miss(snapshot: &mut Snapshot, pull: &mut LivePull, why: &str) {
    let reason = match &snapshot.coverage {
        Coverage::Partial { reason } => format!("{reason}; {why}"),
        Coverage::Complete(_) => why.to_owned(),
    };
    snapshot.coverage = Coverage::Partial { reason };
    let text = format!("The list of `{}` is not whole: {why}.", snapshot.stream.system);
    pull.troubles.push(Trouble { kind: Watcher::CanaryMissing, text });
}
