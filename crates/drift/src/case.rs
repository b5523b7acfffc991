//! One thing that is judged: a person and an account, an account nobody owns, or a person who has none.

use chrono::{DateTime, Utc};
use domain::{Activity, Interval, LinkKind, NonHuman, Right, SystemId, Tier, Verdict};
use graph::{Sighting, Standing};

use crate::context::Context;
use crate::right::PersonRight;
use crate::starts::Starts;

/// One thing that is judged, with everything a rule may ask.
pub struct Case<'c> {
    /// What all cases of the run share.
    pub cx: &'c Context<'c>,
    /// The account; `None` for a person who has none.
    pub account: Option<usize>,
    /// The owner, or the presumed or possible one; `None` where there is no single one.
    pub identity: Option<usize>,
    /// How the account hangs on its owner.
    pub link: LinkKind,
    /// The owner's right; `None` where there is no single owner.
    pub owner: Option<&'c PersonRight>,
    /// Between which times the right of the owner ended, where there are several possible ones.
    /// `None`: there is one, or nothing is known.
    pub ended_among: Option<Interval>,
    /// The right as the verdict sees it.
    pub right: Right,
    /// Is the account on?
    pub activity: Activity,
    /// Fresh channels of the app disagree.
    pub is_disputed: bool,
    /// A channel of the app says neither on nor off.
    pub is_partly_unseen: bool,
    /// The verdict.
    pub verdict: Verdict,
    /// Accounts of the same person that are active, this one among them; 0: it is none of them, or may
    /// be one that is counted.
    pub n_active: usize,
    /// Whose it may be.
    pub possible_owners: PossibleOwners,
    /// IdPs by which somebody whose it may be may have the right by now, or a later employment than that
    /// which ended, and that this run did not see whole.
    pub unheard: Vec<SystemId>,
    /// The register's row for this account; `None` when it is not registered.
    pub registered: Option<&'c NonHuman>,
    /// Where the register's owner stands; `None` when not registered or no owner is given.
    pub register_owner: Option<RegisterOwner>,
}

/// The people whose account it may be, of whom one may be nobody that is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PossibleOwners {
    /// How many.
    pub n: usize,
    /// How many of them only because another view shows an account of theirs that may be this one.
    pub n_beside: usize,
    /// How many of them have left.
    pub n_leavers: usize,
    /// When the first of those left; `None` when no source says.
    pub first_left_at: Option<DateTime<Utc>>,
}

/// Where the owner of a registered account stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegisterOwner {
    /// Known, with this right.
    Known(Right),
    /// In no list, and every list is whole.
    Nowhere,
    /// In no list, and some list was not seen whole.
    NotSeen,
}

impl<'c> Case<'c> {
    /// When access should have ended, by each clock; nothing is known where there is no single owner.
    /// What one identity of theirs may counts where a strong key names it, and where it was left behind,
    /// as it does for the right.
    #[must_use]
    pub fn starts(&self) -> Starts {
        let Some(owner) = self.owner else { return Starts::default() };
        let is_strong =
            self.account.and_then(|it| self.cx.graph.tier(it)).is_some_and(Tier::is_strong);
        let is_behind = |it: &usize| self.account.is_some() && owner.left_behind().contains(it);
        owner.starts_of(self.identity.filter(|it| is_strong || is_behind(it)))
    }

    /// One source says that the owner has left, another entitles them, and none is the authority.
    #[must_use]
    pub fn has_left_elsewhere(&self) -> bool {
        self.owner.is_some_and(|it| it.is_disputed_of(self.identity))
    }

    /// The account's row in the channel that leads.
    #[must_use]
    pub fn row(&self) -> Option<&'c Sighting<domain::Account>> {
        self.account.map(|it| self.cx.graph.account_row(it))
    }

    /// The account's rows in all channels, that of the leading one first.
    pub fn rows(&self) -> impl Iterator<Item = &'c Sighting<domain::Account>> {
        let graph = self.cx.graph;
        let view = self.account.and_then(|it| graph.accounts().get(it));
        view.into_iter().flat_map(|it| it.rows(graph.estate()))
    }

    /// Returns true when some role of the account counts as privileged; `None` when the app does
    /// not show roles, or no account is there to have them.
    #[must_use]
    pub fn is_privileged(&self) -> Option<bool> {
        let mut shown = None;
        for row in self.rows() {
            let Some(roles) = &row.row.roles else { continue };
            let is_privileged = roles.iter().any(|role| {
                self.cx.rules.privileged_roles.iter().any(|it| domain::same_name(it, role))
            });
            shown = Some(shown.unwrap_or(false) || is_privileged);
        }
        shown
    }

    /// Returns true when the account is in its list today.
    #[must_use]
    pub fn is_listed(&self) -> bool {
        self.row().is_some_and(|it| it.standing == Standing::Listed)
    }
}
