//! CSV files that people fill in for a command: read whole and checked before anything is kept.

use std::path::Path;

use crate::exit::UsageError;
use crate::nearest::{listed, nearest};

/// Longest file, in bytes: a hundred thousand decisions. More is another file.
const LEN_MAX: u64 = 16 * 1024 * 1024;

/// Columns that people put beside `findings list --format csv`. One spreadsheet serves every
/// command: each takes the rows that are filled in for it.
const TRIAGE: &[&str] =
    &["account", "identity", "not", "owner", "purpose", "attest_by", "reason", "until", "by"];

/// One row of a table.
#[derive(Debug)]
pub(crate) struct Row {
    /// Where it begins: the file, and the line from 1.
    pub(crate) place: String,
    columns: Vec<String>,
    cells: csv::StringRecord,
}

impl Row {
    /// The trimmed text of a column; `None` where the column or the text is missing.
    pub(crate) fn get(&self, column: &str) -> Option<&str> {
        let index = self.columns.iter().position(|it| it == column)?;
        self.cells.get(index).map(str::trim).filter(|text| !text.is_empty())
    }

    /// Is it filled in for a decision on a link? In a table of decisions every row is.
    pub(crate) fn decides(&self) -> bool {
        !self.is_of_findings() || self.get("identity").is_some()
    }

    /// Is it filled in to be registered? In a register every row is.
    pub(crate) fn registers(&self) -> bool {
        let is_filled = self.get("owner").or_else(|| self.get("purpose")).is_some();
        !self.is_of_findings() || (is_filled && !self.decides())
    }

    /// Is it filled in to be waived? Every row with a reason is that nothing else is to be done of.
    pub(crate) fn waives(&self) -> bool {
        let is_others = self.is_of_findings() && (self.decides() || self.registers());
        self.get("reason").is_some() && !is_others
    }

    /// Is it a row of `findings list --format csv`, with columns put beside?
    fn is_of_findings(&self) -> bool {
        self.columns.iter().any(|it| it == "fingerprint")
    }

    /// The account that a row is about: its `account`, or the subject of a listed finding; `None`
    /// for a finding about somebody without an account.
    pub(crate) fn account(&self) -> Option<&str> {
        let subject = || {
            let key = self.get("subject_key")?;
            // What a spreadsheet would take for a formula is written with a quote before it.
            let quoted = key.strip_prefix('\'').filter(|it| it.starts_with(['=', '+', '-', '@']));
            (self.get("subject_kind") == Some("account")).then_some(quoted.unwrap_or(key))
        };
        self.get("account").or_else(subject)
    }

    /// The text of a column that every row must fill.
    ///
    /// # Errors
    ///
    /// Names the line and the column.
    pub(crate) fn need(&self, column: &str) -> Result<&str, UsageError> {
        self.get(column).ok_or_else(|| self.wrong(&format!("has no `{column}`: fill it in")))
    }

    /// An error about this row.
    pub(crate) fn wrong(&self, what: &str) -> UsageError {
        UsageError(format!("{} {what}; nothing was kept", self.place))
    }
}

/// Reads a CSV file with a header, UTF-8 with or without byte order mark, `,` or `;`.
///
/// # Errors
///
/// Names the file and the line, and what is expected there.
pub(crate) fn read(
    path: &Path,
    needed: &[&str],
    possible: &[&str],
) -> Result<Vec<Row>, UsageError> {
    let shown = path.display();
    let wrong = |what: String| UsageError(format!("`{shown}` {what}; nothing was kept"));
    let failed = |error: std::io::Error| wrong(format!("cannot be read: {error}"));
    let n_bytes = std::fs::metadata(path).map_err(failed)?.len();
    if n_bytes > LEN_MAX {
        return Err(wrong(format!(
            "has {n_bytes} bytes, and at most {LEN_MAX} are read: split it"
        )));
    }
    let bytes = std::fs::read(path).map_err(failed)?;
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let head = text.split(|it| *it == b'\n').next().unwrap_or_default();
    let delimiter = if head.contains(&b';') && !head.contains(&b',') { b';' } else { b',' };

    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(text);
    let header = reader.headers().map_err(|error| wrong(in_words(&error)))?.clone();
    let columns: Vec<String> = header.iter().map(|it| it.trim().to_lowercase()).collect();
    if columns.iter().any(|it| it == "fingerprint") {
        let possible = [report::COLUMNS, TRIAGE].concat();
        check_columns(&columns, &[], &possible).map_err(wrong)?;
    } else {
        check_columns(&columns, needed, possible).map_err(wrong)?;
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let cells = record.map_err(|error| wrong(in_words(&error)))?;
        let line = cells.position().map_or(0, csv::Position::line);
        let place = format!("`{shown}` line {line}");
        rows.push(Row { place, columns: columns.clone(), cells });
    }
    if rows.is_empty() {
        return Err(wrong("has no row below its header".to_owned()));
    }
    Ok(rows)
}

fn check_columns(columns: &[String], needed: &[&str], possible: &[&str]) -> Result<(), String> {
    let known = || needed.iter().chain(possible).copied();
    for (index, column) in columns.iter().enumerate() {
        if !known().any(|it| it == column) {
            let guess = nearest(column, known())
                .map_or_else(String::new, |word| format!("; did you mean `{word}`?"));
            return Err(format!("has a column `{column}`{guess}; expected {}", listed(known())));
        }
        if columns.iter().take(index).any(|it| it == column) {
            return Err(format!("has the column `{column}` twice"));
        }
    }
    match needed.iter().find(|it| !columns.iter().any(|column| column == *it)) {
        Some(missing) => Err(format!("has no column `{missing}`; expected {}", listed(known()))),
        None => Ok(()),
    }
}

/// What is wrong with a table, without its values.
fn in_words(error: &csv::Error) -> String {
    let line = error.position().map_or(1, csv::Position::line);
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("line {line} has {len} cells where the header has {expected_len}")
        }
        csv::ErrorKind::Utf8 { .. } => format!("line {line} is not UTF-8: save it as UTF-8"),
        _ => format!("line {line} cannot be read as CSV"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &[u8]) -> Result<Vec<Row>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("decisions.csv");
        std::fs::write(&path, text).unwrap();
        let shown = path.display().to_string();
        read(&path, &["account", "reason"], &["not"])
            .map_err(|error| error.to_string().replace(&shown, "FILE"))
    }

    #[test]
    fn both_delimiters_marks_and_blanks() {
        for text in [
            "account,reason,not\n a1 ,because,\n".as_bytes(),
            b"\xef\xbb\xbfAccount;Reason;Not\r\na1;because;\r\n",
        ] {
            let rows = read_text(text).unwrap();
            assert_eq!((rows[0].get("account"), rows[0].get("not")), (Some("a1"), None));
        }
    }

    #[test]
    fn a_bad_table_names_line_and_column() {
        #[rustfmt::skip]
        let table: [(&[u8], &str); 6] = [
            (b"account,reson\n",           "`FILE` has a column `reson`; did you mean `reason`?; expected `account`, `reason`, `not`; nothing was kept"),
            (b"account,not\n",             "`FILE` has no column `reason`; expected `account`, `reason`, `not`; nothing was kept"),
            (b"account,account\n",         "`FILE` has the column `account` twice; nothing was kept"),
            (b"account,reason\na,b,c\n",   "`FILE` line 2 has 3 cells where the header has 2; nothing was kept"),
            (b"account,reason\na,\xff\n",  "`FILE` line 2 is not UTF-8: save it as UTF-8; nothing was kept"),
            (b"account,reason\n",          "`FILE` has no row below its header; nothing was kept"),
        ];
        for (text, expected) in table {
            assert_eq!(read_text(text).unwrap_err(), expected);
        }
        let rows = read_text(b"account,reason\na1,\n").unwrap();
        let error = rows[0].need("reason").unwrap_err().to_string();
        assert!(
            error.ends_with("decisions.csv` line 2 has no `reason`: fill it in; nothing was kept"),
            "{error}"
        );
    }
}
