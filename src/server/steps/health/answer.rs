//! Probes all paths of the health check.

use std::time::Duration;

use crate::server::probe::Health;
use crate::server::saga::context::Context;

/// The time limit of one probe.
const TIMEOUT: Duration = Duration::from_secs(5);

/// What the paths of the health check answer.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    /// The first answer that is not good, otherwise the last one.
    pub(super) health: Health,
    /// Whether all are good.
    pub(super) is_good: bool,
    /// The path that answered, if there are several.
    pub(super) path: Option<String>,
}

impl Answer {
    /// Probes all paths, one after the other, up to the first whose answer is not good.
    pub(super) async fn ask(cx: &Context) -> Self {
        let paths = &cx.target().health.paths;
        let mut last = Self::of(Health::Silent(String::from("no path is asked")));
        for one in paths {
            let health = cx.probe.check(&cx.url_of(&one.path), TIMEOUT).await;
            let is_good = matches!(&health, Health::Answering(status) if one.accepts(*status));
            let path = (paths.len() > 1).then(|| one.path.clone());
            last = Self { health, is_good, path };
            if !is_good {
                break;
            }
        }
        last
    }

    /// Returns an answer of the only path that is not good.
    pub(super) fn of(health: Health) -> Self {
        Self { health, is_good: false, path: None }
    }
}
