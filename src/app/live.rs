//! The I/O of the deployment page in the browser: follows the event stream until the deployment has
//! ended, and then the clean-up while something is left.
//!
//! `EventSource` reopens a broken stream itself, but gives up after any answer other than 200. It
//! does not say which answer it was, so after that the page asks the portal whether more events
//! will come. Something between browser and portal may block a stream, or hold it back in silence:
//! then the page asks for the events at intervals, until a stream works. It must not know what the
//! page shows.

mod events;
mod waiting;

use futures_lite::future;
use jiff::Timestamp;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{MessageEvent, Response};

use events::{Events, State, is_break};
use waiting::{now_ms, random_below, until_hidden_for, until_shown};

use super::browser::{self, Parsed, pause, reload, text};
use super::deployment::{AfterEnd, Connection, DeploymentSignals};
use domain::deployment::DeploymentId;
use domain::event::{Event, Seq};
use domain::phase::{Phase, Status};
use domain::progress::Progress;
use domain::read::{FromJson, Json, field, optional};
use domain::receipt::Receipt;

/// The time in milliseconds after which a hidden page closes its stream, since browsers allow few
/// connections to an origin.
const HIDDEN_MS: u32 = 60_000;
/// The interval in milliseconds at which the running times on the page are updated.
const TICK_MS: u32 = 250;
/// The minimum pause in milliseconds before the portal is asked again. The maximum is ten times as
/// long.
const RETRY_MS: u32 = 1_000;
/// The silence in milliseconds after which a stream that has brought nothing yet is doubted, and one
/// that has. Each time that the portal then has no event either, it is doubled.
const SILENCE_MS: u32 = 5_000;
const USUAL_SILENCE_MS: u32 = 30_000;
const LONGEST_SILENCE_MS: u32 = 120_000;
/// The time limit of a request in milliseconds.
const REQUEST_MS: u32 = 10_000;
/// The interval in milliseconds at which the portal is asked for events while no stream works.
const POLL_MS: u32 = 3_000;
/// The number of times that it is asked before another stream is tried.
const POLLS: u32 = 10;
/// The interval in milliseconds at which the portal is asked for the result of clean-up.
const CLEAN_UP_MS: u32 = 15_000;

/// The reason why the page stopped listening to a stream.
enum Break {
    /// The terminal event was received.
    Ended,
    /// The page has been hidden for a while.
    Hidden,
    /// The browser has given up.
    Lost,
    /// It stays silent, although there are events.
    Mute,
}

/// Follows the deployment `id` and updates `signals`, until it has ended with nothing left.
pub(crate) fn follow(id: DeploymentId, signals: DeploymentSignals) {
    if !signals.progress.with_untracked(Progress::is_finished) || has_leftovers(signals) {
        let following = async move {
            if !signals.progress.with_untracked(Progress::is_finished) {
                follow_stream(&id, signals).await;
            }
            follow_clean_up(&id, signals).await;
        };
        leptos::task::spawn_local(future::or(following, tick(signals)));
    }
}

/// Returns whether something is left after the end.
fn has_leftovers(signals: DeploymentSignals) -> bool {
    let (progress, after_end) =
        (signals.progress.read_untracked(), signals.after_end.read_untracked());
    let receipt = progress.receipt_by_now(after_end.receipt.as_ref());
    receipt.is_some_and(|receipt| !receipt.clean)
}

/// Asks for the result of clean-up at intervals, until nothing is left.
async fn follow_clean_up(id: &DeploymentId, signals: DeploymentSignals) {
    while has_leftovers(signals) && signals.connection.get_untracked() != Connection::SignedOut {
        match fetch(id).await {
            Fetched::SignedOut => return signals.connection.set(Connection::SignedOut),
            Fetched::Known(DeploymentSnapshot { receipt, next_try, retried_by, .. }) => {
                let after_end = AfterEnd { receipt, next_try, retried_by };
                if signals.after_end.with_untracked(|known| *known != after_end) {
                    signals.after_end.set(after_end);
                }
            }
            Fetched::Unknown | Fetched::Nothing => {}
        }
        if has_leftovers(signals) {
            pause(CLEAN_UP_MS).await;
            until_shown().await;
        }
    }
}

async fn follow_stream(id: &DeploymentId, signals: DeploymentSignals) {
    // True if the portal has answered since a stream last worked.
    let mut is_blocked = false;
    loop {
        until_shown().await;
        let hidden = async {
            until_hidden_for(HIDDEN_MS).await;
            Break::Hidden
        };
        match future::or(listen(id, signals), hidden).await {
            Break::Ended => return,
            Break::Hidden | Break::Mute => {}
            Break::Lost => {
                match signals.connection.get_untracked() {
                    Connection::Polling => pause(POLL_MS).await,
                    known @ (Connection::Fine | Connection::Lost | Connection::SignedOut) => {
                        is_blocked &= known != Connection::Fine;
                        signals.connection.set(Connection::Lost);
                        pause(RETRY_MS + random_below(RETRY_MS)).await;
                    }
                }
                // Whoever gets the events need not ask for anything else.
                if catch_up(id, signals).await.is_some() {
                    if signals.progress.with_untracked(Progress::is_finished) {
                        return;
                    }
                    if is_blocked {
                        signals.connection.set(Connection::Polling);
                    }
                    is_blocked = true;
                    continue;
                }
                let seq = signals.progress.with_untracked(|progress| progress.seq);
                match answer(id, signals).await {
                    Fetched::Known(snapshot)
                        if snapshot.status == Status::InProgress && snapshot.seq <= seq => {}
                    // The server now renders the page, with the end, or with the events, which are
                    // blocked in every form.
                    Fetched::Known(_) | Fetched::Unknown => return reload(),
                    Fetched::SignedOut => return signals.connection.set(Connection::SignedOut),
                    Fetched::Nothing => {}
                }
            }
        }
    }
}

/// Updates the running times.
async fn tick(signals: DeploymentSignals) {
    let ahead = signals.now.with_untracked(|now| now.as_millisecond()) - now_ms();
    loop {
        pause(TICK_MS).await;
        if let Ok(now) = Timestamp::from_millisecond(now_ms() + ahead) {
            signals.now.set(now);
        }
    }
}

/// Applies events after the last known one, until the stream ends.
async fn listen(id: &DeploymentId, signals: DeploymentSignals) -> Break {
    let seq = signals.progress.with_untracked(|progress| progress.seq);
    let Some(stream) = Events::open(&format!("/api/status/{id}?after={seq}")) else {
        return Break::Lost;
    };
    let mut patience = Patience::new();
    loop {
        let silence = async {
            patience.until_exhausted().await;
            None
        };
        let Some(event) = future::or(async { Some(stream.next().await) }, silence).await else {
            let is_open = stream.state() == State::Open;
            let Some(has_news) = catch_up(id, signals).await else { return Break::Lost };
            if !is_open {
                signals.connection.set(Connection::Polling);
            }
            let is_polling = signals.connection.get_untracked() == Connection::Polling;
            patience.asked(has_news, is_polling);
            if signals.progress.with_untracked(Progress::is_finished) {
                return Break::Ended;
            }
            if patience.missed > POLLS {
                return Break::Mute;
            }
            continue;
        };
        let state = stream.state();
        match (is_break(&event), state) {
            (true, State::Closed) => return Break::Lost,
            (true, State::Connecting) => patience.shorten(),
            (true, State::Open) | (false, _) => {}
        }
        show_state(state, signals);
        if let Some(event) = decode(&event) {
            patience.heard();
            take(event, id, signals);
        }
        if signals.progress.with_untracked(Progress::is_finished) {
            return Break::Ended;
        }
    }
}

/// Shows whether the stream is open. While it is not, the page may have another way.
fn show_state(state: State, signals: DeploymentSignals) {
    let known = signals.connection.get_untracked();
    let connection = match (state, known) {
        (State::Open, _) => Connection::Fine,
        (State::Connecting | State::Closed, Connection::Polling) => known,
        (State::Connecting | State::Closed, _) => Connection::Lost,
    };
    if known != connection {
        signals.connection.set(connection);
    }
}

/// How long a stream may stay silent until the portal is asked. The browser's attempts to open it
/// again count as silence.
struct Patience {
    limit_ms: u32,
    until_ms: i64,
    /// How often the portal had events that the stream did not bring.
    missed: u32,
}

impl Patience {
    fn new() -> Self {
        Self { limit_ms: SILENCE_MS, until_ms: now_ms() + i64::from(SILENCE_MS), missed: 0 }
    }

    async fn until_exhausted(&self) {
        pause(u32::try_from(self.until_ms - now_ms()).unwrap_or_default()).await;
    }

    /// The stream is broken: the browser tries to open it again, which something may prevent.
    fn shorten(&mut self) {
        self.until_ms = self.until_ms.min(now_ms() + i64::from(POLL_MS));
    }

    /// The stream has brought an event.
    fn heard(&mut self) {
        self.wait(USUAL_SILENCE_MS);
    }

    /// The portal has answered, with or without news.
    fn asked(&mut self, has_news: bool, is_polling: bool) {
        self.missed += u32::from(has_news);
        if is_polling {
            self.wait(POLL_MS);
        } else {
            self.wait((self.limit_ms * 2).min(LONGEST_SILENCE_MS));
        }
    }

    fn wait(&mut self, limit_ms: u32) {
        self.limit_ms = limit_ms;
        self.until_ms = now_ms() + i64::from(limit_ms);
    }
}

/// Asks for the events after the last known one, and applies them. Returns whether there were any;
/// `None` if the portal did not answer.
async fn catch_up(id: &DeploymentId, signals: DeploymentSignals) -> Option<bool> {
    let seq = signals.progress.with_untracked(|progress| progress.seq);
    let response = get(&format!("/api/status/{id}?after={seq}&follow=false")).await?;
    // 204 means that no more events will come.
    let response = Some(response).filter(|response| response.status() == 200)?;
    let text = text(&response).await?;
    let mut has_news = false;
    for event in text.split("\n\n").filter_map(decode_frame) {
        has_news = true;
        signals.connection.set(Connection::Polling);
        take(event, id, signals);
    }
    Some(has_news)
}

/// Parses a frame of an event stream as text.
fn decode_frame(frame: &str) -> Option<Event> {
    let field =
        |name: &str| frame.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    Event::read(field("id")?.parse().ok()?, field("event")?, &Parsed::parse(field("data")?)?)
}

/// Applies one event. When the rollback begins, it asks whether somebody cancelled, perhaps on
/// another page: no event says so.
fn take(event: Event, id: &DeploymentId, signals: DeploymentSignals) {
    let is_rolling_back =
        || signals.progress.with_untracked(|progress| progress.phase == Phase::ROLLING_BACK);
    let was_rolling_back = is_rolling_back();
    signals.progress.update(|progress| progress.apply(event));
    if is_rolling_back() && !was_rolling_back && !signals.is_cancelling.get_untracked() {
        let id = id.clone();
        leptos::task::spawn_local(async move {
            if let Fetched::Known(DeploymentSnapshot { cancelling: true, .. }) = fetch(&id).await {
                signals.is_cancelling.set(true);
            }
        });
    }
}

/// Parses one of our events. Returns `None` for the browser's own events, which have no data.
fn decode(event: &web_sys::Event) -> Option<Event> {
    let message: &MessageEvent = event.dyn_ref()?;
    let data = message.data().as_string()?;
    let seq = message.last_event_id().parse().ok()?;
    Event::read(seq, &message.type_(), &Parsed::parse(&data)?)
}

/// Asks for the snapshot of `id`, with growing pauses, until there is a usable answer.
async fn answer(id: &DeploymentId, signals: DeploymentSignals) -> Fetched {
    let mut spread = RETRY_MS;
    loop {
        pause(RETRY_MS + random_below(spread)).await;
        match fetch(id).await {
            Fetched::Nothing => {
                signals.connection.set(Connection::Lost);
                spread = (spread * 2).min(9 * RETRY_MS);
            }
            answer => return answer,
        }
    }
}

/// The part of the answer to `GET /api/deployment/:id` that the page needs.
struct DeploymentSnapshot {
    status: Status,
    seq: Seq,
    cancelling: bool,
    receipt: Option<Receipt>,
    next_try: Option<Timestamp>,
    retried_by: Option<DeploymentId>,
}

impl FromJson for DeploymentSnapshot {
    fn from_json<J: Json>(json: &J) -> Option<Self> {
        Some(Self {
            status: field(json, "status")?,
            seq: field(json, "seq")?,
            cancelling: optional(json, "cancelling")?.unwrap_or_default(),
            receipt: optional(json, "receipt")?,
            next_try: optional(json, "nextTry")?,
            retried_by: optional(json, "retriedBy")?,
        })
    }
}

/// The result of a request for the deployment's snapshot.
enum Fetched {
    /// The snapshot.
    Known(DeploymentSnapshot),
    /// There is no such deployment.
    Unknown,
    /// The viewer must sign in first.
    SignedOut,
    /// There was no usable answer.
    Nothing,
}

/// Sends a request; `None` if there is no answer in time.
async fn get(address: &str) -> Option<Response> {
    browser::get(address, REQUEST_MS).await
}

async fn fetch(id: &DeploymentId) -> Fetched {
    let Some(response) = get(&format!("/api/deployment/{id}")).await else {
        return Fetched::Nothing;
    };
    match response.status() {
        404 => Fetched::Unknown,
        401 => Fetched::SignedOut,
        200 => {
            let answer = Parsed::of(&response).await;
            let snapshot = answer.and_then(|answer| field(&answer, "deployment"));
            snapshot.map_or(Fetched::Nothing, Fetched::Known)
        }
        _ => Fetched::Nothing,
    }
}
