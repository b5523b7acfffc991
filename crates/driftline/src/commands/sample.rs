//! The sample company in a real database, for the tests of commands.

use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use domain::Clock;
use store::Store;
use tempfile::TempDir;

use crate::settings::{self, Settings};

/// A clock that stands still.
pub(super) struct Stopped(pub(super) DateTime<Utc>);

impl Clock for Stopped {
    fn now(&self) -> DateTime<Utc> {
        self.0
    }
}

/// The sample company after its nights, in a folder of its own.
pub(super) struct Company {
    pub(super) folder: TempDir,
    pub(super) settings: Settings,
    pub(super) now: DateTime<Utc>,
}

impl Company {
    /// Runs the nights of the quickstart.
    pub(super) async fn after_its_nights() -> Self {
        let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/quickstart.toml");
        let folder = tempfile::tempdir().unwrap();
        let mut settings = settings::read(&config).unwrap();
        settings.database = folder.path().join("driftline.db");
        let store = Store::open(&settings.database).unwrap();
        let profiles = crate::profiles::load(None).unwrap();
        let nights = settings.nights().unwrap();
        for night in &nights {
            let plan = settings.plan(Some(night), profiles.clone()).unwrap();
            engine::run(&store, &plan, &Stopped(night.at)).await.unwrap();
        }
        let now = nights.last().unwrap().at + TimeDelta::hours(6);
        Self { folder, settings, now }
    }
}
