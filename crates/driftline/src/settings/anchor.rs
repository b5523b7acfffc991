//! Anchors: where checkpoints are taken out of reach. What is written, what it means, and the
//! anchor as it is set up from it.

use std::path::{Path, PathBuf};

use anchors::{AccessKey, Anchor, Folder, Git, Place, Rfc3161, S3};
use chrono::TimeDelta;
use domain::{AnchorKind, AnchorName, Text};
use outbound::{Secret, Url};
#[cfg(test)]
use schemars::JsonSchema;
use serde::Deserialize;
#[cfg(test)]
use serde::Serialize;

use super::document::Document;
use super::file::File;
use super::post::{Post, Written, reference};
use super::source::system_id;
use super::{SecretRef, SettingsError};
use crate::when::{self, DURATION_FORM};

/// Shortest time that a bucket keeps a checkpoint: an audit period.
const RETAIN_MIN: TimeDelta = TimeDelta::days(365);

/// Longest: what is locked by mistake cannot be unlocked.
const RETAIN_MAX: TimeDelta = TimeDelta::days(36_500);

/// One anchor: exactly one of the tables below says where checkpoints of the evidence log are
/// taken, about once a day.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, Serialize))]
#[serde(deny_unknown_fields, default)]
pub(super) struct AnchorTable {
    /// Certificates in PEM that are trusted besides those of the system.
    ca_bundle: Option<String>,
    /// An HTTP proxy, `http://proxy.example.com:3128`. The environment is not asked.
    proxy: Option<String>,
    /// `user:password` for the proxy: `env:NAME` or `file:PATH`.
    proxy_credentials: Option<String>,
    /// A folder that others own, such as a share that Driftline may only add to.
    folder: Option<FolderTable>,
    /// A branch of a git repository that others keep.
    git: Option<GitTable>,
    /// A time stamp authority (RFC 3161).
    rfc3161: Option<StampTable>,
    /// A bucket with Object Lock.
    s3: Option<BucketTable>,
}

/// A folder.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, Serialize))]
#[serde(deny_unknown_fields)]
struct FolderTable {
    /// The folder, which must be there.
    path: String,
}

/// A git repository. The `git` program pushes to it, and never by force.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, Serialize))]
#[serde(deny_unknown_fields)]
struct GitTable {
    /// A clone with a work tree that nobody else works in.
    repository: String,
    /// Where it is pushed: the name of a remote of the clone.
    #[serde(default = "GitTable::remote")]
    remote: String,
    /// The branch there, which nobody else pushes to.
    #[serde(default = "GitTable::branch")]
    branch: String,
}

impl GitTable {
    fn remote() -> String {
        "origin".to_owned()
    }

    fn branch() -> String {
        "main".to_owned()
    }
}

/// A time stamp authority.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, Serialize))]
#[serde(deny_unknown_fields)]
struct StampTable {
    /// Where it is asked.
    url: String,
}

/// A bucket with Object Lock.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, Serialize))]
#[serde(deny_unknown_fields)]
struct BucketTable {
    /// The address of the bucket, and of a folder in it where one is wanted.
    url: String,
    /// Its region.
    region: String,
    /// The id of a key that may put objects and lock them: `env:NAME` or `file:PATH`.
    access_key: String,
    /// Its secret part: `env:NAME` or `file:PATH`.
    secret_key: String,
    /// How long nobody can remove a checkpoint. 365d to 36500d.
    #[serde(default = "BucketTable::retain")]
    retain: String,
}

impl BucketTable {
    /// Seven years, as financial records are kept.
    fn retain() -> String {
        "2557d".to_owned()
    }
}

/// One anchor.
#[derive(Clone, Debug)]
pub(crate) struct AnchorSettings {
    name: Text,
    post: Post,
    to: To,
}

/// Where it takes checkpoints, and where its secrets are kept.
#[derive(Clone, Debug)]
enum To {
    Folder(PathBuf),
    Git(Git),
    Rfc3161 { url: String },
    S3 { url: String, region: String, id: SecretRef, secret: SecretRef, retain: TimeDelta },
}

impl AnchorSettings {
    /// Its name, and what kind of place it is.
    pub(crate) fn named(&self) -> AnchorName {
        let kind = match self.to {
            To::Folder(_) => AnchorKind::Folder,
            To::Git(_) => AnchorKind::Git,
            To::Rfc3161 { .. } => AnchorKind::Rfc3161,
            To::S3 { .. } => AnchorKind::S3,
        };
        AnchorName { name: self.name.clone(), kind }
    }

    /// Reads its secrets and sets it up. Sends nothing.
    ///
    /// # Errors
    ///
    /// Returns [`SettingsError`] when a secret, an address or a certificate cannot be used.
    pub(crate) fn connect(&self) -> Result<Anchor, SettingsError> {
        let place = match &self.to {
            To::Folder(path) => Place::Folder(Folder { path: path.clone() }),
            To::Git(git) => Place::Git(git.clone()),
            To::Rfc3161 { url } => {
                let url = Secret::new(url.clone());
                Place::Rfc3161(Rfc3161 { poster: self.post.poster("rfc3161.url", url, None)? })
            }
            To::S3 { url, region, id, secret, retain } => {
                let key = "s3.url";
                let poster = self.post.poster(key, Secret::new(url.clone()), None)?;
                let url = Url::parse(url).map_err(|error| SettingsError::Live {
                    at: self.post.key(key),
                    what: format!("is no address ({error})"),
                })?;
                Place::S3(S3 {
                    poster,
                    url,
                    region: region.clone(),
                    key: AccessKey {
                        id: self.post.secret("s3.access_key", id)?,
                        secret: self.post.secret("s3.secret_key", secret)?,
                    },
                    retain: *retain,
                })
            }
        };
        Ok(Anchor { name: self.name.clone(), place })
    }
}

/// The anchors, by name.
///
/// # Errors
///
/// Returns the first value that cannot be used.
pub(super) fn anchors(
    document: &Document<'_>,
    file: &File,
    base: &Path,
) -> Result<Vec<AnchorSettings>, SettingsError> {
    let mut anchors = Vec::new();
    for (name, table) in &file.anchor {
        system_id(document, &["anchor", name], name)?;
        let mut places = places(document, base, name, table)?.into_iter();
        let (Some(to), None) = (places.next(), places.next()) else {
            let what = "needs one table that says where checkpoints are taken, and no more than \
                        one: folder, git, rfc3161 or s3";
            return Err(document.wrong(&["anchor", name], what));
        };
        let written = Written {
            at: ["anchor", name],
            ca_bundle: table.ca_bundle.as_deref(),
            proxy: table.proxy.as_deref(),
            proxy_credentials: table.proxy_credentials.as_deref(),
        };
        let post = Post::of(document, base, &written)?;
        anchors.push(AnchorSettings { name: name.as_str().into(), post, to });
    }
    Ok(anchors)
}

/// Every place that is written.
fn places(
    document: &Document<'_>,
    base: &Path,
    name: &str,
    table: &AnchorTable,
) -> Result<Vec<To>, SettingsError> {
    let mut places = Vec::new();
    if let Some(it) = &table.folder {
        places.push(To::Folder(base.join(&it.path)));
    }
    if let Some(it) = &table.git {
        for (key, value) in [("remote", &it.remote), ("branch", &it.branch)] {
            // What begins with a dash would be an option.
            if value.is_empty() || value.starts_with('-') {
                let what = "is no name that git knows it by: write one that it has";
                return Err(document.wrong(&["anchor", name, "git", key], what));
            }
        }
        places.push(To::Git(Git {
            repository: base.join(&it.repository),
            remote: it.remote.clone(),
            branch: it.branch.clone(),
        }));
    }
    if let Some(it) = &table.rfc3161 {
        places.push(To::Rfc3161 { url: it.url.clone() });
    }
    if let Some(it) = &table.s3 {
        let at = |key| ["anchor", name, "s3", key];
        let retain = when::duration(&it.retain);
        let retain =
            retain.filter(|it| (RETAIN_MIN..=RETAIN_MAX).contains(it)).ok_or_else(|| {
                let what = format!("is no time of 365d to 36500d: write {DURATION_FORM}");
                document.wrong(&at("retain"), what)
            })?;
        places.push(To::S3 {
            url: it.url.clone(),
            region: it.region.clone(),
            id: reference(document, base, &at("access_key"), &it.access_key)?,
            secret: reference(document, base, &at("secret_key"), &it.secret_key)?,
            retain,
        });
    }
    Ok(places)
}
