//! What the company keeps in files: HR's list of those who leave, and the register of accounts that
//! belong to no person. Written out before each look, as an export would be.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};

/// HR's list.
pub(super) const HR: &str = "hr.csv";
/// The register.
pub(super) const REGISTER: &str = "register.csv";

/// Rows about nobody, so that a list that loses a row or two is not one that shrank too much.
const OLD_ROWS: u32 = 20;

/// All that stands in the files.
#[derive(Clone, Debug, Default)]
pub(super) struct Papers {
    /// Last day, by employee number.
    pub(super) leavers: BTreeMap<String, NaiveDate>,
    /// By account id.
    pub(super) registered: BTreeMap<String, Registered>,
}

/// One row of the register.
#[derive(Clone, Debug)]
pub(super) struct Registered {
    /// A login; `None`: nobody is named.
    pub(super) owner: Option<String>,
    /// The last day of its confirmation.
    pub(super) attest_by: NaiveDate,
}

impl Papers {
    /// Writes both files.
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        let mut hr = "employee_number,last_day\n".to_owned();
        let mut register = "account,owner,attest_by\n".to_owned();
        for n in 0..OLD_ROWS {
            hr.push_str(&format!("old{n},2001-01-31\n"));
            register.push_str(&format!("old{n},,2001-01-31\n"));
        }
        for (number, day) in &self.leavers {
            hr.push_str(&format!("{number},{day}\n"));
        }
        for (account, row) in &self.registered {
            let owner = row.owner.as_deref().unwrap_or_default();
            register.push_str(&format!("{account},{owner},{}\n", row.attest_by));
        }
        fs::write(folder.join(HR), hr)?;
        fs::write(folder.join(REGISTER), register)
    }
}

/// When a day is over: what lasts through it ends then.
pub(super) fn end_of(day: NaiveDate) -> DateTime<Utc> {
    (day + TimeDelta::days(1)).and_time(NaiveTime::MIN).and_utc()
}
