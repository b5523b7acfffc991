//! How a row becomes a row of each list, as a profile writes it.

use domain::{Grant, IdentityKind, Invitation, Lifecycle, Population};
use rustc_hash::FxHashMap;
use serde::Deserialize;

use super::named;

/// A field: the columns or members that may hold it, the first that states something wins.
#[derive(Debug, Default, Deserialize)]
#[serde(from = "Vec<String>")]
pub(crate) struct Field {
    pub(crate) paths: Vec<String>,
    pub(crate) slots: Vec<usize>,
}

impl From<Vec<String>> for Field {
    fn from(paths: Vec<String>) -> Self {
        Self { paths, slots: Vec::new() }
    }
}

impl Field {
    /// How an error names it.
    pub(crate) fn shown(&self) -> String {
        self.paths.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(" or ")
    }
}

/// Raw words and what they mean, by plain form.
pub(crate) type Words<T> = FxHashMap<String, T>;

/// How a row becomes an identity.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IdentityShape {
    #[serde(deserialize_with = "named::population")]
    pub(crate) lists: Population,
    pub(crate) lifecycle: bool,
    /// What every row of such a list is, whatever its status says.
    #[serde(default, deserialize_with = "named::lifecycle")]
    pub(crate) always: Option<Lifecycle>,
    /// What a row without a status is; by default unknown where the lifecycle is known, else not stated.
    #[serde(default, deserialize_with = "named::lifecycle")]
    pub(crate) without_status: Option<Lifecycle>,
    #[serde(default, deserialize_with = "named::lifecycles")]
    pub(crate) statuses: Words<Lifecycle>,
    #[serde(default, deserialize_with = "named::identity_kinds")]
    pub(crate) kinds: Words<IdentityKind>,
    /// States in which assignments give access. Empty: all do.
    #[serde(default)]
    pub(crate) approved_states: Vec<String>,
    pub(crate) fields: IdentityFields,
}

/// Where the fields of an identity are.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct IdentityFields {
    pub(crate) id: Field,
    pub(crate) user_name: Field,
    pub(crate) email: Field,
    pub(crate) employee_number: Field,
    pub(crate) immutable_id: Field,
    pub(crate) display_name: Field,
    pub(crate) first_name: Field,
    pub(crate) last_name: Field,
    pub(crate) kind: Field,
    pub(crate) status: Field,
    pub(crate) state: Field,
    pub(crate) created_at: Field,
    pub(crate) status_changed_at: Field,
    pub(crate) starts_at: Field,
    pub(crate) ends_at: Field,
}

impl IdentityFields {
    pub(super) fn all(&mut self) -> Vec<&mut Field> {
        vec![
            &mut self.id,
            &mut self.user_name,
            &mut self.email,
            &mut self.employee_number,
            &mut self.immutable_id,
            &mut self.display_name,
            &mut self.first_name,
            &mut self.last_name,
            &mut self.kind,
            &mut self.status,
            &mut self.state,
            &mut self.created_at,
            &mut self.status_changed_at,
            &mut self.starts_at,
            &mut self.ends_at,
        ]
    }
}

/// How a row becomes an assignment.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AssignmentShape {
    /// What a row without a status says.
    #[serde(default, deserialize_with = "named::grant")]
    pub(crate) without_status: Option<Grant>,
    #[serde(default, deserialize_with = "named::grants")]
    pub(crate) statuses: Words<Grant>,
    #[serde(default)]
    pub(crate) direct_words: Vec<String>,
    #[serde(default)]
    pub(crate) group_words: Vec<String>,
    #[serde(default, deserialize_with = "named::principals")]
    pub(crate) principal_types: Words<PrincipalType>,
    /// Whether several rows of one principal are usual; they become one.
    #[serde(default)]
    pub(crate) folds: bool,
    pub(crate) fields: AssignmentFields,
}

/// Where the fields of an assignment are.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct AssignmentFields {
    pub(crate) principal: Field,
    pub(crate) principal_type: Field,
    pub(crate) status: Field,
    pub(crate) via: Field,
    pub(crate) group: Field,
    pub(crate) group_name: Field,
    pub(crate) account_id: Field,
    pub(crate) user_name: Field,
    pub(crate) changed_at: Field,
    /// A stated end means that access was taken then.
    pub(crate) ended_at: Field,
    /// The app: a file must not mix several.
    pub(crate) app: Field,
}

impl AssignmentFields {
    pub(super) fn all(&mut self) -> Vec<&mut Field> {
        vec![
            &mut self.principal,
            &mut self.principal_type,
            &mut self.status,
            &mut self.via,
            &mut self.group,
            &mut self.group_name,
            &mut self.account_id,
            &mut self.user_name,
            &mut self.changed_at,
            &mut self.ended_at,
            &mut self.app,
        ]
    }
}

/// What a principal or member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PrincipalType {
    Identity,
    Group,
    /// A program or a device: not judged.
    Ignored,
}

/// How a row becomes a membership.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MembershipShape {
    #[serde(default, deserialize_with = "named::principals")]
    pub(crate) member_types: Words<PrincipalType>,
    pub(crate) fields: MembershipFields,
}

/// Where the fields of a membership are.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct MembershipFields {
    pub(crate) member: Field,
    pub(crate) member_type: Field,
    /// The group; where a row has none, the operator names it for the file.
    pub(crate) group: Field,
}

impl MembershipFields {
    pub(super) fn all(&mut self) -> Vec<&mut Field> {
        vec![&mut self.member, &mut self.member_type, &mut self.group]
    }
}

/// How a row becomes an account.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountShape {
    /// Words for on, beside JSON `true` and the text `true`.
    #[serde(default)]
    pub(crate) on_words: Vec<String>,
    /// Words for off, beside JSON `false` and the text `false`.
    #[serde(default)]
    pub(crate) off_words: Vec<String>,
    /// Whether JSON `null` says that there is no role; else it says nothing.
    #[serde(default)]
    pub(crate) null_is_no_role: bool,
    /// Words of the role column that mean no role.
    #[serde(default)]
    pub(crate) no_role_words: Vec<String>,
    #[serde(default, deserialize_with = "named::invitations")]
    pub(crate) invitations: Words<Invitation>,
    pub(crate) fields: AccountFields,
}

/// Where the fields of an account are.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct AccountFields {
    pub(crate) id: Field,
    pub(crate) external_id: Field,
    pub(crate) user_name: Field,
    pub(crate) email: Field,
    pub(crate) employee_number: Field,
    pub(crate) display_name: Field,
    pub(crate) first_name: Field,
    pub(crate) last_name: Field,
    pub(crate) active: Field,
    pub(crate) invitation: Field,
    pub(crate) status: Field,
    pub(crate) active_source: Field,
    pub(crate) roles: Field,
    pub(crate) groups: Field,
    pub(crate) ends_at: Field,
    pub(crate) created_at: Field,
    pub(crate) modified_at: Field,
    pub(crate) last_used_at: Field,
}

impl AccountFields {
    pub(super) fn all(&mut self) -> Vec<&mut Field> {
        vec![
            &mut self.id,
            &mut self.external_id,
            &mut self.user_name,
            &mut self.email,
            &mut self.employee_number,
            &mut self.display_name,
            &mut self.first_name,
            &mut self.last_name,
            &mut self.active,
            &mut self.invitation,
            &mut self.status,
            &mut self.active_source,
            &mut self.roles,
            &mut self.groups,
            &mut self.ends_at,
            &mut self.created_at,
            &mut self.modified_at,
            &mut self.last_used_at,
        ]
    }
}

/// How a row becomes a registered non-human account.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NonHumanShape {
    pub(crate) fields: NonHumanFields,
}

/// Where the fields of a non-human account are.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct NonHumanFields {
    pub(crate) account: Field,
    pub(crate) owner: Field,
    pub(crate) purpose: Field,
    pub(crate) attest_by: Field,
}

impl NonHumanFields {
    pub(super) fn all(&mut self) -> Vec<&mut Field> {
        vec![&mut self.account, &mut self.owner, &mut self.purpose, &mut self.attest_by]
    }
}

/// How a row becomes a leaver.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LeaverShape {
    pub(crate) fields: LeaverFields,
}

/// Where the fields of a leaver are.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LeaverFields {
    pub(crate) employee_number: Field,
    pub(crate) email: Field,
    pub(crate) display_name: Field,
    pub(crate) first_name: Field,
    pub(crate) last_name: Field,
    pub(crate) left_at: Field,
    pub(crate) reason: Field,
}

impl LeaverFields {
    pub(super) fn all(&mut self) -> Vec<&mut Field> {
        vec![
            &mut self.employee_number,
            &mut self.email,
            &mut self.display_name,
            &mut self.first_name,
            &mut self.last_name,
            &mut self.left_at,
            &mut self.reason,
        ]
    }
}
