//! A simulated company behind real HTTP: Okta, Entra, OneLogin, a SCIM app and its REST API on loopback, filled
//! from a few lines of text, with faults on request and a record of every request. Never shipped.
//!
//! It is a fake and not a mock: it keeps state and answers by the published documents, whoever
//! asks. See [`describe`] for the language of companies and [`FAULTS`] for what can go wrong.

mod authority;
mod body;
mod change;
mod clock;
pub mod describe;
mod endpoint;
mod entra;
mod fault;
mod filter;
mod life;
mod okta;
mod onelogin;
mod page;
mod personnel;
mod record;
mod scim;
mod secureframe;
mod serve;
pub mod soak;
mod staff;
mod subdomain;
mod tenant;
mod wire;
mod world;

use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, MutexGuard};

use tokio::net::TcpListener;
use tokio::sync::watch;

use serve::{Shared, Urls, router};

pub use authority::Authority;
pub use clock::SimClock;
pub use describe::DescribeError;
pub use endpoint::Endpoint;
pub use fault::{Change, FAULTS, Fault, Place, Plan, Wait, When};
pub use personnel::{Personnel, PersonnelHabits, Record, Shape};
pub use record::{Recorded, Server};
pub use staff::Staff;
pub use subdomain::{AppLogin, OneLoginApp, OneLoginDoor, OneLoginEvent, OneLoginUser, Subdomain};
pub use tenant::{
    EntraApp, EntraAssignment, EntraDoor, EntraGroup, EntraJob, EntraUser, ProvisioningEvent,
    Tenant,
};
pub use world::{
    Account, Active, App, AppGroup, AppUser, Door, Group, Habits, LogEvent, OktaApp, OktaUser, Org,
    Paging, Person, Provisioning, Role, World,
};

/// A company that answers. It stops when it is dropped.
#[derive(Debug)]
pub struct Sim {
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
}

/// A fault that was switched on, to ask whether it was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultId(usize);

impl Sim {
    /// Starts the servers on free ports of 127.0.0.1.
    ///
    /// # Errors
    ///
    /// Returns the system's error where there is no port to be had.
    pub async fn start(world: World) -> io::Result<Self> {
        let (okta, scim, elsewhere) = (listener().await?, listener().await?, listener().await?);
        let (entra, onelogin) = (listener().await?, listener().await?);
        let secureframe = listener().await?;
        let secureframe_origin = format!("http://{}", secureframe.local_addr()?);
        let scim_origin = format!("http://{}", scim.local_addr()?);
        let urls = Urls {
            okta: format!("http://{}", okta.local_addr()?),
            entra: format!("http://{}", entra.local_addr()?),
            onelogin: format!("http://{}", onelogin.local_addr()?),
            scim: format!("{scim_origin}/scim/v2"),
            scim_origin,
            secureframe: format!("{secureframe_origin}/rest"),
            secureframe_origin,
            elsewhere_port: elsewhere.local_addr()?.port(),
        };
        let (stop, stopped) = watch::channel(false);
        let shared = Arc::new(Shared::new(world, urls, stopped));
        for (listener, server) in [
            (okta, Server::Okta),
            (entra, Server::Entra),
            (onelogin, Server::OneLogin),
            (scim, Server::Scim),
            (secureframe, Server::Secureframe),
            (elsewhere, Server::Elsewhere),
        ] {
            let mut stopped = shared.stopped.clone();
            let stop = async move {
                // Fails when the company is gone, which is a reason to stop too.
                drop(stopped.wait_for(|it| *it).await);
            };
            let router = router(Arc::clone(&shared), server);
            tokio::spawn(async move {
                axum::serve(listener, router).with_graceful_shutdown(stop).await
            });
        }
        Ok(Self { shared, stop })
    }

    /// Where Okta is, without a slash at the end. The token endpoint is `/oauth2/v1/token` there.
    #[must_use]
    pub fn okta_url(&self) -> &str {
        &self.shared.urls.okta
    }

    /// Where Microsoft Graph is, without a slash at the end. The token endpoint is
    /// `/{tenant}/oauth2/v2.0/token` there.
    #[must_use]
    pub fn entra_url(&self) -> &str {
        &self.shared.urls.entra
    }

    /// Where OneLogin is, without a slash at the end. The token endpoint is `/auth/oauth2/v2/token`
    /// there.
    #[must_use]
    pub fn onelogin_url(&self) -> &str {
        &self.shared.urls.onelogin
    }

    /// Where the app's SCIM server is, with its prefix and without a slash at the end.
    #[must_use]
    pub fn scim_url(&self) -> &str {
        &self.shared.urls.scim
    }

    /// Where the app's REST API is, with a prefix that the real one does not have, so that leaving it
    /// shows; without a slash at the end.
    #[must_use]
    pub fn secureframe_url(&self) -> &str {
        &self.shared.urls.secureframe
    }

    /// The company's clock: give it to whoever judges the company.
    #[must_use]
    pub fn clock(&self) -> Arc<SimClock> {
        Arc::clone(&self.shared.clock)
    }

    /// The company, to look at or to change. Nobody is answered while it is held.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.shared.world()
    }

    /// Switches a fault on.
    ///
    /// # Panics
    ///
    /// If the fault could never strike there ([`Fault::fits`]): such a test would prove nothing.
    pub fn fault(&self, endpoint: Endpoint, fault: Fault, when: When) -> FaultId {
        assert!(fault.fits(endpoint), "{fault:?} can never strike {endpoint:?}");
        FaultId(self.shared.desk().book.add(Plan { endpoint, fault, when }))
    }

    /// How many requests a fault has struck. A test of a fault that was never met shows nothing.
    #[must_use]
    pub fn struck(&self, id: FaultId) -> u64 {
        self.shared.desk().book.struck(id.0)
    }

    /// Switches every fault off.
    pub fn clear_faults(&self) {
        self.shared.desk().book.clear();
    }

    /// Every request so far, in the order in which they came.
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        self.shared.desk().requests.clone()
    }

    /// How many requests came to an endpoint.
    #[must_use]
    pub fn count(&self, endpoint: Endpoint) -> usize {
        let covers = |it: &&Recorded| endpoint.covers(it.endpoint);
        self.shared.desk().requests.iter().filter(covers).count()
    }

    /// Forgets the requests so far, so that the next pull is counted by itself.
    pub fn forget_requests(&self) {
        self.shared.desk().requests.clear();
    }

    /// Everything that was sent and must never be, in words: a write, a request to another host or
    /// outside the prefix, a secret in a URL. Empty: nothing but GET and token requests.
    #[must_use]
    pub fn offences(&self) -> Vec<String> {
        let secrets = self.secrets();
        self.requests().iter().flat_map(|it| it.offences(&secrets)).collect()
    }

    /// Every credential of the company, those handed out included: to search logs and files for.
    #[must_use]
    pub fn secrets(&self) -> Vec<String> {
        self.world().secrets()
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

async fn listener() -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await
}
