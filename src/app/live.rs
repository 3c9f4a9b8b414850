//! The deployment page's browser I/O: follows the event stream until the deployment has ended.
//!
//! `EventSource` mends a broken stream by itself, but gives up for good after any answer that
//! is not 200. Which of the two it was cannot be told apart, so after giving up the portal is
//! asked whether there is anything left to come. It must not know what the page shows.

mod browser;

use futures_lite::{Stream, StreamExt, future};
use gloo_net::{
    eventsource::{
        State,
        futures::{EventSource, EventSourceSubscription},
    },
    http::Request,
};
use jiff::Timestamp;
use leptos::prelude::*;
use serde::Deserialize;
use web_sys::MessageEvent;

pub(crate) use browser::copy;
use browser::{now_ms, pause, random_below, reload, until_hidden_for, until_shown};

use super::deployment::{Connection, Watched};
use crate::domain::{
    deployment::DeploymentId,
    event::{Event, EventBody},
    phase::Status,
    progress::Progress,
};

/// The browser's own event for a stream that is open, again or for the first time.
const OPEN: &str = "open";
/// How long a hidden page keeps its stream: an origin has few connections.
const HIDDEN_MS: u32 = 60_000;
/// How often the running times on the page move.
const TICK_MS: u32 = 250;
/// The shortest pause before the portal is asked again; the longest is ten times that.
const RETRY_MS: u32 = 1_000;

/// Why a stream is no longer listened to.
enum Break {
    /// The terminal event is in.
    Ended,
    /// The page has been hidden for a while.
    Hidden,
    /// The browser has given up on it.
    Lost,
}

/// What the portal says about a deployment whose stream is lost.
enum Outlook {
    /// There is more to come.
    GoesOn,
    /// There is not, or no such deployment.
    Over,
    /// Nothing.
    Silent,
}

/// Follows the deployment `id` and keeps `watched` true, until it has ended.
pub(crate) fn follow(id: DeploymentId, watched: Watched) {
    if !watched.progress.with_untracked(Progress::is_finished) {
        leptos::task::spawn_local(future::or(follow_stream(id, watched), tick(watched)));
    }
}

async fn follow_stream(id: DeploymentId, watched: Watched) {
    loop {
        until_shown().await;
        let hidden = async {
            until_hidden_for(HIDDEN_MS).await;
            Break::Hidden
        };
        match future::or(listen(&id, watched), hidden).await {
            Break::Ended => return,
            Break::Hidden => {}
            Break::Lost => {
                watched.connection.set(Connection::Lost);
                if let Outlook::Over = outlook(&id).await {
                    // The page as the server renders it now has the end.
                    return reload();
                }
            }
        }
    }
}

/// Moves the running times on.
async fn tick(watched: Watched) {
    let ahead = watched.now.with_untracked(|now| now.as_millisecond()) - now_ms();
    loop {
        pause(TICK_MS).await;
        if let Ok(now) = Timestamp::from_millisecond(now_ms() + ahead) {
            watched.now.set(now);
        }
    }
}

/// Takes events in from the last one on, until there are no more of them.
async fn listen(id: &DeploymentId, watched: Watched) -> Break {
    let seq = watched.progress.with_untracked(|progress| progress.seq);
    let Ok(mut source) = EventSource::new(&format!("/api/status/{id}?after={seq}")) else {
        return Break::Lost;
    };
    let Some(mut events) = subscribe(&mut source) else {
        return Break::Lost;
    };
    while let Some(event) = events.next().await {
        match (event, source.state()) {
            (Ok((name, message)), state) => {
                let connection =
                    if state == State::Open { Connection::Fine } else { Connection::Lost };
                if watched.connection.get_untracked() != connection {
                    watched.connection.set(connection);
                }
                if let Some(event) = decode(&name, &message) {
                    watched.progress.update(|progress| progress.apply(event));
                }
            }
            (Err(_), State::Closed) => return Break::Lost,
            // Every subscription hears of an `error`, our own event of that name included.
            (Err(_), State::Connecting | State::Open) => {}
        }
        if watched.progress.with_untracked(Progress::is_finished) {
            return Break::Ended;
        }
    }
    Break::Lost
}

/// Joins the channels, one for each name, into one stream.
fn subscribe(
    source: &mut EventSource,
) -> Option<impl Stream<Item = <EventSourceSubscription as Stream>::Item> + Unpin + use<>> {
    let [progress, log, complete, error] = EventBody::NAMES;
    let ours = source.subscribe(progress).ok()?.or(source.subscribe(log).ok()?);
    let ends = source.subscribe(complete).ok()?.or(source.subscribe(error).ok()?);
    Some(Box::pin(ours.or(ends).or(source.subscribe(OPEN).ok()?)))
}

/// Reads one of our events. The browser's own carry no data, and are none.
fn decode(name: &str, message: &MessageEvent) -> Option<Event> {
    let data = message.data().as_string()?;
    let seq = message.last_event_id().parse().ok()?;
    Event::decode(seq, name, &data).ok()
}

/// Asks what is to come of `id`, with growing pauses, until there is an answer.
async fn outlook(id: &DeploymentId) -> Outlook {
    let mut spread = RETRY_MS;
    loop {
        pause(RETRY_MS + random_below(spread)).await;
        match ask(id).await {
            Outlook::Silent => spread = (spread * 2).min(9 * RETRY_MS),
            answered => return answered,
        }
    }
}

/// What the page needs of `GET /api/deployment/:id`.
#[derive(Deserialize)]
struct Answer {
    deployment: Standing,
}

#[derive(Deserialize)]
struct Standing {
    status: Status,
}

async fn ask(id: &DeploymentId) -> Outlook {
    let Ok(response) = Request::get(&format!("/api/deployment/{id}")).send().await else {
        return Outlook::Silent;
    };
    match response.status() {
        404 => Outlook::Over,
        200 => match response.json::<Answer>().await {
            Ok(answer) if answer.deployment.status == Status::InProgress => Outlook::GoesOn,
            Ok(_) => Outlook::Over,
            Err(_) => Outlook::Silent,
        },
        _ => Outlook::Silent,
    }
}
