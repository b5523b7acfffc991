//! What the settings mean: nothing left to parse, nothing left to wonder about.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use alerting::{Routes, Sender};
use anchors::Anchor;
use chrono::{DateTime, FixedOffset, NaiveDate, NaiveTime, TimeDelta, TimeZone as _, Utc};
use connectors::files::{Config, Profiles};
use connectors::scim::AppProfiles;
use domain::{Digest, Pass};
use drift::Policy;
use engine::{AppPlan, Plan, Retention, Source};
use sha2::{Digest as _, Sha256};
use store::Store;

use super::alert::{ChannelSettings, channels, routes};
use super::anchor::{AnchorSettings, anchors};
use super::app::apps;
use super::document::Document;
use super::file::{self, File};
use super::live::{Live, live};
use super::policy::policy;
use super::service::{Service, service};
use super::source::sources;
use super::{SecretRef, SettingsError};
use crate::when::{self, DURATION_FORM};

/// The settings of one deployment.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The file they came from, as it was named.
    pub(crate) path: PathBuf,
    /// SHA-256 of that file, with the profiles of its folder behind it.
    pub(crate) digest: Digest,
    /// That file and those profiles. It holds no secret.
    text: Arc<str>,
    /// The database.
    pub(crate) database: PathBuf,
    /// The folder of reports.
    pub(crate) reports: PathBuf,
    /// Pages older than this are taken out of the folder of reports; `None`: all are kept.
    pub(crate) reports_keep: Option<TimeDelta>,
    /// Profiles besides the built-in ones; `None`: no others.
    pub(crate) profiles: Option<PathBuf>,
    /// Dated nights; `None`: the files hold the newest exports.
    pub(crate) nights: Option<Nights>,
    /// When and how the daemon runs.
    pub(crate) service: Service,
    /// What counts as drift.
    pub(crate) policy: Policy,
    /// `policy.zone` is there.
    pub(super) is_zone_said: bool,
    /// The apps, by name.
    pub(crate) apps: Vec<AppPlan>,
    /// The systems that are read over the network.
    pub(crate) live: Vec<Live>,
    /// The channels by which people are told, by name.
    pub(crate) channels: Vec<ChannelSettings>,
    /// Who is told what.
    pub(crate) routes: Routes,
    /// Where checkpoints are taken out of reach, by name.
    pub(crate) anchors: Vec<AnchorSettings>,
    /// How long what is kept of people must be kept.
    pub(crate) retention: Retention,
    /// The files of every system, with paths as written: see [`Settings::sources`].
    written: Vec<Config>,
    /// The key of the fingerprints; `None`: the database keeps one of its own.
    fingerprint_key: Option<SecretRef>,
    /// The key that signs the ledger; `None`: nobody does.
    signing_key: Option<SecretRef>,
    /// The key before that one; `None`: it signs alone.
    previous_key: Option<SecretRef>,
    /// The key that signs bags of evidence; `None`: nobody does.
    evidence_key: Option<SecretRef>,
    /// The mapping of controls to evidence; `None`: the one in the program.
    controls: Option<PathBuf>,
    /// The version of OCSF that the events of a bag have.
    pub(crate) ocsf_version: evidence::OcsfVersion,
    /// What prints the page of a bag as PDF; `None`: nothing does.
    pub(crate) printer: Option<Printer>,
    /// The folder that relative paths start from.
    base: PathBuf,
}

/// A program that prints a page as PDF.
#[derive(Clone, Debug)]
pub(crate) struct Printer {
    /// The program.
    pub(crate) program: PathBuf,
    /// Its arguments, with `{html}` and `{pdf}` in them.
    pub(crate) args: Vec<String>,
}

impl Printer {
    /// How people call it.
    pub(crate) fn name(&self) -> String {
        self.program.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// Exports in one folder a night.
#[derive(Clone, Debug)]
pub(crate) struct Nights {
    /// The folder that holds the folders.
    pub(crate) folder: PathBuf,
    /// That folder as the settings write it.
    pub(crate) shown_as: String,
    /// The time of day at which each night is judged.
    pub(crate) time: NaiveTime,
    /// The zone of that time.
    pub(crate) offset: FixedOffset,
}

/// One dated night.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Night {
    /// Its date.
    pub(crate) date: NaiveDate,
    /// The instant at which it is judged.
    pub(crate) at: DateTime<Utc>,
    /// The folder of its exports.
    pub(crate) folder: PathBuf,
}

impl Settings {
    /// The nights that there are, oldest first; empty without `[nights]`. Folders that are not
    /// named by a date are passed over.
    ///
    /// # Errors
    ///
    /// Returns [`SettingsError::Nights`] when the folder cannot be listed.
    pub(crate) fn nights(&self) -> Result<Vec<Night>, SettingsError> {
        let Some(nights) = &self.nights else { return Ok(Vec::new()) };
        let failed = |source| SettingsError::Nights {
            path: nights.folder.clone(),
            settings: self.path.clone(),
            source,
        };
        let mut found = Vec::new();
        for entry in std::fs::read_dir(&nights.folder).map_err(failed)? {
            let folder = entry.map_err(failed)?.path();
            let date = folder.file_name().and_then(|it| it.to_str()).and_then(when::date);
            if let Some(date) = date.filter(|_| folder.is_dir()) {
                found.extend(nights.night(date, folder));
            }
        }
        found.sort_by_key(|night| night.at);
        Ok(found)
    }

    /// The files of every system, ready to be pulled. With a night, their paths lead into its
    /// folder, and a file about which nothing else is said speaks as of the night's time.
    pub(crate) fn sources(&self, night: Option<&Night>) -> Vec<Config> {
        let base = night.map_or(&self.base, |night| &night.folder);
        let mut sources = self.written.clone();
        for file in sources.iter_mut().flat_map(|source| &mut source.files) {
            if let Some(night) = night {
                file.as_of = file.as_of.or(Some(night.at));
                file.shown_as = format!("{}/{}", night.date, file.shown_as);
            }
            file.path = base.join(&file.path);
        }
        sources
    }

    /// The key of the fingerprints, the SHA-256 of the secret that the settings refer to;
    /// `None`: the database keeps one of its own.
    ///
    /// # Errors
    ///
    /// Returns [`SettingsError::Secret`] when the settings name one that cannot be read.
    pub(crate) fn fingerprint_key(&self) -> Result<Option<Digest>, SettingsError> {
        let Some(reference) = &self.fingerprint_key else { return Ok(None) };
        /// Half of what HMAC-SHA-256 can use, 128 bits.
        const LEN_MIN: usize = 16;
        let secret = reference.read(LEN_MIN).map_err(|source| SettingsError::Secret {
            key: "deployment.fingerprint_key".to_owned(),
            source,
        })?;
        Ok(Some(Sha256::digest(secret.expose()).into()))
    }

    /// The store, signing what it appends to the ledger with the key that the settings name.
    ///
    /// # Errors
    ///
    /// Returns [`SettingsError::Secret`] when that cannot be read, or is no key.
    pub(crate) fn sign(&self, store: Store) -> Result<Store, SettingsError> {
        Ok(match self.ledger_keys()? {
            None => store,
            Some((key, None)) => store.signed_by(key),
            Some((key, Some(previous))) => store.signed_by_both(key, previous),
        })
    }

    /// The key that signs the ledger, and the one before it while both do.
    ///
    /// # Errors
    ///
    /// Returns [`SettingsError::Secret`] when one cannot be read, or is no key.
    pub(crate) fn ledger_keys(
        &self,
    ) -> Result<Option<(ledger::SecretKey, Option<ledger::SecretKey>)>, SettingsError> {
        let Some(reference) = &self.signing_key else { return Ok(None) };
        let read = |reference: &SecretRef, key: &str| {
            let key = format!("ledger.{key}");
            reference.signing_key().map_err(|source| SettingsError::Secret { key, source })
        };
        let previous = self.previous_key.as_ref().map(|it| read(it, "previous_key"));
        Ok(Some((read(reference, "signing_key")?, previous.transpose()?)))
    }

    /// The key that signs bags of evidence; `None`: the settings name none.
    ///
    /// # Errors
    ///
    /// Returns [`SettingsError::Secret`] when it cannot be read, or is no key.
    pub(crate) fn evidence_key(&self) -> Result<Option<evidence::SigningKey>, SettingsError> {
        let Some(reference) = &self.evidence_key else { return Ok(None) };
        let key = reference.evidence_key().map_err(|source| SettingsError::Secret {
            key: "evidence.signing_key".to_owned(),
            source,
        })?;
        Ok(Some(key))
    }

    /// Which control bags are evidence for.
    ///
    /// # Errors
    ///
    /// Returns [`SettingsError`] when the settings name a mapping that cannot be used.
    pub(crate) fn controls(&self) -> Result<evidence::Controls, SettingsError> {
        super::controls::controls(self.controls.as_deref())
    }

    /// What one run has to do: of a night, or with the newest exports and live systems. A live system
    /// that cannot be set up fails in the run, and takes no other with it.
    ///
    /// # Errors
    ///
    /// Returns [`SettingsError`] when there are both, or the key of the fingerprints cannot be read.
    pub(crate) fn plan(
        &self,
        night: Option<&Night>,
        profiles: Arc<Profiles>,
    ) -> Result<Plan, SettingsError> {
        if night.is_some() && !self.live.is_empty() {
            return Err(SettingsError::Live {
                at: "nights".to_owned(),
                what:
                    "an API speaks of now, and nights are folders of exports: take one of them out"
                        .to_owned(),
            });
        }
        let live: Vec<Source> = self
            .live
            .iter()
            .map(|it| it.connect(&profiles).unwrap_or_else(|error| it.not_set_up(error)))
            .collect();
        let plan = self.plan_of_the_past(night, profiles)?;
        Ok(Plan { sources: plan.sources.into_iter().chain(live).collect(), ..plan })
    }

    /// The same without live systems, for those who only ask what is stored.
    ///
    /// # Errors
    ///
    /// Returns [`SettingsError::Secret`] when the key of the fingerprints cannot be read.
    pub(crate) fn plan_of_the_past(
        &self,
        night: Option<&Night>,
        profiles: Arc<Profiles>,
    ) -> Result<Plan, SettingsError> {
        let files = self.sources(night).into_iter().filter(|it| !it.files.is_empty());
        Ok(Plan {
            pass: Pass::Full,
            sources: files.map(Source::Files).collect(),
            profiles,
            apps: self.apps.clone(),
            provisioned: self
                .live
                .iter()
                .filter_map(|it| Some((it.system.clone(), it.provisioned()?.clone())))
                .collect(),
            policy: self.policy.clone(),
            judges_everybody: false,
            settings_digest: self.digest,
            settings: Some(Arc::clone(&self.text)),
            fingerprint_key: self.fingerprint_key()?,
            turn: None,
            software: crate::SOFTWARE.to_owned(),
            routes: self.routes.clone(),
            anchors: self.anchors.iter().map(AnchorSettings::named).collect(),
        })
    }

    /// The same with live systems that nobody asks, to judge a past run again or to explain one.
    ///
    /// # Errors
    ///
    /// Returns [`SettingsError::Secret`] when the key of the fingerprints cannot be read.
    pub(crate) fn plan_to_judge_again(
        &self,
        profiles: Arc<Profiles>,
    ) -> Result<Plan, SettingsError> {
        let plan = self.plan_of_the_past(None, profiles)?;
        let past = |it: &Live| Source::Past {
            system: it.system.clone(),
            kind: it.kind(),
            channel: it.channel(),
        };
        let live = self.live.iter().map(past);
        Ok(Plan { sources: plan.sources.into_iter().chain(live).collect(), ..plan })
    }

    /// The anchors, ready to be made.
    ///
    /// # Errors
    ///
    /// Returns [`SettingsError`] when a secret cannot be read, or an anchor not be set up.
    pub(crate) fn anchors(&self) -> Result<Vec<Anchor>, SettingsError> {
        self.anchors.iter().map(AnchorSettings::connect).collect()
    }

    /// The channels, ready to send.
    ///
    /// # Errors
    ///
    /// Returns [`SettingsError`] when a secret cannot be read, or a channel not be set up.
    pub(crate) fn senders(&self) -> Result<Vec<Sender>, SettingsError> {
        self.channels.iter().map(ChannelSettings::connect).collect()
    }
}

impl Nights {
    /// The night of a date; `None` when the date is beyond what a calendar of instants holds.
    fn night(&self, date: NaiveDate, folder: PathBuf) -> Option<Night> {
        let at = self.offset.from_local_datetime(&date.and_time(self.time)).single()?.to_utc();
        Some(Night { date, at, folder })
    }
}

/// What a file means. Reads nothing.
///
/// # Errors
///
/// Returns the first value that cannot be used.
pub(super) fn mean(
    path: &Path,
    text: &str,
    document: &Document<'_>,
    file: File,
) -> Result<Settings, SettingsError> {
    let base = path.parent().unwrap_or(Path::new("")).to_owned();
    for (key, value) in [("database", &file.database), ("reports", &file.reports)] {
        if value.is_empty() {
            return Err(document.wrong(&[key], "is empty: name a path, relative to this file"));
        }
    }
    let policy = policy(document, &file.policy)?;
    let nights =
        file.nights.as_ref().map(|nights| self::nights(document, &base, nights)).transpose()?;
    let secret = |text: &Option<String>, at: [&str; 2]| {
        text.as_deref().map(|text| {
            SecretRef::parse(text, &base).ok_or_else(|| {
                document.wrong(&at, "must be `file:PATH`, `credential:NAME` or `env:NAME`")
            })
        })
    };
    let fingerprint_key =
        secret(&file.deployment.fingerprint_key, ["deployment", "fingerprint_key"]);
    let signing_key = secret(&file.ledger.signing_key, ["ledger", "signing_key"]);
    let previous_key = secret(&file.ledger.previous_key, ["ledger", "previous_key"]);
    if previous_key.is_some() && signing_key.is_none() {
        let what = "signs beside `signing_key`: name that, too";
        return Err(document.wrong(&["ledger", "previous_key"], what));
    }
    let evidence_key = secret(&file.evidence.signing_key, ["evidence", "signing_key"]);
    let reports_keep = file.reports_keep.as_ref().map(|text| {
        when::duration(text).filter(|it| *it >= TimeDelta::days(1)).ok_or_else(|| {
            let what = format!("is no time of a day or more: write {DURATION_FORM}");
            document.wrong(&["reports_keep"], what)
        })
    });
    let channels = channels(document, &file, &base)?;
    let profiles = AppProfiles::builtin()
        .map_err(|error| SettingsError::Live { at: "app".to_owned(), what: error.to_string() })?;
    let apps = apps(document, &file, &profiles)?;
    Ok(Settings {
        routes: routes(document, &file, &channels, &policy)?,
        channels,
        anchors: anchors(document, &file, base.as_path())?,
        path: path.to_owned(),
        digest: Sha256::digest(text.as_bytes()).into(),
        text: text.into(),
        database: base.join(&file.database),
        reports: base.join(&file.reports),
        reports_keep: reports_keep.transpose()?,
        retention: retention(document, &file)?,
        ocsf_version: file.evidence.ocsf_version.meant(),
        printer: printer(document, &base, &file.evidence)?,
        controls: file.evidence.controls.as_ref().map(|it| base.join(it)),
        profiles: file.profiles.as_ref().map(|folder| base.join(folder)),
        nights,
        apps,
        live: live(document, &file, &base, &profiles)?,
        service: service(document, &file, &base, policy.zone)?,
        written: sources(document, file, policy.zone)?,
        policy,
        is_zone_said: document.says("policy", "zone"),
        fingerprint_key: fingerprint_key.transpose()?,
        signing_key: signing_key.transpose()?,
        previous_key: previous_key.transpose()?,
        evidence_key: evidence_key.transpose()?,
        base,
    })
}

fn printer(
    document: &Document<'_>,
    base: &Path,
    evidence: &file::Evidence,
) -> Result<Option<Printer>, SettingsError> {
    let Some(pdf) = &evidence.pdf else { return Ok(None) };
    for place in ["{html}", "{pdf}"] {
        if !pdf.args.iter().any(|it| it.contains(place)) {
            let what = format!("must have `{place}` in it, as [\"{{html}}\", \"{{pdf}}\"]");
            return Err(document.wrong(&["evidence", "pdf", "args"], what));
        }
    }
    Ok(Some(Printer { program: base.join(&pdf.program), args: pdf.args.clone() }))
}

fn retention(document: &Document<'_>, file: &File) -> Result<Retention, SettingsError> {
    let keep = |key, text: &str| {
        when::duration(text).ok_or_else(|| {
            document.wrong(&["retention", key], format!("is no duration: write {DURATION_FORM}"))
        })
    };
    Ok(Retention {
        leavers: keep("leavers", &file.retention.leavers)?,
        findings: keep("findings", &file.retention.findings)?,
    })
}

fn nights(
    document: &Document<'_>,
    base: &Path,
    nights: &file::Nights,
) -> Result<Nights, SettingsError> {
    let (time, offset) = when::time_of_day(&nights.time).ok_or_else(|| {
        let what = "is no time of day: write it with a zone, as \"02:00:00Z\"";
        document.wrong(&["nights", "time"], what)
    })?;
    Ok(Nights { folder: base.join(&nights.folder), shown_as: nights.folder.clone(), time, offset })
}
