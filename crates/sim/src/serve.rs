//! From socket to system and back: reads a request, writes it down, lets faults strike, asks the
//! system, sends what it said. One router for each server.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::Response;
use domain::Clock as _;
use serde_json::json;
use tokio::sync::watch;

use crate::body;
use crate::change;
use crate::clock::SimClock;
use crate::endpoint::Endpoint;
use crate::entra;
use crate::fault::{Book, Fault, instead};
use crate::okta;
use crate::onelogin;
use crate::record::{Recorded, Server};
use crate::scim;
use crate::secureframe;
use crate::wire::{Answer, Ask, http_date};
use crate::world::World;

/// A token request is a kilobyte or two; nothing else has a body.
const BODY_MAX: usize = 64 * 1024;

/// Where the servers are, without a slash at the end.
#[derive(Clone, Debug)]
pub(crate) struct Urls {
    pub(crate) okta: String,
    pub(crate) entra: String,
    pub(crate) onelogin: String,
    /// The app's, without the prefix.
    pub(crate) scim_origin: String,
    /// The app's, with the prefix.
    pub(crate) scim: String,
    /// Secureframe's REST API, without the prefix.
    pub(crate) secureframe_origin: String,
    /// The same, with the prefix.
    pub(crate) secureframe: String,
    pub(crate) elsewhere_port: u16,
}

/// What all servers of one company share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) urls: Urls,
    pub(crate) clock: Arc<SimClock>,
    pub(crate) stopped: watch::Receiver<bool>,
    world: Mutex<World>,
    desk: Mutex<Desk>,
}

/// What is kept of the traffic.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    pub(crate) book: Book,
    pub(crate) requests: Vec<Recorded>,
}

impl Shared {
    pub(crate) fn new(world: World, urls: Urls, stopped: watch::Receiver<bool>) -> Self {
        let mut desk = Desk::default();
        for plan in &world.faults {
            desk.book.add(*plan);
        }
        let clock = Arc::new(SimClock::starting_at(world.begins_at));
        Self { urls, clock, stopped, world: Mutex::new(world), desk: Mutex::new(desk) }
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Everything that one server answers.
pub(crate) fn router(shared: Arc<Shared>, server: Server) -> Router {
    Router::new().fallback(move |request: Request| serve(Arc::clone(&shared), server, request))
}

async fn serve(shared: Arc<Shared>, server: Server, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let ask = Ask {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().map(str::to_owned),
        headers: parts.headers,
        body: to_bytes(body, BODY_MAX).await.unwrap_or_default(),
    };
    let (endpoint, ids) = Endpoint::of(server, &ask.segments());
    let (faults, number) = note(&shared, server, endpoint, &ask);
    if faults.contains(&Fault::Silent) {
        let mut stopped = shared.stopped.clone();
        // Fails when the company is gone, which ends the wait as well.
        drop(stopped.wait_for(|it| *it).await);
    }
    let answer = answer(&shared, server, &ask, endpoint, &ids, &faults);
    if let Some(line) = shared.desk().requests.get_mut(number) {
        line.status = (!faults.contains(&Fault::Silent)).then_some(answer.status);
    }
    body::send(answer, &faults)
}

/// Writes a request down, and finds out what strikes it. The number is that of its line.
fn note(shared: &Shared, server: Server, endpoint: Endpoint, ask: &Ask) -> (Vec<Fault>, usize) {
    let mut line = Recorded::new(shared.clock.now(), server, endpoint, ask);
    let mut desk = shared.desk();
    let faults = desk.book.strike(endpoint, is_later_page(ask));
    line.faults = faults.iter().map(|it| it.name()).collect();
    desk.requests.push(line);
    (faults, desk.requests.len() - 1)
}

fn answer(
    shared: &Shared,
    server: Server,
    ask: &Ask,
    endpoint: Endpoint,
    ids: &[String],
    faults: &[Fault],
) -> Answer {
    let now = shared.clock.now();
    let urls = &shared.urls;
    let mut world = shared.world();
    for fault in faults {
        match fault {
            Fault::Changes(change) => change::strike(&mut world, endpoint, *change, now),
            Fault::TokenDies if server == Server::Okta => okta::kill_token(&mut world, ask),
            Fault::TokenDies if server == Server::Entra => {
                entra::token::kill(&mut world.entra, ask);
            }
            Fault::TokenDies if server == Server::OneLogin => world.onelogin.kill_token(ask),
            _ => {}
        }
    }
    let instead = faults.iter().find_map(|it| instead(*it, server, urls, now));
    match server {
        Server::Okta => {
            let page_max = world.okta.door.page_max;
            let call = okta::Call { ask, endpoint, ids, faults, urls, now, page_max };
            let answer = instead.unwrap_or_else(|| okta::answer(&mut world, &call));
            okta::dress(&mut world, &call, answer)
        }
        Server::Entra => {
            let page_max = world.entra.door.page_max;
            let call = entra::Call { ask, endpoint, ids, faults, urls, now, page_max };
            let answer = instead.unwrap_or_else(|| entra::answer(&mut world, &call));
            entra::dress(&mut world, now, answer)
        }
        Server::OneLogin => {
            let call = onelogin::Call { ask, endpoint, ids, faults, now };
            let answer = instead.unwrap_or_else(|| onelogin::answer(&mut world.onelogin, &call));
            onelogin::dress(&mut world.onelogin, now, answer)
        }
        Server::Scim => {
            let call = scim::Call { ask, endpoint, ids, faults, urls };
            let answer = instead.unwrap_or_else(|| scim::answer(&mut world, &call, now));
            if answer.has("date") {
                answer
            } else {
                answer.with("date", http_date(now + world.app.clock_ahead))
            }
        }
        Server::Secureframe => {
            let call = secureframe::Call { ask, endpoint, ids, faults };
            let answer = instead.unwrap_or_else(|| secureframe::answer(&world.personnel, &call));
            if answer.has("date") {
                answer
            } else {
                answer.with("date", http_date(now + world.personnel.clock_ahead))
            }
        }
        // Whoever comes here is welcomed, so that a reader that strays is not saved by an error.
        Server::Elsewhere => Answer::json(200, "application/json", json!([])),
    }
}

/// Is it any page of a list but the first?
fn is_later_page(ask: &Ask) -> bool {
    ask.param("after").is_some()
        || ask.param("after_cursor").is_some()
        || ask.param("$skiptoken").is_some()
        || ask.param("cursor").is_some_and(|it| !it.is_empty())
        || ask.number("page").is_some_and(|it| it.is_ok_and(|it| it > 1))
        || ask.number("startIndex").is_some_and(|it| it.is_ok_and(|it| it > 1))
}
