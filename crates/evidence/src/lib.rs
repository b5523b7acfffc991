//! The auditor's bag: what one app's leavers of one period came to, with everything it takes to
//! check that without us; and the check itself.
//!
//! A bag is a BagIt folder (RFC 8493) in a ZIP, with an SSH signature over its tag manifest and the
//! ledger's proofs inside. Functions from values to values: who reads the database, the keys and the
//! files is the caller. Never here: a database, a network, a clock; and nothing in a bag is ever run.

mod anchored;
mod bag;
mod compare;
mod contents;
mod controls;
mod coverage;
mod disputes;
mod entry;
mod erasure;
mod error;
mod leaf;
mod ocsf;
mod oscal;
mod page;
mod population;
mod printed;
mod sample;
mod signature;
mod tables;
mod verify;

pub use anchored::{AnchorTold, Stamp, Taken, stamps};
pub use bag::Bag;
pub use contents::{
    Contents, FindingTold, LeaverTold, LedgerPart, PushTold, RawRow, Scope, pack, sealed,
};
pub use controls::{CONTROLS, Control, Controls, OfCatalog, PARTS};
pub use coverage::{ListsTold, lists_told};
pub use entry::Entry;
pub use erasure::Erasures;
pub use error::EvidenceError;
pub use leaf::LeaverLeaf;
pub use ocsf::OcsfVersion;
pub use population::{COLUMNS, population_csv};
pub use printed::{PAGE, put_printed};
pub use sample::drawn;
pub use signature::{AllowedSigners, NAMESPACE, SigningKey};
pub use tables::{AlertRow, ExceptionRow, HrList, ListRead, RunDone};
pub use verify::{Check, Outcome, Trust, verify};
