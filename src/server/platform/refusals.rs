//! Tells a key that may not make one call from a key that is refused.
//!
//! It repeats no call: whoever makes it repeats it as long as [`Refusals`] returns an error.

use std::sync::atomic::{AtomicU32, Ordering};

use super::{PlatformError, PlatformOverview};

/// The outcome of a call that the key may not be permitted to make.
#[derive(Debug)]
pub(crate) enum Permitted<T> {
    /// The key may make it: this is its result.
    Yes(T),
    /// The key may not make it, although other calls with it succeed. This was the answer.
    No(PlatformError),
}

/// Counts how often a call was refused with 401 although other calls with the same key succeed.
/// Then the key may not make this call: Dokploy answers 403, or the 401 that it also uses for other
/// failures.
#[derive(Debug, Default)]
pub(crate) struct Refusals(AtomicU32);

impl Refusals {
    /// The number of refusals that count as proof: a single one may have been an outage that is
    /// just over.
    const ENOUGH: u32 = 2;

    /// Makes a call. After a 401 it asks for the projects, so that a key that the platform accepts
    /// otherwise is not taken for a refused one.
    ///
    /// # Errors
    ///
    /// Returns why the call failed, if that does not prove that the key may not make it.
    pub(crate) async fn record<T: Send>(
        &self,
        platform: &dyn PlatformOverview,
        call: impl Future<Output = Result<T, PlatformError>> + Send,
    ) -> Result<Permitted<T>, PlatformError> {
        match call.await {
            Err(error @ PlatformError::Refused { .. }) => Ok(Permitted::No(error)),
            Err(error @ PlatformError::KeyRefused { .. }) => {
                if platform.projects().await.is_err() {
                    self.0.store(0, Ordering::Relaxed);
                    return Err(error);
                }
                let refused = self.0.fetch_add(1, Ordering::Relaxed) + 1;
                if refused < Self::ENOUGH { Err(error) } else { Ok(Permitted::No(error)) }
            }
            result => result.map(Permitted::Yes),
        }
    }
}
