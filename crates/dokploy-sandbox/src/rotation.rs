//! Which containers the reverse proxy reaches at a time, and which of them takes the next request.

use jiff::Timestamp;

use super::core::Core;
use super::course::Reach;
use super::images::Timing;
use super::service::{End, Former, Generation, Service};

/// The place of a generation in its service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Present,
    /// The former of this index.
    Former(usize),
}

/// A container to which the reverse proxy may lead a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Backend {
    pub(crate) place: Place,
    /// The id of its task.
    pub(crate) task: String,
    /// True if it accepts connections.
    pub(crate) answers: bool,
}

impl Service {
    /// Lists the containers in the rotation at `now`. During an update, those of both generations
    /// are (recordings day-two 17, 22, 326, 330).
    fn backends(&self, now: Timestamp, timing: &Timing) -> Vec<Backend> {
        let is_placed = self.replicas > 0 && self.standing.has_container();
        let present = match self.present.reach(now, timing) {
            Reach::Absent => None,
            reach @ (Reach::Refusing | Reach::Answering) => Some(Backend {
                place: Place::Present,
                task: self.task_id(&self.present, 0),
                answers: reach == Reach::Answering,
            }),
        };
        let former = |(index, former): (usize, &Former)| {
            let Former { generation, number, .. } = former;
            former.takes_requests(now, timing).then(|| Backend {
                place: Place::Former(index),
                task: self.task_id(generation, *number),
                answers: true,
            })
        };
        let formers = self.formers.iter().enumerate().filter_map(former);
        present.filter(|_| is_placed).into_iter().chain(formers).collect()
    }

    /// Returns what runs at a place.
    pub(crate) fn generation(&self, place: Place) -> &Generation {
        match place {
            Place::Present => &self.present,
            Place::Former(index) => {
                self.formers.get(index).map_or(&self.present, |former| &former.generation)
            }
        }
    }

    /// Returns what runs at a place, to change it.
    pub(crate) fn generation_mut(&mut self, place: Place) -> &mut Generation {
        match place {
            Place::Present => &mut self.present,
            Place::Former(index) => match self.formers.get_mut(index) {
                Some(former) => &mut former.generation,
                None => &mut self.present,
            },
        }
    }
}

impl Former {
    /// Returns whether it takes requests at `now`: it serves until it has stopped (recordings
    /// day-two 316, 343), unless it was told to end before it was used (recording day-two 621).
    fn takes_requests(&self, now: Timestamp, timing: &Timing) -> bool {
        let is_asked = match self.end {
            End::Shutdown | End::Removed => true,
            End::Crash
            | End::OutOfMemory
            | End::Unhealthy
            | End::Rejected
            | End::Unneeded
            | End::NoNode => false,
        };
        let runs = self.stops_at.is_none_or(|stops_at| now < stops_at);
        let known = self.leaves_at.map_or(now, |leaves_at| leaves_at.min(now));
        is_asked && runs && self.generation.reach(known, timing) == Reach::Answering
    }
}

impl Core {
    /// Returns the container of a service that takes the next request: of several, they take turns.
    /// `None` if there is none.
    pub(super) fn next_backend(&mut self, now: Timestamp, app_name: &str) -> Option<Backend> {
        let service = self.state.service(app_name)?;
        let mut backends = service.backends(now, &self.timing);
        if backends.len() > 1 {
            self.turns = self.turns.wrapping_add(1);
        }
        let count = backends.len().max(1);
        (!backends.is_empty()).then(|| backends.swap_remove(self.turns % count))
    }
}
