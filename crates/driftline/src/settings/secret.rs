//! Secrets: written as references, read once, printed never.

use std::fs;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::SettingsError;
use super::document::{Document, dotted};

/// Where a secret is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SecretRef {
    /// A variable of the environment, by name.
    Env(String),
    /// A file.
    File(PathBuf),
    /// A credential that systemd hands to the service, by name.
    Credential(String),
}

/// A secret as it was read. Its bytes go to the code that needs them and to no other place.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(Vec<u8>);

impl Secret {
    /// The bytes, without the line end that editors leave.
    pub(crate) fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// What keeps a secret from being read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretError {
    /// The variable is not set, or is not text.
    #[error("the environment has no variable `{0}` with text in it: set it, or name another")]
    Env(String),
    /// The file cannot be read.
    #[error("failed to read the secret file `{path}`", path = .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The service was started without it.
    #[error("systemd handed over no credential `{0}`: give the unit a `LoadCredential={0}:PATH`")]
    Credential(String),
    /// Not a key of a ledger.
    #[error("the secret in `{place}` cannot be used")]
    Key {
        /// The reference, as the settings write it.
        place: String,
        /// Why not.
        source: ledger::LedgerError,
    },
    /// Not a key that signs evidence.
    #[error("the secret in `{place}` cannot be used")]
    EvidenceKey {
        /// The reference, as the settings write it.
        place: String,
        /// Why not.
        source: evidence::EvidenceError,
    },
    /// Too short to be a key.
    #[error("the secret in `{place}` has {n_bytes} bytes: give it at least {min}")]
    Short {
        /// The reference, as the settings write it.
        place: String,
        /// How long it is.
        n_bytes: usize,
        /// How long it must be.
        min: usize,
    },
}

impl SecretRef {
    /// Reads `env:NAME`, `file:PATH` or `credential:NAME`; a relative path is relative to `base`.
    /// Returns `None` for any other text.
    pub(crate) fn parse(text: &str, base: &Path) -> Option<Self> {
        if let Some(name) = text.strip_prefix("env:") {
            let is_name = name.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_')
                && name.starts_with(|first: char| !first.is_ascii_digit());
            is_name.then(|| Self::Env(name.to_owned()))
        } else if let Some(name) = text.strip_prefix("credential:") {
            let is_name = !name.is_empty() && !name.contains('/');
            is_name.then(|| Self::Credential(name.to_owned()))
        } else {
            let path = text.strip_prefix("file:").filter(|path| !path.is_empty())?;
            Some(Self::File(base.join(path)))
        }
    }

    /// Reads the secret, of at least `min` bytes.
    ///
    /// # Errors
    ///
    /// Returns [`SecretError`] when it is not there or too short. It never holds the secret.
    pub(crate) fn read(&self, min: usize) -> Result<Secret, SecretError> {
        let mut bytes = match self {
            Self::Env(name) => {
                #[expect(clippy::disallowed_methods, reason = "settings read the environment")]
                let value = std::env::var(name);
                value.map_err(|_| SecretError::Env(name.clone()))?.into_bytes()
            }
            Self::File(path) => read_file(path)?,
            Self::Credential(name) => {
                #[expect(clippy::disallowed_methods, reason = "settings read the environment")]
                let folder = std::env::var_os("CREDENTIALS_DIRECTORY");
                let folder = folder.ok_or_else(|| SecretError::Credential(name.clone()))?;
                read_file(&Path::new(&folder).join(name))?
            }
        };
        while bytes.last().is_some_and(|last| matches!(last, b'\n' | b'\r')) {
            bytes.pop();
        }
        if bytes.len() < min {
            let (place, n_bytes) = (self.to_string(), bytes.len());
            return Err(SecretError::Short { place, n_bytes, min });
        }
        Ok(Secret(bytes))
    }
}

impl SecretRef {
    /// Reads the key of a ledger.
    ///
    /// # Errors
    ///
    /// Returns [`SecretError`] when it is not there or is no key. It never holds the secret.
    pub(crate) fn signing_key(&self) -> Result<ledger::SecretKey, SecretError> {
        let secret = self.read(1)?;
        let text = String::from_utf8_lossy(secret.expose());
        let wrong = |source| SecretError::Key { place: self.to_string(), source };
        ledger::SecretKey::parse(&text).map_err(wrong)
    }

    /// Reads the key that signs bags.
    ///
    /// # Errors
    ///
    /// Returns [`SecretError`] when it is not there or is no key. It never holds the secret.
    pub(crate) fn evidence_key(&self) -> Result<evidence::SigningKey, SecretError> {
        let secret = self.read(1)?;
        // An OpenSSH key ends with a line end, which was taken off as that of an editor.
        let text = format!("{}\n", String::from_utf8_lossy(secret.expose()));
        let wrong = |source| SecretError::EvidenceKey { place: self.to_string(), source };
        evidence::SigningKey::parse(&text).map_err(wrong)
    }
}

fn read_file(path: &Path) -> Result<Vec<u8>, SecretError> {
    fs::read(path).map_err(|source| SecretError::File { path: path.to_owned(), source })
}

impl std::fmt::Display for SecretRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Credential(name) => write!(f, "credential:{name}"),
        }
    }
}

/// Refuses a secret in clear, under any key of the file, known or not.
///
/// # Errors
///
/// Names the key and its line, never the value.
pub(super) fn refuse_in_clear(document: &Document<'_>) -> Result<(), SettingsError> {
    let mut path = Vec::new();
    let Some(at) = find_in_clear(document.table(), false, &mut path) else { return Ok(()) };
    let key = dotted(&path.iter().map(String::as_str).collect::<Vec<&str>>());
    let what = format!(
        "`{key}` holds a secret in clear: keep it in a file or in the environment, write \
         `file:PATH`, `credential:NAME` or `env:NAME` here, and renew it, for it has been in a settings file"
    );
    Err(SettingsError::Wrong { place: document.place(at), what })
}

/// Where the first secret in clear begins, with its keys in `path`.
fn find_in_clear(
    table: &DeTable<'_>,
    is_secret_table: bool,
    path: &mut Vec<String>,
) -> Option<usize> {
    table.iter().find_map(|(key, value)| {
        path.push(key.get_ref().to_string());
        let is_secret = is_secret_table || is_secret_name(key.get_ref());
        let found = in_clear(value, is_secret).then_some(key.span().start);
        let found = found.or_else(|| find_below(value, is_secret, path));
        if found.is_none() {
            path.pop();
        }
        found
    })
}

fn find_below(
    value: &Spanned<DeValue<'_>>,
    is_secret: bool,
    path: &mut Vec<String>,
) -> Option<usize> {
    match value.get_ref() {
        DeValue::Table(table) => find_in_clear(table, is_secret, path),
        DeValue::Array(array) => array.iter().enumerate().find_map(|(index, item)| {
            path.push(index.to_string());
            let found = in_clear(item, is_secret).then_some(item.span().start);
            let found = found.or_else(|| find_below(item, is_secret, path));
            if found.is_none() {
                path.pop();
            }
            found
        }),
        _ => None,
    }
}

/// A plain value under a secret's name that is no reference.
fn in_clear(value: &Spanned<DeValue<'_>>, is_secret: bool) -> bool {
    is_secret
        && match value.get_ref() {
            DeValue::String(text) => SecretRef::parse(text, Path::new("")).is_none(),
            DeValue::Table(_) | DeValue::Array(_) => false,
            _ => true,
        }
}

/// Returns true when a key of this name is likely to hold a secret: its last word says so.
fn is_secret_name(key: &str) -> bool {
    const ENDINGS: &[&str] = &[
        "token",
        "secret",
        "password",
        "passwd",
        "pwd",
        "passphrase",
        "credential",
        "apikey",
        "privatekey",
        "signingkey",
        "previouskey",
        "accesskey",
        "secretkey",
        "fingerprintkey",
        "routingkey",
        "webhookurl",
    ];
    let folded: String = key.to_lowercase().chars().filter(|it| it.is_alphanumeric()).collect();
    let folded = folded.trim_end_matches('s');
    ENDINGS.iter().any(|ending| folded.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets() {
        for secret in [
            "token",
            "api_token",
            "clientSecret",
            "API-Key",
            "tokens",
            "fingerprint_key",
            "passwords",
        ] {
            assert!(is_secret_name(secret), "`{secret}`");
        }
        for other in ["token_file", "PASSWORD_EXPIRED", "path", "external_id", "keys", "person"] {
            assert!(!is_secret_name(other), "`{other}`");
        }
    }

    #[test]
    fn references() {
        let base = Path::new("/etc/driftline");
        let file = |path: &str| Some(SecretRef::File(PathBuf::from(path)));
        #[rustfmt::skip]
        let table = [
            ( "env:OKTA_TOKEN",  Some(SecretRef::Env("OKTA_TOKEN".to_owned())) ),
            ( "file:key",        file("/etc/driftline/key")                    ),
            ( "file:/run/key",   file("/run/key")                              ),
            ( "env:hunter2!",    None                                          ),
            ( "credential:key",  Some(SecretRef::Credential("key".to_owned())) ),
            ( "credential:a/b",  None                                          ),
            ( "credential:",     None                                          ),
            ( "env:",            None                                          ),
            ( "file:",           None                                          ),
            ( "hunter2",         None                                          ),
        ];
        for (text, reference) in table {
            assert_eq!(SecretRef::parse(text, base), reference, "`{text}`");
        }
    }

    #[test]
    fn a_secret_is_read_without_its_line_end_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("key"), "0123456789abcdef\r\n").unwrap();
        let secret = SecretRef::parse("file:key", folder.path()).unwrap().read(16).unwrap();
        assert_eq!(secret.expose(), b"0123456789abcdef");
        assert_eq!(format!("{secret:?}"), "Secret(..)");
    }

    #[test]
    fn a_short_secret_is_refused_without_showing_it() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("key"), "hunter2").unwrap();
        let error = SecretRef::parse("file:key", folder.path()).unwrap().read(16).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("has 7 bytes: give it at least 16"), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
}
