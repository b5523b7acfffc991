//! A limit on everything that a file can make grow. Reaching one is an error
//! that names the file: nothing is cut short in silence.

/// Bytes of one file as it lies on disk: a million people with full profiles are 1 GB.
pub(crate) const FILE_BYTES_MAX: u64 = 8 << 30;

/// Bytes of one file once decompressed, so that a small bomb cannot keep us busy for hours.
pub(crate) const DECODED_BYTES_MAX: u64 = 16 << 30;

/// Bytes of one row: a user with every custom attribute is under 64 KiB.
pub(crate) const ROW_BYTES_MAX: usize = 1 << 20;

/// Columns of one CSV: the widest export known has 60.
pub(crate) const COLUMNS_MAX: usize = 4096;

/// Rows of one file: ten times the largest directory that one machine is meant for.
pub(crate) const ROWS_MAX: u64 = 20_000_000;

/// Page files of one folder: a million users at one row a page.
pub(crate) const PAGES_MAX: usize = 1_000_000;

/// Bytes read at once. Fits the second-level cache, so that hashing and parsing share it.
pub(crate) const WINDOW_BYTES: usize = 256 << 10;

/// Bytes of a file that are looked at to recognise it.
pub(crate) const HEAD_BYTES: usize = 256 << 10;

/// Rows that are looked at to recognise a file: optional members may be missing from the first.
pub(crate) const SAMPLE_ROWS: usize = 20;

/// Different raw values that are reported for one list; more are counted together as `...`.
pub(crate) const UNMAPPED_MAX: usize = 100;

/// Bytes of one profile in a folder of profiles. The largest shipped has 3 KiB.
pub(crate) const PROFILE_BYTES_MAX: u64 = 1 << 20;
