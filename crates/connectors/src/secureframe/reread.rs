//! Asks again by id for one person. Gone needs Secureframe's own 404, while people can be seen at
//! all.

use domain::{Clock, List, Text};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::refusal::{Asked, VENDOR};
use super::{Secureframe, paths};
use crate::asking::{Asking, Heard, Read, Round, Sight, ask_each};
use crate::live::{Question, Reply};

impl Secureframe {
    /// Asks about each person, a few at a time, and answers in the order of the questions.
    ///
    /// Where Secureframe as a whole does not answer, the remaining questions are not sent and their
    /// answers say so.
    pub async fn reread(&self, clock: &dyn Clock, questions: &[Question]) -> Vec<Reply> {
        let sight = Sight {
            source: VENDOR,
            dialect: &Asked::Person,
            canary: None,
            anybody: paths::anybody(),
            look_at: "the role of the API key's owner",
            n_users: n_people,
        };
        let asking = Asking::new(&self.config.system, self.reader.new_pull(), sight);
        ask_each(&Asker { secureframe: self, asking }, clock, questions).await
    }
}

/// Who asks, in one round.
struct Asker<'s> {
    secureframe: &'s Secureframe,
    asking: Asking<'s>,
}

impl Round for Asker<'_> {
    fn asking(&self) -> &Asking<'_> {
        &self.asking
    }

    async fn account(&self, id: &Text, clock: &dyn Clock) -> Heard {
        if id.trim().is_empty() || matches!(&**id, "." | "..") {
            return Heard::nothing("this id cannot be in a URL".to_owned(), clock);
        }
        let profile = &self.secureframe.personnel;
        let read = Read { profile, list: List::Accounts, dialect: &Asked::Person, id };
        let mut heard = self.asking.object(&paths::person(id), read, clock).await;
        self.asking.if_users_are_seen(&mut heard).await;
        heard
    }
}

/// People on a page, in either of its shapes; `None`: it is none.
fn n_people(body: &[u8]) -> Option<usize> {
    #[derive(Deserialize)]
    struct Page {
        data: Vec<IgnoredAny>,
    }
    let bare = serde_json::from_slice::<Vec<IgnoredAny>>(body).ok();
    bare.or_else(|| serde_json::from_slice::<Page>(body).ok().map(|it| it.data)).map(|it| it.len())
}
