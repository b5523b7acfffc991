//! The two lists of a source that expands its groups itself: who has the app, and all users. Each
//! makes a snapshot with the reasons why it is not all.
//!
//! Who has the app is read first: they must be among the users later, whatever changes in between.

use domain::{List, Rows, Stream, SystemId, Text};

use crate::crosscheck::{strangers, strangers_reason};
use crate::files::Profile;
use crate::gather::Gather;
use crate::live::LiveError;
use crate::page::ListRead;
use crate::walk::{self, Dialect, End, Plan, Walked, url_of};

/// The two lists.
pub(crate) struct Roster<'r> {
    pub(crate) users: ListPlan<'r>,
    pub(crate) assigned: ListPlan<'r>,
    /// What a list of nobody means and what to do, because somebody made the credential.
    pub(crate) nobody: &'static str,
    /// What to do where some users cannot be seen.
    pub(crate) see_all: &'static str,
}

/// One of them.
pub(crate) struct ListPlan<'r> {
    pub(crate) stream: Stream,
    pub(crate) plan: Plan<'r>,
    /// Ids of users who must be in it.
    pub(crate) canaries: &'r [Text],
}

impl<'r> ListPlan<'r> {
    pub(crate) fn new(
        system: &'r SystemId,
        list: List,
        profile: &'r Profile,
        path: &'r str,
        dialect: &'r dyn Dialect,
        canaries: &'r [Text],
    ) -> Self {
        let stream = Stream { system: system.clone(), list, channel: None };
        // Who has the app is named by the list of users.
        let skips_identities = list == List::Assignments;
        let plan = Plan { system, profile, path, dialect, skips_identities, group: None };
        Self { stream, plan, canaries }
    }
}

impl Roster<'_> {
    /// Walks the list of users; once more where somebody has the app who is not in it. `None`: it
    /// was not asked for.
    pub(crate) async fn users(
        &self,
        gather: &mut Gather,
        assigned: Option<&Walked>,
    ) -> Option<Walked> {
        let mut walked = gather.walk(self.users.plan).await?;
        if walked.is_whole()
            && let Some(assigned) = assigned
            && !walked.list.rows.is_empty()
            && !strangers(&assigned.list.rows, &walked.list.rows).is_empty()
        {
            let Gather { reader, brought, .. } = &mut *gather;
            walked = walk::again(reader, self.users.plan, walked, &mut brought.requests).await?;
            gather.stop_after(&walked, self.users.plan.dialect);
        }
        Some(walked)
    }

    /// Makes snapshots of both lists.
    pub(crate) fn keep(
        self,
        gather: &mut Gather,
        mut users: Option<Walked>,
        mut assigned: Option<Walked>,
    ) {
        let (mut of_users, mut of_assigned) = (Vec::new(), Vec::new());
        if let Some(users) = &mut users {
            let sees_nobody =
                users.is_whole() && users.list.rows.is_empty() && users.list.n_silent == 0;
            if sees_nobody {
                users.end = End::Broken(self.no_list(users));
                if let Some(assigned) = assigned.as_mut().filter(|it| it.list.rows.is_empty()) {
                    assigned.end = End::Broken(self.no_list(assigned));
                }
            } else if let Some(assigned) = &assigned {
                let strangers = strangers(&assigned.list.rows, &users.list.rows);
                // Whoever is missing may be one of those whose row says nothing.
                let is_told = users.is_whole() && users.list.n_silent == 0;
                of_users
                    .extend(is_told.then(|| strangers_reason(&strangers, self.see_all)).flatten());
            }
            of_users.extend(without_status(&users.list));
            let ListPlan { stream, canaries, .. } = &self.users;
            of_users.extend(gather.canaries(stream, canaries, users, None));
        }
        if let Some(assigned) = &assigned {
            let ListPlan { stream, canaries, .. } = &self.assigned;
            of_assigned.extend(gather.canaries(stream, canaries, assigned, None));
        }
        let mut unasked = Vec::new();
        for (list, walked, reasons) in
            [(self.users, users, of_users), (self.assigned, assigned, of_assigned)]
        {
            match walked {
                None if gather.stopped.is_some() => unasked.push(list.stream),
                walked => gather.add(list.stream, walked, list.plan.profile, reasons),
            }
        }
        gather.fail_too(unasked);
    }

    fn no_list(&self, walked: &Walked) -> LiveError {
        LiveError::NoList { url: url_of(&walked.requests), why: self.nobody.to_owned() }
    }
}

/// That the list does not say of everybody whether they have left, where the source documents a
/// status of each.
fn without_status(list: &ListRead) -> Option<String> {
    let Rows::Identities(users) = &list.rows else { return None };
    let n = list.n_silent + users.iter().filter(|it| it.raw_status.is_none()).count() as u64;
    (n > 0).then(|| format!("users without a `status`: {n}"))
}
