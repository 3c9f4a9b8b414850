//! Pauses, page visibility, time and random numbers in the browser.

use futures_lite::future;
use js_sys::Promise;
use js_sys::futures::JsFuture;

use crate::app::browser::{document, pause};

/// Waits until the page is visible.
pub(super) async fn until_shown() {
    while document().hidden() {
        visibility_change().await;
    }
}

/// Waits until the page has been hidden for `ms` milliseconds without interruption.
pub(super) async fn until_hidden_for(ms: u32) {
    loop {
        let is_hidden = document().hidden();
        let lasting = async {
            if !is_hidden {
                future::pending::<()>().await;
            }
            pause(ms).await;
            true
        };
        let changing = async {
            visibility_change().await;
            false
        };
        if future::or(lasting, changing).await {
            return;
        }
    }
}

async fn visibility_change() {
    let change = Promise::new(&mut |resolve, _| {
        // There is one waiter at a time: a new one replaces the last.
        document().set_onvisibilitychange(Some(&resolve));
    });
    JsFuture::from(change).await.ok();
}

/// Returns the browser's time, in milliseconds since 1970.
#[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit into 64 bits")]
pub(super) fn now_ms() -> i64 {
    js_sys::Date::now() as i64
}

/// Returns a random number below `limit`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the product lies between 0 and the limit"
)]
pub(super) fn random_below(limit: u32) -> u32 {
    (js_sys::Math::random() * f64::from(limit)) as u32
}
