//! The event stream of the browser, as events that can be waited for.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Event, EventSource};

use domain::event::EventBody;

/// The names of the browser's own events: for a stream that has been opened or reopened, and for one
/// that is broken. The second is the name of an event of ours as well.
const OPEN: &str = "open";
const ERROR: &str = EventBody::ERROR;

/// The state of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Being opened or reopened.
    Connecting,
    /// Open.
    Open,
    /// Given up by the browser.
    Closed,
}

/// An event stream. It is closed when this is dropped.
pub(super) struct Events {
    source: EventSource,
    queue: Rc<RefCell<Queue>>,
    _react: Closure<dyn FnMut(Event)>,
}

/// The events that have not been taken yet, and who waits for one.
#[derive(Default)]
struct Queue {
    events: VecDeque<Event>,
    waiting: Option<Waker>,
}

impl Events {
    /// Opens the stream at `address`; `None` if the browser does not let it.
    pub(super) fn open(address: &str) -> Option<Self> {
        let source = EventSource::new(address).ok()?;
        let queue = Rc::new(RefCell::new(Queue::default()));
        let filled = Rc::clone(&queue);
        let react = Closure::<dyn FnMut(Event)>::new(move |event| {
            let mut queue = filled.borrow_mut();
            queue.events.push_back(event);
            if let Some(waiting) = queue.waiting.take() {
                waiting.wake();
            }
        });
        let [progress, log, complete, error] = EventBody::NAMES;
        for name in [progress, log, complete, error, OPEN] {
            source.add_event_listener_with_callback(name, react.as_ref().unchecked_ref()).ok()?;
        }
        Some(Self { source, queue, _react: react })
    }

    /// Returns the state.
    pub(super) fn state(&self) -> State {
        match self.source.ready_state() {
            EventSource::CONNECTING => State::Connecting,
            EventSource::OPEN => State::Open,
            _ => State::Closed,
        }
    }

    /// Waits for the next event. One waits at a time: a new waiter replaces the last.
    pub(super) async fn next(&self) -> Event {
        poll_fn(|context| {
            let mut queue = self.queue.borrow_mut();
            let event = queue.events.pop_front();
            if event.is_none() {
                queue.waiting = Some(context.waker().clone());
            }
            event.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.source.close();
    }
}

/// Returns whether `event` says that the stream is broken. Our own event of that name has data.
pub(super) fn is_break(event: &Event) -> bool {
    event.type_() == ERROR && !event.has_type::<web_sys::MessageEvent>()
}
