//! How far long pulls are, one line for each source: heard as events, drawn from a thread of its
//! own. What is over within a second is never shown.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use tokio::time::Instant;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// Under which connectors say how far they are.
pub(crate) const TARGET: &str = "progress";

/// What is over sooner is not shown.
const SHOWN_AFTER: Duration = Duration::from_secs(1);

/// Time between two drawings: often enough to be seen to move.
const DRAWN_EVERY: Duration = Duration::from_millis(200);

/// Hears how far sources are. The thread that draws ends with it.
pub(crate) struct Progress {
    watched: Arc<Mutex<Watched>>,
}

/// The sources that are being pulled, in the order in which that began.
struct Watched {
    bars: MultiProgress,
    sources: Vec<Source>,
}

/// One source while it is pulled.
struct Source {
    span: Id,
    name: String,
    began_at: Instant,
    heard: Heard,
    /// Until when it waits, and why; `None`: it does not.
    waits: Option<(Instant, String)>,
    /// Its line; `None`: it is not shown yet.
    bar: Option<ProgressBar>,
}

/// What was said last.
#[derive(Clone, Default)]
struct Heard {
    name: Option<String>,
    list: Option<String>,
    n_rows: Option<u64>,
    total: Option<u64>,
    wait_ms: Option<u64>,
    why: Option<String>,
}

impl Progress {
    /// Begins to draw.
    pub(crate) fn start(bars: MultiProgress) -> Self {
        let progress = Self::new(bars);
        let watched = Arc::downgrade(&progress.watched);
        thread::spawn(move || {
            while let Some(watched) = watched.upgrade() {
                watched.lock().unwrap_or_else(PoisonError::into_inner).draw(Instant::now());
                drop(watched);
                thread::park_timeout(DRAWN_EVERY);
            }
        });
        progress
    }

    fn new(bars: MultiProgress) -> Self {
        Self { watched: Arc::new(Mutex::new(Watched { bars, sources: Vec::new() })) }
    }

    fn with(&self, change: impl FnOnce(&mut Watched)) {
        change(&mut self.watched.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl<S: Subscriber + for<'l> LookupSpan<'l>> Layer<S> for Progress {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, _: Context<'_, S>) {
        let mut heard = Heard::default();
        attributes.record(&mut heard);
        let Some(name) = heard.name.take() else { return };
        let (span, began_at) = (id.clone(), Instant::now());
        let source = Source { span, name, began_at, heard, waits: None, bar: None };
        self.with(|watched| watched.sources.push(source));
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut heard = Heard::default();
        event.record(&mut heard);
        let Some(scope) = context.event_scope(event) else { return };
        let spans: Vec<Id> = scope.map(|it| it.id()).collect();
        self.with(|watched| {
            if let Some(source) = watched.sources.iter_mut().find(|it| spans.contains(&it.span)) {
                source.hear(heard, Instant::now());
            }
        });
    }

    fn on_close(&self, id: Id, _: Context<'_, S>) {
        self.with(|watched| {
            for source in watched.sources.extract_if(.., |it| it.span == id) {
                if let Some(bar) = source.bar {
                    bar.finish_and_clear();
                    watched.bars.remove(&bar);
                }
            }
        });
    }
}

impl Watched {
    /// Draws every source that takes long enough.
    fn draw(&mut self, now: Instant) {
        for source in &mut self.sources {
            if now.duration_since(source.began_at) < SHOWN_AFTER {
                continue;
            }
            let words = source.words(now);
            let bar = source.bar.get_or_insert_with(|| {
                self.bars.add(ProgressBar::no_length().with_style(style(false)))
            });
            // Each change draws, so what is as before is left alone.
            if bar.message() != words {
                bar.set_message(words);
            }
            bar.set_style(style(source.heard.total.is_some()));
            if let (Some(total), Some(n_rows)) = (source.heard.total, source.heard.n_rows)
                && (bar.position(), bar.length()) != (n_rows, Some(total))
            {
                bar.set_length(total);
                bar.set_position(n_rows);
            }
            bar.tick();
        }
    }
}

fn style(has_total: bool) -> ProgressStyle {
    let template = if has_total { "{spinner} {wide_msg} {bar:24}" } else { "{spinner} {wide_msg}" };
    // The templates are right: see the tests.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

impl Source {
    fn hear(&mut self, heard: Heard, now: Instant) {
        self.waits = heard.wait_ms.map(|wait_ms| {
            (now + Duration::from_millis(wait_ms), heard.why.clone().unwrap_or_default())
        });
        if heard.list.is_some() {
            self.heard = heard;
        }
    }

    /// What a person reads: `okta: 2400 identities`.
    fn words(&self, now: Instant) -> String {
        let Heard { list, n_rows, total, .. } = &self.heard;
        let far = match (list, n_rows, total) {
            (Some(list), Some(n_rows), Some(total)) => format!("{n_rows} of {total} {list}"),
            (Some(list), Some(n_rows), None) => format!("{n_rows} {list}"),
            _ => "reading".to_owned(),
        };
        let waits = self.waits.as_ref().map(|(until, why)| (until.duration_since(now), why));
        let waits = waits
            .filter(|(left, _)| *left >= SHOWN_AFTER)
            .map(|(left, why)| format!(", waiting {} s because {why}", left.as_secs()));
        format!("{}: {far}{}", self.name, waits.unwrap_or_default())
    }
}

impl Visit for Heard {
    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "n_rows" => self.n_rows = Some(value),
            "total" => self.total = Some(value),
            "wait_ms" => self.wait_ms = Some(value),
            _ => {}
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "list" => self.list = Some(value.to_owned()),
            "why" => self.why = Some(value.to_owned()),
            _ => {}
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "system.id" {
            self.name = Some(format!("{value:?}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use indicatif::{InMemoryTerm, ProgressDrawTarget};
    use tracing::{debug, debug_span};
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    /// Runs `pull` while an in-memory terminal watches. `look` shows it some time from now.
    fn watch(pull: impl FnOnce(&dyn Fn(f64) -> String)) -> String {
        let term = InMemoryTerm::new(5, 80);
        let target = ProgressDrawTarget::term_like(Box::new(term.clone()));
        let progress = Progress::new(MultiProgress::with_draw_target(target));
        let watched = Arc::clone(&progress.watched);
        let look = |after_s: f64| {
            watched.lock().unwrap().draw(Instant::now() + Duration::from_secs_f64(after_s));
            // What spins is left out.
            let lines = term.contents();
            lines.lines().map(|it| it.split_once(' ').unwrap().1).collect::<Vec<_>>().join("\n")
        };
        let subscriber = tracing_subscriber::registry().with(progress);
        tracing::subscriber::with_default(subscriber, || pull(&look));
        term.contents()
    }

    #[test]
    fn a_long_pull_says_how_far_it_is_and_leaves_nothing_behind() {
        let left = watch(|look| {
            let okta = debug_span!(target: TARGET, "pull", system.id = %"okta");
            let app = debug_span!(target: TARGET, "pull", system.id = %"app");
            assert_eq!(look(0.5), "", "what is over soon is not shown");
            assert_eq!(look(1.5), "okta: reading\napp: reading");

            okta.in_scope(|| {
                debug!(target: TARGET, list = "identities", n_rows = 2400_u64, total = None::<u64>);
            });
            app.in_scope(|| {
                debug!(target: TARGET, list = "accounts", n_rows = 50_u64, total = Some(200_u64));
            });
            let seen = look(1.5);
            assert!(seen.starts_with("okta: 2400 identities\napp: 50 of 200 accounts  "), "{seen}");
            assert!(seen.ends_with("██████░░░░░░░░░░░░░░░░░░"), "{seen}");

            okta.in_scope(|| debug!(target: TARGET, wait_ms = 43_500_u64, why = "its limit"));
            let seen = look(1.5);
            assert!(
                seen.starts_with("okta: 2400 identities, waiting 41 s because its limit\n"),
                "{seen}"
            );
            assert!(look(50.0).starts_with("okta: 2400 identities\n"), "the wait is over");
            drop(app);
            assert_eq!(look(50.0), "okta: 2400 identities");
        });
        assert_eq!(left, "");
    }

    #[test]
    fn what_is_no_pull_is_not_shown() {
        let left = watch(|look| {
            let _other = debug_span!(target: TARGET, "other").entered();
            debug!(target: TARGET, list = "identities", n_rows = 1_u64);
            assert_eq!(look(9.0), "");
        });
        assert_eq!(left, "");
    }
}
