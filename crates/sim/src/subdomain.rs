//! What there is in the company's OneLogin, which is one subdomain there: plain data that a test
//! may change at any time. It knows nothing of HTTP.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::onelogin::token::OneLoginTokens;

/// A OneLogin subdomain with one app that matters.
#[derive(Clone, Debug, Default)]
pub struct Subdomain {
    /// How it lets callers in.
    pub door: OneLoginDoor,
    /// The app whose users are read.
    pub app: OneLoginApp,
    /// Every user, by id. Who was deleted is in none of these.
    pub users: BTreeMap<u64, OneLoginUser>,
    /// Who has the app, by user id, with how provisioning of it does.
    pub logins: BTreeMap<u64, AppLogin>,
    /// Names of roles, by id. Each gives the app.
    pub roles: BTreeMap<u64, String>,
    /// What happened, in order of time. Who was deleted is in it still.
    pub events: Vec<OneLoginEvent>,
    pub(crate) tokens: OneLoginTokens,
}

/// Who may ask OneLogin, how often, and what for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneLoginDoor {
    /// The client id of the API credential.
    pub client_id: String,
    /// Its client secret.
    pub client_secret: String,
    /// Does it have the scope Read All? Otherwise Read Users, which sees no app.
    pub reads_all: bool,
    /// Was the admin deleted who made it? Then the token endpoint answers 500.
    pub is_ownerless: bool,
    /// Seconds that an access token lives. OneLogin: 36000.
    pub token_lives_s: u32,
    /// Rows of a page at most, whatever is asked for.
    pub page_max: usize,
    /// Requests an hour. OneLogin: 5000.
    pub per_hour: u32,
    /// Do lists say how long they are and what follows? Some older answers do not.
    pub states_pages: bool,
}

/// The app in OneLogin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneLoginApp {
    /// Its id.
    pub id: u64,
    /// Name that people see.
    pub name: String,
    /// Does OneLogin provision it? `None`: null on the wire.
    pub provisions: Option<bool>,
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneLoginUser {
    /// Sign-in name.
    pub username: String,
    /// Address; `None`: null on the wire.
    pub email: Option<String>,
    /// 0 unactivated, 1 active, 2 suspended, 3 locked, ...; `None`: null on the wire.
    pub status: Option<u8>,
    /// 0 unapproved, 1 approved, 2 rejected, 3 unlicensed; `None`: null on the wire.
    pub state: Option<u8>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
}

/// That a user has the app, and how provisioning of it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppLogin {
    /// `enabled`, `disabling_pending_approval`, ...
    pub status: String,
    /// `provisioned`, `deleting_pending_approval`, ...
    pub state: String,
    /// Is it among the users of the app? What waits for an admin may be seen by id alone.
    pub is_listed: bool,
}

/// Something that happened to a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneLoginEvent {
    /// When.
    pub at: DateTime<Utc>,
    /// OneLogin's number of its type: 21 suspended, 17 deleted, ...
    pub type_id: u64,
    /// To whom.
    pub user: u64,
    /// Did it happen in the app?
    pub is_in_app: bool,
}

impl Subdomain {
    /// Gives a user the app.
    pub fn assign(&mut self, user: u64) {
        self.logins.insert(user, AppLogin::default());
    }

    /// Sets the status of a user, as an admin does. Nothing happens if there is none.
    pub fn set_status(&mut self, user: u64, status: u8, now: DateTime<Utc>) {
        let Some(found) = self.users.get_mut(&user) else { return };
        let before = found.status.replace(status);
        found.updated_at = now;
        let type_id = match (before, status) {
            (_, 2) => 21,
            (Some(2), 1) => 32,
            _ => return,
        };
        self.events.push(OneLoginEvent { at: now, type_id, user, is_in_app: false });
    }

    /// Removes a user for good: nothing but the events remembers.
    pub fn delete(&mut self, user: u64, now: DateTime<Utc>) {
        self.logins.remove(&user);
        self.users.remove(&user);
        self.events.push(OneLoginEvent { at: now, type_id: 17, user, is_in_app: false });
    }

    /// Every credential that there is.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.door.client_secret).chain(self.tokens.secrets())
    }
}

impl Default for OneLoginDoor {
    fn default() -> Self {
        Self {
            client_id: "sim-onelogin-client".to_owned(),
            client_secret: "sim-onelogin-client-secret".to_owned(),
            reads_all: true,
            is_ownerless: false,
            token_lives_s: 36_000,
            page_max: usize::MAX,
            // So many that nobody has to wait.
            per_hour: 1_000_000,
            states_pages: true,
        }
    }
}

impl Default for OneLoginApp {
    fn default() -> Self {
        Self { id: 3001, name: "Secureframe".to_owned(), provisions: Some(true) }
    }
}

impl Default for AppLogin {
    fn default() -> Self {
        Self { status: "enabled".to_owned(), state: "provisioned".to_owned(), is_listed: true }
    }
}
