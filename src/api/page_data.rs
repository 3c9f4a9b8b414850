//! What a page shows, read before it is rendered.
//!
//! Without a query in their address, the home page and the pages of operations are rendered from this
//! alone, so the same data give the same page. Server only. It must not know HTTP.

use std::sync::Arc;

use catalogue::Entry;
use futures::join;
use leptos::prelude::use_context;

use super::account::AccountLink;
use crate::server::auth::access::Caller;
use crate::server::page::{API_DOCS, DEPLOYMENTS, NEW};
use crate::server::stacks::form::{Filling, NAME, TemplateForm};
use crate::server::stacks::{Service, deployment_id};
use crate::wire::{
    Allowance, ApiError, DeploymentView, PlatformStatus, StackView, TemplateView, Usual,
};

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
    /// The home page of somebody without stacks.
    Home(HomeData),
    /// The home page of somebody who has stacks.
    MyStacks(MyStacksData),
    /// The pages of a new stack.
    New(Result<Box<NewPageData>, ApiError>),
    /// The page of an operation.
    Operation(Result<Box<DeploymentView>, ApiError>),
    /// The page about the API, which is the same for all.
    ApiDocs,
    /// A page that reads for itself.
    Other,
}

/// What the home page shows, but for what its address asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct HomeData {
    /// How long a deployment usually takes, if that was measured.
    pub(crate) usual: Option<Usual>,
    /// The number of stacks that the caller has and may have, if it is limited.
    pub(crate) allowance: Option<Allowance>,
    /// True if data of the caller's removed stacks is kept.
    pub(crate) has_kept_data: bool,
    /// The templates to choose from, or the form of the only one; `None` if that asks for nothing but
    /// a name.
    pub(crate) choice: Option<Box<NewData>>,
}

/// What the home page shows to somebody who has stacks.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct MyStacksData {
    /// The stacks, by name.
    pub(crate) stacks: Vec<StackView>,
    /// The number of stacks that the caller has and may have, if it is limited.
    pub(crate) allowance: Option<Allowance>,
    /// True if data of the caller's removed stacks is kept.
    pub(crate) has_kept_data: bool,
}

/// What the pages of a new stack show.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NewPageData {
    /// The templates, or the form of one.
    pub(crate) choice: NewData,
    /// The number of stacks that the caller has and may have, if it is limited.
    pub(crate) allowance: Option<Allowance>,
}

/// The templates to choose from, or the form of one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum NewData {
    /// The templates to choose from, and the name of the stack if the address has one.
    Templates {
        /// The templates.
        templates: Vec<TemplateView>,
        /// The name.
        name: Option<String>,
    },
    /// The form of a template.
    Form(Box<TemplateForm>),
}

/// The address of a page, and what a form on it was refused for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Address<'a> {
    /// The path.
    pub(crate) path: &'a str,
    /// The query.
    pub(crate) query: &'a str,
    /// The form that was refused, if one was.
    pub(crate) refused: Option<&'a Filling>,
}

impl PageData {
    /// Reads what the page at `address` shows; `caller` is `None` if there is nothing for them.
    pub(crate) async fn read(
        service: &Service,
        account: AccountLink,
        address: Address<'_>,
        caller: Option<&Caller>,
    ) -> Self {
        let content = async {
            match caller {
                Some(caller) => Content::read(service, address, caller).await,
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
    /// Returns whether the page has templates, or the questions of one.
    pub(crate) fn has_questions(&self) -> bool {
        match self {
            Self::Home(home) => home.choice.is_some(),
            Self::New(_) => true,
            Self::MyStacks(_) | Self::Operation(_) | Self::ApiDocs | Self::Other => false,
        }
    }

    /// Returns whether it is a list of stacks.
    pub(crate) fn has_stacks(&self) -> bool {
        matches!(self, Self::MyStacks(_))
    }

    async fn read(service: &Service, address: Address<'_>, caller: &Caller) -> Self {
        let path = address.path;
        if path == "/" {
            // A link with a name, and a form that was refused, are about a new stack.
            if address.query.is_empty()
                && let Some(data) = my_stacks(service, caller).await
            {
                return Self::MyStacks(data);
            }
            let (usual, allowance, has_kept_data) = join!(
                service.usual_duration(),
                service.allowance(caller),
                service.has_kept_data(caller)
            );
            // If the store is unavailable, the form of the name is better than nothing.
            let choice = home_choice(service, address, caller).await.map(Box::new);
            return Self::Home(HomeData { usual, allowance, has_kept_data, choice });
        }
        if let Some(choice) = new_data(service, address, caller).await {
            let allowance = service.allowance(caller).await;
            return Self::New(choice.map(|choice| Box::new(NewPageData { choice, allowance })));
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

/// Returns what the home page shows to a caller who has stacks; `None` to others, or if the store is
/// unavailable.
async fn my_stacks(service: &Service, caller: &Caller) -> Option<MyStacksData> {
    let stacks = service.my_stacks(caller).await.ok()?;
    if stacks.is_empty() {
        return None;
    }
    let (allowance, has_kept_data) =
        join!(service.allowance(caller), service.has_kept_data(caller));
    Some(MyStacksData { stacks, allowance, has_kept_data })
}

/// Returns what a page of a new stack shows; `None` if it is none.
async fn new_data(
    service: &Service,
    address: Address<'_>,
    caller: &Caller,
) -> Option<Result<NewData, ApiError>> {
    let rest = address.path.strip_prefix(NEW)?;
    let link = Filling::link(address.query);
    match rest.strip_prefix('/') {
        None if rest.is_empty() => Some(choice(service, caller, &link).await),
        None => None,
        Some(id) => {
            let form = service.template_form(caller, id, address.refused.unwrap_or(&link)).await;
            Some(form.map(Box::new).map(NewData::Form))
        }
    }
}

/// Returns what the home page offers; `None` if there is only one template, which asks for nothing.
async fn home_choice(service: &Service, address: Address<'_>, caller: &Caller) -> Option<NewData> {
    let offered = service.offered(caller).await.ok()?;
    match &offered[..] {
        [only] if only.template.asks_nothing() => None,
        _ => choice_of(service, caller, &offered, &Filling::link(address.query)).await.ok(),
    }
}

/// Returns the templates to choose from, or the form of the only one.
async fn choice(service: &Service, caller: &Caller, link: &Filling) -> Result<NewData, ApiError> {
    let offered = service.offered(caller).await?;
    choice_of(service, caller, &offered, link).await
}

async fn choice_of(
    service: &Service,
    caller: &Caller,
    offered: &[Arc<Entry>],
    link: &Filling,
) -> Result<NewData, ApiError> {
    if let [only] = offered {
        let form = service.form_of(caller, only, link).await?;
        return Ok(NewData::Form(Box::new(form)));
    }
    let name = link.values(NAME).last().map(|name| (*name).to_owned());
    Ok(NewData::Templates { templates: service.views(offered).await, name })
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
