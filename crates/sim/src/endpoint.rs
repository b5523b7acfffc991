//! What can be asked of which system: the table from path to endpoint, and the names by which
//! faults are put on them.

use crate::record::Server;

/// Something that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Endpoint {
    /// All of Okta but tokens; faults only.
    Okta,
    /// `POST /oauth2/v1/token`
    OktaToken,
    /// `GET /api/v1/users`
    OktaUsers,
    /// `GET /api/v1/users/{id}`
    OktaUser,
    /// `GET /api/v1/users/{id}/groups`
    OktaUserGroups,
    /// `GET /api/v1/apps`
    OktaApps,
    /// `GET /api/v1/apps/{id}`
    OktaApp,
    /// `GET /api/v1/apps/{id}/features`
    OktaFeatures,
    /// `GET /api/v1/apps/{id}/users`
    OktaAppUsers,
    /// `GET /api/v1/apps/{id}/users/{id}`
    OktaAppUser,
    /// `GET /api/v1/apps/{id}/groups`
    OktaAppGroups,
    /// `GET /api/v1/groups`
    OktaGroups,
    /// `GET /api/v1/groups/{id}`
    OktaGroup,
    /// `GET /api/v1/groups/{id}/users`
    OktaGroupUsers,
    /// `GET /api/v1/logs`
    OktaLog,
    /// All of the app; faults only.
    Scim,
    /// `GET /ServiceProviderConfig`
    ScimConfig,
    /// `GET /ResourceTypes`
    ScimTypes,
    /// `GET /Users`
    ScimUsers,
    /// `GET /Users/{id}`
    ScimUser,
    /// `GET /Groups`
    ScimGroups,
    /// `GET /Groups/{id}`
    ScimGroup,
    /// All of Graph; faults only.
    Entra,
    /// `POST /{tenant}/oauth2/v2.0/token`
    EntraToken,
    /// `GET /v1.0/users`
    EntraUsers,
    /// `GET /v1.0/users/{id}`
    EntraUser,
    /// `GET /v1.0/directory/deletedItems/microsoft.graph.user`
    EntraDeletedUsers,
    /// `GET /v1.0/directory/deletedItems/{id}`
    EntraDeletedUser,
    /// `GET /v1.0/servicePrincipals`
    EntraApps,
    /// `GET /v1.0/servicePrincipals/{id}/appRoleAssignedTo`
    EntraAssigned,
    /// `GET /v1.0/users/{id}/appRoleAssignments`
    EntraUserAssigned,
    /// `GET /v1.0/groups/{id}/members`
    EntraMembers,
    /// `GET /v1.0/groups/{id}`
    EntraGroup,
    /// `GET /v1.0/servicePrincipals/{id}/synchronization/jobs`
    EntraJobs,
    /// `GET /v1.0/auditLogs/provisioning`
    EntraLog,
    /// All of OneLogin but tokens; faults only.
    OneLogin,
    /// `POST /auth/oauth2/v2/token`
    OneLoginToken,
    /// `GET /api/2/users`
    OneLoginUsers,
    /// `GET /api/2/users/{id}`
    OneLoginUser,
    /// `GET /api/2/users/{id}/apps`
    OneLoginUserApps,
    /// `GET /api/2/apps/{id}`
    OneLoginApp,
    /// `GET /api/2/apps/{id}/users`
    OneLoginAppUsers,
    /// `GET /api/2/roles`
    OneLoginRoles,
    /// `GET /api/1/events`
    OneLoginEvents,
    /// `GET /api/1/events/types`
    OneLoginEventTypes,
    /// All of Secureframe's REST API; faults only.
    Secureframe,
    /// `GET /users`
    SecureframeUsers,
    /// `GET /users/{id}`
    SecureframeUser,
    /// A path that nobody serves.
    Nowhere,
}

/// Names in descriptions.
const NAMES: &[(&str, Endpoint)] = &[
    ("okta", Endpoint::Okta),
    ("okta/token", Endpoint::OktaToken),
    ("okta/users", Endpoint::OktaUsers),
    ("okta/user", Endpoint::OktaUser),
    ("okta/user-groups", Endpoint::OktaUserGroups),
    ("okta/apps", Endpoint::OktaApps),
    ("okta/app", Endpoint::OktaApp),
    ("okta/features", Endpoint::OktaFeatures),
    ("okta/app-users", Endpoint::OktaAppUsers),
    ("okta/app-user", Endpoint::OktaAppUser),
    ("okta/app-groups", Endpoint::OktaAppGroups),
    ("okta/groups", Endpoint::OktaGroups),
    ("okta/group", Endpoint::OktaGroup),
    ("okta/group-users", Endpoint::OktaGroupUsers),
    ("okta/log", Endpoint::OktaLog),
    ("scim", Endpoint::Scim),
    ("scim/config", Endpoint::ScimConfig),
    ("scim/types", Endpoint::ScimTypes),
    ("scim/users", Endpoint::ScimUsers),
    ("scim/user", Endpoint::ScimUser),
    ("scim/groups", Endpoint::ScimGroups),
    ("scim/group", Endpoint::ScimGroup),
    ("entra", Endpoint::Entra),
    ("entra/token", Endpoint::EntraToken),
    ("entra/users", Endpoint::EntraUsers),
    ("entra/user", Endpoint::EntraUser),
    ("entra/deletions", Endpoint::EntraDeletedUsers),
    ("entra/deletion", Endpoint::EntraDeletedUser),
    ("entra/apps", Endpoint::EntraApps),
    ("entra/assigned", Endpoint::EntraAssigned),
    ("entra/grants", Endpoint::EntraUserAssigned),
    ("entra/members", Endpoint::EntraMembers),
    ("entra/group", Endpoint::EntraGroup),
    ("entra/jobs", Endpoint::EntraJobs),
    ("entra/log", Endpoint::EntraLog),
    ("onelogin", Endpoint::OneLogin),
    ("onelogin/token", Endpoint::OneLoginToken),
    ("onelogin/users", Endpoint::OneLoginUsers),
    ("onelogin/user", Endpoint::OneLoginUser),
    ("onelogin/user-apps", Endpoint::OneLoginUserApps),
    ("onelogin/app", Endpoint::OneLoginApp),
    ("onelogin/app-users", Endpoint::OneLoginAppUsers),
    ("onelogin/roles", Endpoint::OneLoginRoles),
    ("onelogin/events", Endpoint::OneLoginEvents),
    ("onelogin/types", Endpoint::OneLoginEventTypes),
    ("secureframe", Endpoint::Secureframe),
    ("secureframe/users", Endpoint::SecureframeUsers),
    ("secureframe/user", Endpoint::SecureframeUser),
];

impl Endpoint {
    /// The endpoint of this name: `okta/users`, `scim`, ...
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        NAMES.iter().find(|(it, _)| *it == name).map(|it| it.1)
    }

    /// Which endpoint a path leads to, with the ids in it.
    pub(crate) fn of(server: Server, segments: &[String]) -> (Self, Vec<String>) {
        let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
        let (endpoint, ids): (Self, &[&str]) = match (server, parts.as_slice()) {
            (Server::Okta, ["oauth2", "v1", "token"]) => (Self::OktaToken, &[]),
            (Server::Okta, ["api", "v1", path @ ..]) => match path {
                ["users"] => (Self::OktaUsers, &[]),
                ["users", id] => (Self::OktaUser, &[*id]),
                ["users", id, "groups"] => (Self::OktaUserGroups, &[*id]),
                ["apps"] => (Self::OktaApps, &[]),
                ["apps", id] => (Self::OktaApp, &[*id]),
                ["apps", id, "features"] => (Self::OktaFeatures, &[*id]),
                ["apps", id, "users"] => (Self::OktaAppUsers, &[*id]),
                ["apps", id, "users", user] => (Self::OktaAppUser, &[*id, *user]),
                ["apps", id, "groups"] => (Self::OktaAppGroups, &[*id]),
                ["groups"] => (Self::OktaGroups, &[]),
                ["groups", id] => (Self::OktaGroup, &[*id]),
                ["groups", id, "users"] => (Self::OktaGroupUsers, &[*id]),
                ["logs"] => (Self::OktaLog, &[]),
                _ => (Self::Nowhere, &[]),
            },
            (Server::Scim, ["scim", "v2", path @ ..]) => match path {
                ["ServiceProviderConfig"] => (Self::ScimConfig, &[]),
                ["ResourceTypes"] => (Self::ScimTypes, &[]),
                ["Users"] => (Self::ScimUsers, &[]),
                ["Users", id] => (Self::ScimUser, &[*id]),
                ["Groups"] => (Self::ScimGroups, &[]),
                ["Groups", id] => (Self::ScimGroup, &[*id]),
                _ => (Self::Nowhere, &[]),
            },
            (Server::Entra, [tenant, "oauth2", "v2.0", "token"]) => (Self::EntraToken, &[*tenant]),
            (Server::Entra, ["v1.0", path @ ..]) => match path {
                ["users"] => (Self::EntraUsers, &[]),
                ["users", id] => (Self::EntraUser, &[*id]),
                ["users", id, "appRoleAssignments"] => (Self::EntraUserAssigned, &[*id]),
                ["directory", "deletedItems", "microsoft.graph.user"] => {
                    (Self::EntraDeletedUsers, &[])
                }
                ["directory", "deletedItems", id] => (Self::EntraDeletedUser, &[*id]),
                ["servicePrincipals"] => (Self::EntraApps, &[]),
                ["servicePrincipals", id, "appRoleAssignedTo"] => (Self::EntraAssigned, &[*id]),
                ["servicePrincipals", id, "synchronization", "jobs"] => (Self::EntraJobs, &[*id]),
                ["groups", id] => (Self::EntraGroup, &[*id]),
                ["groups", id, "members"] => (Self::EntraMembers, &[*id]),
                ["auditLogs", "provisioning"] => (Self::EntraLog, &[]),
                _ => (Self::Nowhere, &[]),
            },
            (Server::OneLogin, ["auth", "oauth2", "v2", "token"]) => (Self::OneLoginToken, &[]),
            (Server::OneLogin, ["api", "1", "events"]) => (Self::OneLoginEvents, &[]),
            (Server::OneLogin, ["api", "1", "events", "types"]) => (Self::OneLoginEventTypes, &[]),
            (Server::OneLogin, ["api", "2", path @ ..]) => match path {
                ["users"] => (Self::OneLoginUsers, &[]),
                ["users", id] => (Self::OneLoginUser, &[*id]),
                ["users", id, "apps"] => (Self::OneLoginUserApps, &[*id]),
                ["apps", id] => (Self::OneLoginApp, &[*id]),
                ["apps", id, "users"] => (Self::OneLoginAppUsers, &[*id]),
                ["roles"] => (Self::OneLoginRoles, &[]),
                _ => (Self::Nowhere, &[]),
            },
            (Server::Secureframe, ["rest", "users"]) => (Self::SecureframeUsers, &[]),
            (Server::Secureframe, ["rest", "users", id]) => (Self::SecureframeUser, &[*id]),
            _ => (Self::Nowhere, &[]),
        };
        (endpoint, ids.iter().map(|it| (*it).to_owned()).collect())
    }

    /// Is a fault on `self` one on `other` too?
    pub(crate) fn covers(self, other: Self) -> bool {
        self == other
            || match self {
                Self::Okta => other.is_okta() && other != Self::OktaToken,
                Self::Scim => other.is_scim(),
                Self::Secureframe => other.is_secureframe(),
                Self::Entra => other.is_entra() && other != Self::EntraToken,
                Self::OneLogin => other.is_onelogin() && other != Self::OneLoginToken,
                _ => false,
            }
    }

    /// Is it answered with pages?
    pub(crate) fn is_list(self) -> bool {
        matches!(
            self,
            Self::Okta
                | Self::OktaUsers
                | Self::OktaUserGroups
                | Self::OktaApps
                | Self::OktaAppUsers
                | Self::OktaAppGroups
                | Self::OktaGroups
                | Self::OktaGroupUsers
                | Self::OktaLog
                | Self::Scim
                | Self::ScimUsers
                | Self::ScimGroups
                | Self::Secureframe
                | Self::SecureframeUsers
        ) || self.is_entra_list()
            || self.is_onelogin_list()
    }

    pub(crate) fn is_okta(self) -> bool {
        (Self::Okta..=Self::OktaLog).contains(&self)
    }

    /// Is it a list of Graph that may have several pages?
    pub(crate) fn is_entra_list(self) -> bool {
        matches!(
            self,
            Self::Entra
                | Self::EntraUsers
                | Self::EntraDeletedUsers
                | Self::EntraAssigned
                | Self::EntraMembers
                | Self::EntraLog
        )
    }

    /// Is it a list of OneLogin that may have several pages?
    pub(crate) fn is_onelogin_list(self) -> bool {
        matches!(
            self,
            Self::OneLogin | Self::OneLoginUsers | Self::OneLoginAppUsers | Self::OneLoginEvents
        )
    }

    pub(crate) fn is_onelogin(self) -> bool {
        (Self::OneLogin..=Self::OneLoginEventTypes).contains(&self)
    }

    /// Does it hand out access tokens?
    pub(crate) fn gives_tokens(self) -> bool {
        matches!(self, Self::OktaToken | Self::EntraToken | Self::OneLoginToken)
    }

    pub(crate) fn is_entra(self) -> bool {
        (Self::Entra..=Self::EntraLog).contains(&self)
    }

    pub(crate) fn is_secureframe(self) -> bool {
        (Self::Secureframe..=Self::SecureframeUser).contains(&self)
    }

    pub(crate) fn is_scim(self) -> bool {
        (Self::Scim..=Self::ScimGroup).contains(&self)
    }
}
