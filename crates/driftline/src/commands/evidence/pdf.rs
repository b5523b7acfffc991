//! The page of a bag as PDF, printed by a program of the operator's. What it makes is taken as it is;
//! without it a bag is whole, and says what it lacks.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use crate::settings::Printer;

/// A browser that starts on a slow machine and prints some hundred pages.
const TIMEOUT: Duration = Duration::from_secs(120);

/// The page of ten thousand leavers has some thousand pages.
const PDF_LEN_MAX: u64 = 64 << 20;

/// Prints `page`; or says why not. What it works with lies beside `output` for so long.
pub(super) async fn printed(
    printer: &Printer,
    page: &[u8],
    output: &Path,
) -> Result<Vec<u8>, String> {
    let mut folder = output.as_os_str().to_owned();
    folder.push(".print");
    let folder = PathBuf::from(folder);
    // It holds names: nobody else reads it, and what somebody else put there is not used.
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(&folder).map_err(|it| format!("`{}` cannot be made: {it}", folder.display()))?;
    let result = print_in(printer, page, &folder).await;
    fs::remove_dir_all(&folder).ok(); // A program that still writes there has been killed.
    result
}

async fn print_in(printer: &Printer, page: &[u8], folder: &Path) -> Result<Vec<u8>, String> {
    let folder = fs::canonicalize(folder).map_err(|it| it.to_string())?;
    let (html, pdf) = (folder.join("report.html"), folder.join("report.pdf"));
    fs::write(&html, page).map_err(|it| format!("the page cannot be written: {it}"))?;
    let place = |arg: &String| {
        let arg = arg.replace("{html}", &html.to_string_lossy());
        arg.replace("{pdf}", &pdf.to_string_lossy())
    };
    let name = printer.name();
    let program = std::path::absolute(&printer.program).map_err(|it| it.to_string())?;
    let mut command = Command::new(program);
    command.args(printer.args.iter().map(place)).current_dir(&folder).env_clear();
    command.env("PATH", "/usr/local/bin:/usr/bin:/bin").env("HOME", &folder);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let mut child = command.spawn().map_err(|it| format!("`{name}` cannot be started: {it}"))?;
    let status = match tokio::time::timeout(TIMEOUT, child.wait()).await {
        Ok(status) => status.map_err(|it| format!("`{name}` was lost: {it}"))?,
        Err(_) => return Err(format!("`{name}` did not end within {TIMEOUT:?}")),
    };
    if !status.success() {
        return Err(format!("`{name}` ended with {status}"));
    }
    let mut bytes = Vec::new();
    let file = fs::File::open(&pdf).map_err(|_| format!("`{name}` made no file `{{pdf}}`"))?;
    file.take(PDF_LEN_MAX + 1).read_to_end(&mut bytes).map_err(|it| it.to_string())?;
    if !bytes.starts_with(b"%PDF-") || bytes.len() as u64 > PDF_LEN_MAX {
        return Err(format!("what `{name}` made is no PDF of at most {} MiB", PDF_LEN_MAX >> 20));
    }
    Ok(bytes)
}
