//! `db`: a copy of the database, and whether it still is what was written.

use std::path::Path;

use store::{Store, StoreError};

use crate::cli::DbCommand;
use crate::exit::Exit;
use crate::{print, settings};

/// Does what was asked. Only reads the database, so a run may go on beside it.
///
/// # Errors
///
/// Fails when the settings or the database cannot be used, or the copy cannot be written.
pub(crate) async fn db(config: &Path, command: &DbCommand) -> anyhow::Result<Exit> {
    let settings = settings::read(config)?;
    let store = Store::open_existing_read_only(&settings.database)?;
    let (text, exit) = answer(&store, command).await?;
    print::out(text)?;
    Ok(exit)
}

/// Does it, and says what the operator reads.
async fn answer(store: &Store, command: &DbCommand) -> anyhow::Result<(String, Exit)> {
    match command {
        DbCommand::Backup { to } => {
            store.backup(to).await?;
            let (from, to) = (store.path().display(), to.display());
            Ok((format!("Copied `{from}` to `{to}`.\n"), Exit::Fine))
        }
        DbCommand::Verify => verify(store).await,
    }
}

async fn verify(store: &Store) -> anyhow::Result<(String, Exit)> {
    let path = store.path().display();
    let problems = match store.verify().await {
        Ok(problems) => problems,
        // Too damaged to be read to its end: that is an answer, too.
        Err(error @ (StoreError::Damaged { .. } | StoreError::Corrupt { .. })) => {
            vec![format!("{:#}", anyhow::Error::new(error))]
        }
        Err(error) => return Err(error.into()),
    };
    if problems.is_empty() {
        return Ok((format!("`{path}` is what was written.\n"), Exit::Fine));
    }
    let mut text =
        format!("`{path}` is not what was written: restore a backup, and check the disk.\n");
    for problem in problems {
        text.push_str("  - ");
        text.push_str(&problem);
        text.push('\n');
    }
    Ok((text, Exit::Broken))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::sample::Company;

    #[tokio::test]
    async fn a_copy_is_what_was_written_and_overwrites_nothing() {
        let company = Company::after_its_nights().await;
        let store = Store::open_existing_read_only(&company.settings.database).unwrap();
        let to = company.folder.path().join("copy.db");
        let backup = DbCommand::Backup { to: to.clone() };

        let (text, exit) = answer(&store, &backup).await.unwrap();
        assert!(text.starts_with("Copied `") && exit == Exit::Fine, "{text}");

        let copy = Store::open_existing_read_only(&to).unwrap();
        let (text, exit) = answer(&copy, &DbCommand::Verify).await.unwrap();
        assert!(text.ends_with("copy.db` is what was written.\n") && exit == Exit::Fine, "{text}");

        let error = answer(&store, &backup).await.unwrap_err();
        assert_eq!(Exit::of_error(&error), Exit::Store, "{error:#}");
    }

    #[tokio::test]
    async fn a_database_that_is_not_there_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("driftline.toml");
        std::fs::write(&config, "database = 'nowhere.db'").unwrap();
        let error = db(&config, &DbCommand::Verify).await.unwrap_err();
        assert_eq!(Exit::of_error(&error), Exit::Store);
        assert!(error.to_string().contains("nowhere.db"), "{error:#}");
    }
}
