//! The few things asked of the browser that Leptos does not wrap.

use futures_lite::future;
use js_sys::{Promise, Reflect, futures::JsFuture};
use leptos::prelude::{document, window};

/// Waits for `ms` milliseconds. A hidden page may wait longer.
pub(super) async fn pause(ms: u32) {
    let ms = i32::try_from(ms).unwrap_or(i32::MAX);
    let timer = Promise::new(&mut |resolve, _| {
        // Only a detached window fails here, and then nobody waits any more.
        window().set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, ms).ok();
    });
    JsFuture::from(timer).await.ok();
}

/// Waits until the page is visible.
pub(super) async fn until_shown() {
    while document().hidden() {
        visibility_change().await;
    }
}

/// Waits until the page has been hidden for `ms` milliseconds on end.
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
        // One waiter at a time: the next replaces the last.
        document().set_onvisibilitychange(Some(&resolve));
    });
    JsFuture::from(change).await.ok();
}

/// Loads the page anew.
pub(super) fn reload() {
    // Only a page that is being left fails here.
    window().location().reload().ok();
}

/// Tells the browser's time, in milliseconds since 1970.
#[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit for ages")]
pub(super) fn now_ms() -> i64 {
    js_sys::Date::now() as i64
}

/// Picks a number below `limit`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the product lies between 0 and the limit"
)]
pub(super) fn random_below(limit: u32) -> u32 {
    (js_sys::Math::random() * f64::from(limit)) as u32
}

/// Copies `text`, and tells whether that worked. Browsers have no clipboard for pages that
/// come over plain HTTP.
pub(crate) async fn copy(text: &str) -> bool {
    let navigator = window().navigator();
    let has_clipboard = Reflect::get(&navigator, &"clipboard".into())
        .is_ok_and(|clipboard| !clipboard.is_undefined());
    has_clipboard && JsFuture::from(navigator.clipboard().write_text(text)).await.is_ok()
}
