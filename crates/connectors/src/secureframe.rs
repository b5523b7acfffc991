//! Secureframe's own REST API: everybody of whom it has a record, with `active` and console role.
//!
//! Source: Secureframe API 2023-10-18, `GET /users` and `GET /users/{id}`. Needs an API key whose
//! owner may read Personnel: a key sees what its owner sees. Sends nothing but GET. *Partial* means
//! that the pages did not add up to what they state, twice, that without a total two readings did
//! not show the same people, that somebody has no address, or that the key's owner is not seen as
//! an active person with a role: then the list may be quietly shorter.

mod doctor;
mod paths;
mod pull;
mod refusal;
mod reread;

use std::sync::Arc;

use domain::{Channel, List, Stream, SystemId, Text};
use outbound::Reader;

use crate::files::{Profile, ProfileError, Profiles};

/// Where the API is for customers in the United States.
pub const US: &str = "https://api.secureframe.com";

/// Where it is for customers in the United Kingdom.
pub const UK: &str = "https://api-uk.secureframe.com";

/// Requests a minute that Secureframe lets one address send. No answer says how many are left.
pub const PER_MINUTE: u32 = 500;

/// What an operator says about one company in Secureframe.
#[derive(Clone, Debug)]
pub struct Config {
    /// The name of the app.
    pub system: SystemId,
    /// The address of the owner of the API key, who must be seen, active and with a role.
    pub owner: Text,
    /// Ids or addresses of people who must be in the list. For the doctor: a run looks for them in
    /// whatever list of the app it has. Empty: only the owner shows that the list works.
    pub canaries: Vec<Text>,
}

/// One company in Secureframe.
#[derive(Clone, Debug)]
pub struct Secureframe {
    config: Config,
    reader: Reader,
    personnel: Arc<Profile>,
}

impl Secureframe {
    /// Connects. Nothing is sent before something is asked for. `reader` stays on
    /// [`US`] or [`UK`].
    ///
    /// # Errors
    ///
    /// Returns [`ProfileError`] when `profiles` lacks `secureframe-personnel`.
    pub fn new(config: Config, reader: Reader, profiles: &Profiles) -> Result<Self, ProfileError> {
        let personnel = profiles.needed("secureframe-personnel", "Secureframe")?;
        Ok(Self { config, reader, personnel })
    }

    /// The system's name.
    #[must_use]
    pub const fn system(&self) -> &SystemId {
        &self.config.system
    }

    fn stream(&self) -> Stream {
        let system = self.config.system.clone();
        Stream { system, list: List::Accounts, channel: Some(Channel::SecureframeApi) }
    }
}
