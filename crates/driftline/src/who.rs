//! Who does something, for the record: the name they give, or the login of the machine.

use chrono::{DateTime, Utc};
use domain::Signature;

/// Signs for `by`; without a name, for who is logged in.
pub(crate) fn signature(by: Option<&str>, at: DateTime<Utc>) -> Signature {
    let login = first_set(&["USER", "LOGNAME", "USERNAME"]);
    let login = login.unwrap_or_else(|| "unknown".to_owned());
    let by = by.map(str::trim).filter(|by| !by.is_empty()).unwrap_or(&login).to_owned();
    Signature { by, at, place: format!("{login}@{}", host()) }
}

/// The name of the machine, as its kernel or its environment says.
fn host() -> String {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    kernel
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .or_else(|| first_set(&["HOSTNAME", "COMPUTERNAME"]))
        .unwrap_or_else(|| "unknown".to_owned())
}

/// The first of these variables that is set to something.
fn first_set(names: &[&str]) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "the program reads the environment")]
    let read = |name: &&str| std::env::var(name).ok();
    names.iter().filter_map(read).find(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_given_name_signs_and_the_machine_is_noted_beside_it() {
        let now = DateTime::UNIX_EPOCH;
        let signature = signature(Some(" Ilse van der Meer "), now);
        assert_eq!(signature.by, "Ilse van der Meer");
        assert!(signature.place.contains('@'), "{}", signature.place);
    }

    #[test]
    fn without_a_name_the_login_signs() {
        let (blank, none) =
            (signature(Some(" "), DateTime::UNIX_EPOCH), signature(None, DateTime::UNIX_EPOCH));
        assert_eq!(blank.by, none.by);
        assert!(none.place.starts_with(&format!("{}@", none.by)));
    }
}
