//! Accounts that are known to be there: they show that the list works today, and whether it
//! shows inactive users. Named by their id where anything is printed.

use domain::{Account, Activity, Folded, Rows, Text};

use crate::live::Answer;

/// One account that is known to be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canary {
    /// How it is known.
    pub name: CanaryName,
    /// Whether it is kept on, or kept off.
    pub is_active: bool,
}

/// How a canary is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CanaryName {
    /// By the app's immutable id.
    Id(Text),
    /// By its `userName`, in any case (RFC 7643, 4.1.1). Cannot be asked for by id when the list
    /// leaves it out.
    UserName(Text),
}

/// What a list showed of one canary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CanarySeen {
    /// It was there.
    Listed {
        /// Its id.
        id: Text,
        /// Whether it is on or off as it is kept.
        is_as_kept: bool,
    },
    /// It was not, and by id it is there and off.
    Hidden,
    /// It was not.
    Missing,
}

/// What an inactive canary shows of the app today.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InactiveShown {
    /// There is none, or it could not be seen.
    #[default]
    Unknown,
    /// Inactive users are in the list.
    Listed,
    /// Inactive users are not in the list, and are there by id.
    Hidden,
}

impl Canary {
    /// `active` or `inactive`, for people.
    pub(super) const fn kept(&self) -> &'static str {
        if self.is_active { "active" } else { "inactive" }
    }

    /// Looks for it among the rows of a list.
    pub(super) fn look(&self, rows: &Rows) -> CanarySeen {
        let Rows::Accounts(accounts) = rows else { return CanarySeen::Missing };
        match accounts.iter().find(|it| self.is(it)) {
            None => CanarySeen::Missing,
            Some(account) => CanarySeen::Listed {
                id: account.id.clone(),
                is_as_kept: (Activity::of(account) == Activity::Inactive) != self.is_active,
            },
        }
    }

    /// What asking by id adds when the list left it out.
    pub(super) fn look_again(&self, answer: &Answer) -> CanarySeen {
        match answer {
            Answer::Found { row: Rows::Accounts(accounts), .. }
                if !self.is_active
                    && accounts.first().map(Activity::of) == Some(Activity::Inactive) =>
            {
                CanarySeen::Hidden
            }
            _ => CanarySeen::Missing,
        }
    }

    fn is(&self, account: &Account) -> bool {
        match &self.name {
            CanaryName::Id(id) => account.id == *id,
            CanaryName::UserName(name) => {
                let wanted = Folded::new(name);
                wanted.is_some() && account.user_name.as_deref().and_then(Folded::new) == wanted
            }
        }
    }
}
