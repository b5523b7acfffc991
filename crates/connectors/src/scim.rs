//! Any SCIM 2.0 app over HTTP: `GET /Users`, one user by id, and filters that were shown to work.
//!
//! Sources: RFC 7643, RFC 7644, RFC 9865. Needs a token that may read users; most SCIM tokens can
//! write as well, and nothing here can. *Partial* means that the pages did not add up to what the
//! server states, twice, or that one was no list.

mod app;
mod by_id;
mod doctor;
mod filter;
mod proof;
mod walk;
pub(crate) mod wire;

use std::sync::{Arc, OnceLock};

use domain::{
    Account, AsOf, AsOfBasis, Channel, Clock, Coverage, List, Population, Request, Snapshot,
    Stream, SystemId, Text,
};
use outbound::Reader;

pub use app::{AppProfile, AppProfiles, Deprovision, Habit, Prerequisite};
pub use by_id::path_of;
pub use filter::{Attribute, Filters, Lookup, Trust};

use filter::Filtering;
use proof::Proved;
use walk::Walked;
use wire::Service;

use crate::abreast::answers;
use crate::live::{
    Answer, Check, LiveError, LiveFailure, LivePull, Question, Reply, clock_trouble,
};

/// What an operator says about one SCIM app. Where it is and as whom is the client's business.
#[derive(Clone, Debug)]
pub struct Config {
    /// The system's name.
    pub system: SystemId,
    /// What is known of the app.
    pub app: Arc<AppProfile>,
    /// Ids, user names or addresses of accounts that must be in the list. For the doctor: a run
    /// looks for them in whatever list of the app it has. Empty: nothing shows that the list works.
    pub canaries: Vec<Text>,
    /// Likewise of accounts that are kept off. Empty: nothing shows whether the list has such.
    pub inactive_canaries: Vec<Text>,
    /// Accounts to ask for at a time; `None`: as the app profile says.
    pub page_size: Option<u32>,
}

/// One SCIM app.
#[derive(Clone, Debug)]
pub struct Scim {
    config: Config,
    reader: Reader,
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
    pub async fn pull(&self, clock: &dyn Clock) -> LivePull {
        if let Some(why) = self.shows_nobody() {
            let error = LiveError::NotAsked { why: why.to_owned() };
            let failures = vec![LiveFailure { lists: vec![self.stream()], error }];
            return LivePull { failures, ..LivePull::default() };
        }
        let reader = self.reader.new_pull();
        let (service, mut requests) = self.service(&reader).await;
        let (walked, proved) = self.walk(&reader, &service, &mut requests).await;
        let troubles = clock_trouble(&reader).into_iter().collect();
        let mut pull = LivePull { requests, troubles, ..LivePull::default() };
        if let Some(error) = walked.error {
            pull.requests.extend(walked.read.requests);
            pull.failures.push(LiveFailure { lists: vec![self.stream()], error });
            return pull;
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
            return pull;
        };
        notes.extend(list.notes);
        pull.snapshots.push(Snapshot {
            stream: self.stream(),
            as_of: AsOf { at: began_at, basis: AsOfBasis::Stated },
            coverage,
            population: Population::Everyone,
            id_form: None,
            rows: list.rows,
            origins: list.origins,
            requests: walked.read.requests,
            notes,
        });
        pull.bodies.push(list.bodies);
        pull.unmapped = list.unmapped;
        pull
    }

    /// Asks for accounts by their ids, a few at a time, and answers in the order of the questions.
    /// Once the token is refused, or there is no connection, the remaining questions are not sent
    /// and their answers say so.
    pub async fn reread(&self, clock: &dyn Clock, questions: &[Question]) -> Vec<Reply> {
        let (reader, stopped) = (self.reader.new_pull(), OnceLock::<String>::new());
        if let Some(why) = self.shows_nobody() {
            stopped.get_or_init(|| why.to_owned());
        }
        let (reader, stopped) = (&reader, &stopped);
        let ask = async move |question| {
            if let Some(why) = stopped.get() {
                return by_id::not_asked(question, why, clock);
            }
            let (reply, ends) = self.ask(reader, clock, question).await;
            if let (true, Answer::Unknown { why }) = (ends, &reply.answer) {
                stopped.get_or_init(|| why.clone());
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

    /// Why this app is asked for nobody; `None`: it is asked.
    fn shows_nobody(&self) -> Option<&'static str> {
        (self.config.app.shows_users() == Habit::No).then_some(
            "this app answers that nobody has an account, whoever has one: give its own export of users as a file, instead of the `scim` table",
        )
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

    async fn ask(&self, reader: &Reader, clock: &dyn Clock, question: &Question) -> (Reply, bool) {
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

    fn stream(&self) -> Stream {
        let system = self.config.system.clone();
        Stream { system, list: List::Accounts, channel: Some(Channel::Scim) }
    }
}
