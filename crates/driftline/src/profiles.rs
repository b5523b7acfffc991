//! The column-mapping profiles: the built-in ones, and those of a folder.

use std::path::Path;
use std::sync::Arc;

use connectors::files::{ProfileError, Profiles};

/// Reads the profiles. `folder` adds to the built-in ones or replaces them; `None`: no others.
///
/// # Errors
///
/// Returns [`ProfileError`] when a profile of the folder cannot be used.
pub(crate) fn load(folder: Option<&Path>) -> Result<Arc<Profiles>, ProfileError> {
    let profiles = Profiles::builtin()?;
    let profiles = match folder {
        Some(folder) => profiles.with_folder(folder)?,
        None => profiles,
    };
    Ok(Arc::new(profiles))
}
