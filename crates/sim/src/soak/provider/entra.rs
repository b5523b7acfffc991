//! What Entra shows: users who may sign in or not, the deleted for 30 days, assignments by hand and
//! of groups, and in its log whom provisioning switched off in the app. It does not say since when.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use connectors::entra::{self, Entra, ProvisioningLog, Scope, ScopingFilters};
use connectors::files::Profiles;
use connectors::live::SwitchedOff;
use domain::SystemId;
use engine::Source;
use outbound::Pace;

use super::{Access, Provider};
use crate::soak::installation::client;
use crate::soak::papers::end_of;
use crate::soak::people::GROUPS;
use crate::tenant::{EntraAssignment, EntraGroup, EntraUser, ProvisioningEvent};
use crate::world::{DEACTIVATED_IN_APP, LogEvent, World};
use crate::{Endpoint, Sim, SimClock};

pub(super) const PLACES: &[Endpoint] = &[
    Endpoint::Entra,
    Endpoint::EntraToken,
    Endpoint::EntraUsers,
    Endpoint::EntraUser,
    Endpoint::EntraDeletedUsers,
    Endpoint::EntraApps,
    Endpoint::EntraAssigned,
    Endpoint::EntraUserAssigned,
    Endpoint::EntraMembers,
    Endpoint::EntraGroup,
    Endpoint::EntraJobs,
    Endpoint::EntraLog,
];

/// So long a deleted user can be brought back.
const KEEPS_DELETED: TimeDelta = TimeDelta::days(30);

pub(super) fn show(world: &mut World, at: DateTime<Utc>) {
    let (book, tenant) = (&world.okta, &mut world.entra);
    let is_ours = |id: &String| Provider::of(id) == Provider::Entra;
    for (id, user) in book.users.iter().filter(|it| is_ours(it.0)) {
        let shown = EntraUser {
            principal_name: user.login.clone(),
            mail: user.email.clone(),
            is_enabled: Some(user.status == "ACTIVE"),
            is_guest: user.employee_number.is_none(),
            employee_number: user.employee_number.clone(),
            created_at: user.created_at,
            deleted_at: None,
            leaves_at: user.ends_on.map(end_of),
            more: std::collections::BTreeMap::new(),
        };
        tenant.users.insert(id.clone(), shown);
    }
    for (id, user) in &mut tenant.users {
        if !book.users.contains_key(id) {
            user.deleted_at = user.deleted_at.or(Some(at));
        }
    }
    tenant.users.retain(|_, it| it.deleted_at.is_none_or(|it| at - it < KEEPS_DELETED));

    tenant.assigned.clear();
    for (n, (id, is_assigned)) in GROUPS.iter().enumerate() {
        let object = format!("b0000000-0000-4000-8000-{n:012}");
        let members = book.groups.get(*id).into_iter().flat_map(|it| &it.members);
        let members = members.filter(|it| is_ours(it)).cloned().collect();
        let group = EntraGroup { name: (*id).to_owned(), members, ..EntraGroup::default() };
        tenant.groups.insert(object.clone(), group);
        if *is_assigned {
            let assignment = EntraAssignment {
                principal: object.clone(),
                is_group: true,
                created_at: world.begins_at,
            };
            tenant.assigned.insert(format!("assignment-{object}"), assignment);
        }
    }
    let by_hand = book.app_users.iter().filter(|it| is_ours(it.0) && it.1.group.is_none());
    for (user, app_user) in by_hand {
        let assignment = EntraAssignment {
            principal: user.clone(),
            is_group: false,
            created_at: app_user.created_at,
        };
        tenant.assigned.insert(format!("assignment-{user}"), assignment);
    }
    let is_push = |it: &&LogEvent| it.event_type == DEACTIVATED_IN_APP && is_ours(&it.user);
    let pushes = book.log.iter().filter(is_push);
    let new = pushes.skip(tenant.log.len()).map(|it| ProvisioningEvent {
        at: it.published_at,
        action: "disable".to_owned(),
        status: it.result.to_lowercase(),
        user: it.user.clone(),
    });
    tenant.log.extend(new);
}

/// Provisioning was to switch the account off.
pub(super) fn logs_leaver(world: &World, user: &str, since: DateTime<Utc>) -> bool {
    world.entra.log.iter().any(|it| it.user == user && it.at > since)
}

pub(super) fn access(sim: &Sim) -> Access {
    let world = sim.world();
    Access {
        provider: Provider::Entra,
        url: sim.entra_url().to_owned(),
        app_id: world.entra.app.app_id.clone(),
        client_id: world.entra.door.client_id.clone(),
        secret: world.entra.door.client_secret.clone(),
    }
}

pub(super) fn settings(access: &Access) -> String {
    let Access { url, app_id, client_id, .. } = access;
    let tenant = crate::tenant::EntraDoor::default().tenant;
    format!(
        "tenant = \"{tenant}\"\ngraph_url = \"{url}\"\nlogin_url = \"{url}\"\napp_id = \"{app_id}\"\n\
         client_id = \"{client_id}\"\nclient_secret = \"env:ENTRA\"\n"
    )
}

pub(super) fn source(
    access: Access,
    (system, app): (SystemId, SystemId),
    profiles: &Profiles,
    clock: &Arc<SimClock>,
) -> anyhow::Result<Source> {
    let config = entra::Config {
        system,
        app,
        app_id: access.app_id.as_str().into(),
        scope: Scope::Assigned,
        scoping_filters: ScopingFilters::default(),
        disabled: SwitchedOff::Left,
        log: ProvisioningLog::Pages(200),
        canaries: Vec::new(),
        assigned_canaries: Vec::new(),
    };
    let tenant = crate::tenant::EntraDoor::default().tenant;
    let scopes = vec![format!("{}/.default", access.url)];
    let auth = access.service_app(&format!("/{tenant}/oauth2/v2.0/token"), true, scopes)?;
    let base = format!("{}{}", access.url, entra::API);
    let client = client(clock, &base, auth, Pace::RetryAfter, "application/json")?;
    Ok(Source::Entra(Entra::new(config, client.reader(), profiles)?))
}
