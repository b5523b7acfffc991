//! The page that lists past nights: a line each, with a link to its page. Like every page, it loads
//! nothing and runs nothing.

use askama::Template;
use chrono_tz::Tz;

use super::Moment;
use crate::ReportError;
use crate::phrase::{self, Zone};
use crate::v1::{HistoryPoint, Time};

/// One night that has a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Night {
    /// The run's line of the history.
    pub point: HistoryPoint,
    /// The name of its page, in the same folder.
    pub page: String,
}

/// The page that lists `nights`, in the order given. `n_without_page`: older runs that the database
/// keeps and the folder does not. Times are in `zone`.
///
/// # Errors
///
/// Returns [`ReportError::Page`] when the page cannot be put together.
pub fn index_html(nights: &[Night], n_without_page: u64, zone: Tz) -> Result<String, ReportError> {
    Page { nights, n_without_page, zone: Zone::named(zone) }.render().map_err(ReportError::Page)
}

#[derive(Template)]
#[template(path = "index.html", whitespace = "minimize")]
struct Page<'a> {
    nights: &'a [Night],
    n_without_page: u64,
    zone: Zone,
}

/// What the template asks for. Its calls pass references, also to small values.
impl Page<'_> {
    fn at(&self, time: &Time) -> Moment {
        Moment { shown: self.zone.time(*time), utc: *time }
    }

    #[expect(clippy::unused_self, reason = "templates call methods")]
    fn n(&self, n: &u64) -> String {
        phrase::thousands(*n)
    }

    #[expect(clippy::unused_self, reason = "templates call methods")]
    fn count(&self, n: &u64, noun: &str) -> String {
        phrase::count(*n, noun)
    }
}
