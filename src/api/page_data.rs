//! What a page shows, read before it is rendered.
//!
//! Without a query in their address, the home page and the pages of operations are rendered from this
//! alone, so the same data give the same page. Server only. It must not know HTTP.

use std::sync::Arc;

use futures::join;
use leptos::prelude::use_context;

use super::account::AccountLink;
use crate::server::auth::access::Caller;
use crate::server::page::{API_DOCS, DEPLOYMENTS};
use crate::server::stacks::{Service, deployment_id};
use crate::wire::{Allowance, ApiError, DeploymentView, PlatformStatus, Usual};

/// The age up to which the time of a page is shown again, in milliseconds.
const SHOWN_MS: i64 = 100;

/// What a page shows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PageData {
    /// What its header shows.
    pub(crate) frame: FrameData,
    /// What is between header and footer.
    pub(crate) content: Content,
}

/// What the header of every page shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FrameData {
    /// The known state of the platform.
    pub(crate) platform: PlatformStatus,
    /// The link to the account.
    pub(crate) account: AccountLink,
}

/// What is between header and footer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Content {
    /// The home page.
    Home(HomeData),
    /// The page of an operation.
    Operation(Result<Box<DeploymentView>, ApiError>),
    /// The page about the API, which is the same for all.
    ApiDocs,
    /// A page that reads for itself.
    Other,
}

/// What the home page shows, but for what its address asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct HomeData {
    /// How long a deployment usually takes, if that was measured.
    pub(crate) usual: Option<Usual>,
    /// The number of stacks that the caller has and may have, if it is limited.
    pub(crate) allowance: Option<Allowance>,
}

impl PageData {
    /// Reads what the page at `path` shows; `caller` is `None` if there is nothing for them.
    pub(crate) async fn read(
        service: &Service,
        account: AccountLink,
        path: &str,
        caller: Option<&Caller>,
    ) -> Self {
        let content = async {
            match caller {
                Some(caller) => Content::read(service, path, caller).await,
                None => Content::Other,
            }
        };
        let (platform, content) = join!(service.platform_status(), content);
        Self { frame: FrameData { platform, account }, content }
    }

    /// Takes the time of `last` if it was just now, so that the same page need not be rendered again
    /// for a few milliseconds.
    pub(crate) fn take_time_of(&mut self, last: &Self) {
        if let (Content::Operation(Ok(view)), Content::Operation(Ok(last))) =
            (&mut self.content, &last.content)
            && (0..=SHOWN_MS).contains(&(view.now.as_millisecond() - last.now.as_millisecond()))
        {
            view.now = last.now;
        }
    }
}

impl Content {
    async fn read(service: &Service, path: &str, caller: &Caller) -> Self {
        if path == "/" {
            let (usual, allowance) = join!(service.usual_duration(), service.allowance(caller));
            return Self::Home(HomeData { usual, allowance });
        }
        if path == API_DOCS {
            return Self::ApiDocs;
        }
        match path.strip_prefix(DEPLOYMENTS) {
            Some(id) => Self::Operation(operation(service, caller, id).await.map(Box::new)),
            None => Self::Other,
        }
    }
}

async fn operation(
    service: &Service,
    caller: &Caller,
    id: &str,
) -> Result<DeploymentView, ApiError> {
    service.deployment(caller, &deployment_id(id)?).await
}

/// Returns what the page of the current request shows, if the router has read it.
pub(crate) fn page_data() -> Option<Arc<PageData>> {
    use_context()
}
