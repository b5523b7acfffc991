//! The server: three pages, read-only, one answer at a time per question.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use chrono::TimeDelta;
use domain::Clock;
use store::Store;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::numbers::NumbersError;
use crate::{Health, Numbers, Status, metrics};

/// What the pages are made from.
#[derive(Clone)]
pub struct Site {
    /// Read only.
    pub store: Store,
    /// What the daemon says of itself.
    pub status: watch::Receiver<Status>,
    /// How old a list may be, from the settings in force.
    pub max_age: watch::Receiver<TimeDelta>,
    /// For ages.
    pub clock: Arc<dyn Clock>,
    /// Program and version, as `driftline 0.1.0`.
    pub software: &'static str,
}

/// Serves until the future is dropped.
///
/// # Errors
///
/// Returns what the system said when the listener fails.
pub async fn serve(listener: TcpListener, site: Site) -> std::io::Result<()> {
    let address: Option<SocketAddr> = listener.local_addr().ok();
    tracing::info!(address = ?address, "Serving health and metrics");
    axum::serve(listener, router(site)).await
}

fn router(site: Site) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics_page))
        .with_state(site)
}

/// 200 when Driftline does its job, 503 when it does not; the body says why.
async fn healthz(State(site): State<Site>) -> Response {
    let numbers = match Numbers::read(&site.store).await {
        Ok(numbers) => numbers,
        Err(error) => return failed(&error),
    };
    let (status, max_age) = (site.status.borrow().clone(), *site.max_age.borrow());
    let health = Health::of(&numbers, &status, max_age, site.clock.now());
    let code =
        if health.ills.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    text(code, "text/plain; charset=utf-8", health.to_string())
}

/// 200 as soon as the daemon waits for its next run or does one, and the database answers.
async fn readyz(State(site): State<Site>) -> Response {
    if let Err(error) = site.store.latest_run().await {
        return failed(&error.into());
    }
    let is_ready = {
        let status = site.status.borrow();
        status.next_run.is_some() || status.running_since.is_some()
    };
    match is_ready {
        true => text(StatusCode::OK, "text/plain; charset=utf-8", "ready\n".to_owned()),
        false => text(
            StatusCode::SERVICE_UNAVAILABLE,
            "text/plain; charset=utf-8",
            "not yet\n".to_owned(),
        ),
    }
}

async fn metrics_page(State(site): State<Site>) -> Response {
    let numbers = match Numbers::read(&site.store).await {
        Ok(numbers) => numbers,
        Err(error) => return failed(&error),
    };
    let status = site.status.borrow().clone();
    match metrics(&numbers, &status, site.software) {
        Ok(page) => text(StatusCode::OK, prometheus::TEXT_FORMAT, page),
        Err(error) => {
            tracing::error!(%error, "Failed to write metrics");
            text(StatusCode::INTERNAL_SERVER_ERROR, "text/plain; charset=utf-8", String::new())
        }
    }
}

/// Why is for the log, and not for whoever asks.
fn failed(error: &NumbersError) -> Response {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    tracing::error!(%error, cause, "Failed to answer a health check");
    text(
        StatusCode::SERVICE_UNAVAILABLE,
        "text/plain; charset=utf-8",
        "ill\n- the database cannot be read: the log says why\n".to_owned(),
    )
}

fn text(code: StatusCode, kind: &'static str, body: String) -> Response {
    (code, [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-store")], body)
        .into_response()
}
