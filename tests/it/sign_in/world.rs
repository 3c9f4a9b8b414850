//! A portal, and a provider that authenticates everybody.

use axum::http::{StatusCode, Uri};
use clock::Clock;
use percent_encoding::percent_decode_str;
use tempfile::TempDir;

use super::portal;
use crate::support::app::{Reply, TestApp};
use crate::support::browser::Browser;
use crate::support::fake_provider::FakeProvider;

/// A portal and a provider that believes everybody.
pub(super) struct World {
    pub(super) fake: FakeProvider,
    pub(super) app: TestApp,
    _site: TempDir,
}

/// A sign-in in progress at the provider.
pub(super) struct UnderWay {
    pub(super) state: String,
    pub(super) nonce: String,
}

impl World {
    pub(super) async fn new() -> Self {
        let fake = FakeProvider::start().await;
        let (app, site) = portal(&fake.variables());
        Self { fake, app, _site: site }
    }

    /// Begins a sign-in that the provider will accept.
    pub(super) async fn begin(&self, browser: &mut Browser) -> UnderWay {
        self.begin_as(browser, "1234", None).await
    }

    async fn begin_as(&self, browser: &mut Browser, subject: &str, name: Option<&str>) -> UnderWay {
        let reply = browser.get("/auth/sign-in?return_to=%2F%3Fname%3Dalice").await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER);
        let address: Uri = reply.header("location").unwrap().parse().unwrap();
        let parameter = |name: &str| {
            let pairs = address.query().unwrap().split('&');
            let mut found =
                pairs.filter_map(|pair| pair.split_once('=')).filter(|(n, _)| *n == name);
            found.next().unwrap_or_else(|| panic!("no {name} in {address}")).1.to_owned()
        };
        assert_eq!(parameter("response_type"), "code");
        assert_eq!(parameter("client_id"), "portal");
        assert_eq!(parameter("code_challenge_method"), "S256");
        assert_eq!(parameter("redirect_uri"), "http%3A%2F%2F127.0.0.1%3A3000%2Fauth%2Fcallback");
        assert_eq!(parameter("scope"), "openid+profile");
        for secret in ["state", "nonce", "code_challenge"] {
            assert_eq!(parameter(secret).len(), 43, "{secret}");
        }
        let mut claims = self.fake.claims(&parameter("nonce"), self.app.clock.now().as_second());
        claims["sub"] = subject.into();
        if let Some(name) = name {
            claims["name"] = name.into();
        }
        self.fake.give(&self.fake.key.sign(&claims));
        UnderWay { state: parameter("state"), nonce: parameter("nonce") }
    }

    /// Lets the provider sign the person in whose sign-in has this nonce.
    pub(super) fn accept(&self, under_way: &UnderWay) {
        let claims = self.fake.claims(&under_way.nonce, self.app.clock.now().as_second());
        self.fake.give(&self.fake.key.sign(&claims));
    }

    /// Returns to the portal with this answer, like a redirect of the provider.
    pub(super) async fn redirect_back(&self, browser: &mut Browser, answer: &str) -> Reply {
        browser.get(&format!("/auth/callback?{answer}")).await
    }

    /// Signs in the person called `subject`.
    pub(super) async fn sign_in(&self, browser: &mut Browser, subject: &str) {
        let under_way = self.begin_as(browser, subject, None).await;
        self.finish(browser, &under_way).await;
    }

    /// Signs in the person called `subject`, whom the provider calls `name`.
    pub(super) async fn sign_in_as(&self, browser: &mut Browser, subject: &str, name: &str) {
        let under_way = self.begin_as(browser, subject, Some(name)).await;
        self.finish(browser, &under_way).await;
    }

    async fn finish(&self, browser: &mut Browser, UnderWay { state, .. }: &UnderWay) {
        let reply = self.redirect_back(browser, &format!("code=c&state={state}")).await;
        assert_eq!(arrival(&reply).as_deref(), Some("/?name=alice"), "{reply:?}");
    }
}

/// Returns the page to which a callback leads, which may be after the check whether cookies come back.
pub(super) fn arrival(reply: &Reply) -> Option<String> {
    let location = reply.header("location")?;
    let Some((page, _)) = location.split_once("&cookie_sent=") else {
        return Some(location.to_owned());
    };
    Some(match page.strip_prefix("/sign-in?return_to=") {
        Some(page) => percent_decode_str(page).decode_utf8().unwrap().into_owned(),
        None => page.to_owned(),
    })
}
