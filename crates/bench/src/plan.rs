//! The plan of a run: one identity provider, one app that lists who is off, nothing out of the
//! ordinary.

use std::collections::BTreeMap;
use std::sync::Arc;

use connectors::files::Profiles;
use domain::{Pass, SystemId};
use drift::{AppRules, Deprovision, Entitlement, Policy};
use engine::{AppPlan, Plan, Source};
use graph::KeyRules;

/// What the two systems are called.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    /// The identity provider.
    pub(crate) idp: SystemId,
    /// The app.
    pub(crate) app: SystemId,
}

/// A plan for these sources.
pub(crate) fn plan(
    sources: Vec<Source>,
    profiles: Arc<Profiles>,
    names: Names,
    policy: Policy,
) -> Plan {
    Plan {
        pass: Pass::Full,
        sources,
        profiles,
        apps: vec![AppPlan {
            rules: AppRules {
                app: names.app,
                idps: vec![names.idp],
                entitlement: Entitlement::Any,
                authority: None,
                deprovision: Deprovision::Lists,
                is_on_vendors_word: false,
                required_channels: Vec::new(),
                privileged_roles: Vec::new(),
                canaries: Vec::new(),
                inactive_canaries: Vec::new(),
            },
            keys: KeyRules::default(),
        }],
        policy,
        judges_everybody: false,
        settings_digest: [0; 32],
        settings: None,
        fingerprint_key: Some([0; 32]),
        provisioned: BTreeMap::new(),
        turn: None,
        software: concat!("driftline ", env!("CARGO_PKG_VERSION")).to_owned(),
        routes: Default::default(),
        anchors: Vec::new(),
    }
}
