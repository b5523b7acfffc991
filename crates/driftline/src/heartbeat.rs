//! Tells a dead man's switch that Driftline lives and sees. The address is a secret: it is in no
//! log line and no error.

use outbound::OutboundErrorKind;
use tracing::instrument::WithSubscriber as _;
use tracing::subscriber::NoSubscriber;

use crate::settings::Heartbeat;

impl Heartbeat {
    /// Asks it once, with the client's further tries.
    ///
    /// # Errors
    ///
    /// Returns why it did not hear, without its address.
    pub(crate) async fn beat(&self) -> Result<(), String> {
        let reader = self.reader.new_pull();
        // The client logs where it asks.
        let asked = reader.get(&self.path).with_subscriber(NoSubscriber::default()).await;
        match asked {
            Ok(answer) if (200..300).contains(&answer.status) => Ok(()),
            Ok(answer) => Err(format!("HTTP {}: correct the address", answer.status)),
            Err(error) => Err(match error.kind {
                OutboundErrorKind::Redirected { status, .. } => {
                    format!("HTTP {status} leads elsewhere: correct the address")
                }
                kind => kind.to_string(),
            }),
        }
    }
}
