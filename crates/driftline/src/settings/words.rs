//! The words of the settings that stand for a choice, and what each means.
//!
//! They are written like the domain's stable names, and are types of their own: what a
//! settings file may say changes only on purpose.

#[cfg(test)]
use schemars::JsonSchema;
use serde::Deserialize;
#[cfg(test)]
use serde::Serialize;

/// Declares an enum of words, each with the value it means.
macro_rules! words {
    ($(#[$meta:meta])* $enum:ident -> $meant:ty { $($(#[$doc:meta])* $variant:ident => $value:expr,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
        #[cfg_attr(test, derive(JsonSchema, Serialize))]
        #[serde(rename_all = "snake_case")]
        pub(super) enum $enum { $($(#[$doc])* $variant,)+ }

        impl $enum {
            /// What the word means.
            pub(super) const fn meant(self) -> $meant {
                match self { $(Self::$variant => $value,)+ }
            }
        }
    };
}

words! {
    /// How much a finding matters.
    Severity -> domain::Severity {
        /// Tidy up.
        Low => domain::Severity::Low,
        /// This week.
        Medium => domain::Severity::Medium,
        /// Today.
        High => domain::Severity::High,
        /// Now.
        Critical => domain::Severity::Critical,
    }
}

words! {
    /// A version of OCSF.
    OcsfVersion -> evidence::OcsfVersion {
        /// What Amazon's parsers read.
        #[serde(rename = "1.5.0")]
        V1_5_0 => evidence::OcsfVersion::V1_5_0,
        /// The newest of 2026.
        #[serde(rename = "1.8.0")]
        V1_8_0 => evidence::OcsfVersion::V1_8_0,
    }
}

words! {
    /// A day of the week.
    Weekday -> chrono::Weekday {
        /// Monday.
        Mon => chrono::Weekday::Mon,
        /// Tuesday.
        Tue => chrono::Weekday::Tue,
        /// Wednesday.
        Wed => chrono::Weekday::Wed,
        /// Thursday.
        Thu => chrono::Weekday::Thu,
        /// Friday.
        Fri => chrono::Weekday::Fri,
        /// Saturday.
        Sat => chrono::Weekday::Sat,
        /// Sunday.
        Sun => chrono::Weekday::Sun,
    }
}

words! {
    /// From which event the SLA runs.
    SlaClock -> domain::ClockStart {
        /// HR's last day.
        HrTerminationAt => domain::ClockStart::HrTermination,
        /// The identity provider deactivated the identity.
        IdpDeactivatedAt => domain::ClockStart::IdpDeactivated,
        /// The identity provider took the app away.
        IdpUnassignedAt => domain::ClockStart::IdpUnassigned,
        /// The earliest of those that are known.
        EarliestKnown => domain::ClockStart::EarliestKnown,
    }
}

words! {
    /// Whom Entra's provisioning of an app is for.
    ProvisionedScope -> connectors::entra::Scope {
        /// "Sync only assigned users and groups".
        Assigned => connectors::entra::Scope::Assigned,
        /// "Sync all users and groups".
        All => connectors::entra::Scope::Everyone,
    }
}

words! {
    /// What it means that a user is switched off: disabled in Entra, suspended in OneLogin.
    SwitchedOff -> connectors::live::SwitchedOff {
        /// They have left.
        Left => connectors::live::SwitchedOff::Left,
        /// They are away, as on long leave.
        Suspended => connectors::live::SwitchedOff::Suspended,
    }
}

words! {
    /// A key that makes two identities one person.
    PersonKey -> graph::PersonKey {
        /// Employee number.
        EmployeeNumber => graph::PersonKey::EmployeeNumber,
        /// On-premises immutable id.
        ImmutableId => graph::PersonKey::ImmutableId,
    }
}

words! {
    /// Is one identity provider's assignment enough?
    Entitlement -> drift::Entitlement {
        /// Entitled by any is entitled.
        Any => drift::Entitlement::Any,
        /// Every bound one that knows the person must entitle them.
        All => drift::Entitlement::All,
    }
}

words! {
    /// What the app does with an account that is switched off.
    Deprovision -> drift::Deprovision {
        /// Keeps it in the list, inactive: gone from the list means deleted.
        Lists => drift::Deprovision::Lists,
        /// Hides it from the list: gone from the list means inactive.
        Hides => drift::Deprovision::Hides,
        /// Deletes it.
        Deletes => drift::Deprovision::Deletes,
        /// Not yet observed: gone from the list proves nothing.
        Unknown => drift::Deprovision::Unknown,
    }
}

words! {
    /// What an identity provider writes into the app's `externalId`.
    ExternalId -> graph::ExternalIdCarries {
        /// Its own user id.
        IdpId => graph::ExternalIdCarries::IdpId,
        /// The part of the user name before the `@`.
        MailNickname => graph::ExternalIdCarries::MailNickname,
        /// The employee number.
        EmployeeNumber => graph::ExternalIdCarries::EmployeeNumber,
        /// Nothing that joins.
        Nothing => graph::ExternalIdCarries::Nothing,
    }
}

words! {
    /// One way of seeing an app.
    Channel -> domain::Channel {
        /// SCIM `GET /Users`.
        Scim => domain::Channel::Scim,
        /// Secureframe's own REST API, `/users`.
        SecureframeApi => domain::Channel::SecureframeApi,
        /// An export of the console, or an attestation.
        File => domain::Channel::File,
    }
}

words! {
    /// What a raw status of an identity means.
    Lifecycle -> domain::Lifecycle {
        /// May sign in, or could after a reset.
        Active => domain::Lifecycle::Active,
        /// Blocked for now; expected back.
        Suspended => domain::Lifecycle::Suspended,
        /// Made and not yet in use.
        NotYet => domain::Lifecycle::NotYet,
        /// Deactivated, disabled or deleted.
        Left => domain::Lifecycle::Left,
        /// Says nothing that can be judged.
        Unknown => domain::Lifecycle::Unknown,
    }
}

words! {
    /// How the connection to a mail server is secured.
    MailSecurity -> alerting::email::Security {
        /// `STARTTLS` before anything is said.
        Starttls => alerting::email::Security::StartTls,
        /// TLS from the first byte.
        Tls => alerting::email::Security::Implicit,
        /// Not at all: only to this machine.
        None => alerting::email::Security::Clear,
    }
}

/// How a receiver of syslog is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, Serialize))]
#[serde(rename_all = "snake_case")]
pub(super) enum SyslogTransport {
    /// A datagram for each notice: what is lost is not noticed.
    Udp,
    /// A connection for each notice.
    Tcp,
    /// The same, secured.
    Tls,
}

words! {
    /// A facility of syslog.
    Facility -> u8 {
        /// Programs that run in the background.
        Daemon => 3,
        /// Security and authorization.
        Auth => 4,
        /// Security and authorization, for few eyes.
        Authpriv => 10,
        /// Of your own choice.
        Local0 => 16,
        /// Of your own choice.
        Local1 => 17,
        /// Of your own choice.
        Local2 => 18,
        /// Of your own choice.
        Local3 => 19,
        /// Of your own choice.
        Local4 => 20,
        /// Of your own choice.
        Local5 => 21,
        /// Of your own choice.
        Local6 => 22,
        /// Of your own choice.
        Local7 => 23,
    }
}
