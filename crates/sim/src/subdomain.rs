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

impl Subdomain {
    /// Gives a user the app.
    pub fn assign(&mut self, user: u64) {
        self.logins.insert(user, AppLogin::default());
    }

    /// Sets the status of a user, as an admin does. Nothing happens if there is none.
    pub fn set_status(&mut self, user: u64, status: u8, now: DateTime<Utc>) {
        if let Some(found) = self.users.get_mut(&user) {
            found.status = Some(status);
            found.updated_at = now;
        }
    }

    /// Removes a user for good: nothing remembers.
    pub fn delete(&mut self, user: u64) {
        self.logins.remove(&user);
        self.users.remove(&user);
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
