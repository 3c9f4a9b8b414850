//! The sentences of refusals in the API's answers.

use std::time::Duration;

use super::{fault, name};
use crate::local_fault::LocalFault;
use crate::refusal::{
    Counted, CrossSite, FilterField, InternalFault, LimitReached, Missing, QueryField, Refusal,
    TakenBy, Unreadable, whole_seconds,
};
use crate::stack_name::StackName;
use crate::stack_state::StackState;
use crate::template::answer_error::AnswerErrors;

/// Returns the sentence: what happened, and what to do.
pub fn message(refusal: &Refusal) -> String {
    use Refusal as R;
    let plain = match refusal {
        R::InvalidName(Some(rule)) => return format!("{}.", name::rule(*rule)),
        R::InvalidName(None) => {
            "The body has no name: send an object with a string field called name, like \
             {\"name\":\"alice\"}."
        }
        R::InvalidParameters(errors) => return invalid_parameters(errors),
        R::TemplateRequired(ids) if ids.is_empty() => {
            "There is no template, so nothing can be started. An operator must add one."
        }
        R::TemplateRequired(ids) => {
            return format!("Choose a template: send `template` as one of {}.", ids.join(", "));
        }
        R::NoSuchTemplate => {
            "There is no such template: /api/templates lists those that there are."
        }
        R::TemplateChanged => {
            "This version of the template has another definition, of which stacks are made. An \
             operator must give the template a new version."
        }
        R::SecretsExpired => {
            "The secrets that were typed are not kept any more: start the stack anew, and type \
             them again."
        }
        R::SignInAgain => {
            "Generated secrets are only shown within ten minutes after a sign-in: sign in again, and \
             ask for them then."
        }
        R::SecretsLost => {
            "The portal's key does not open the secrets of this stack: start it anew with other \
             secrets, or let an operator bring back the key with which they were encrypted."
        }
        R::NoSuchData => "There is no such kept data: /api/data lists what there is.",
        R::DataInUse => "The data belongs to a stack by now, or is being deleted.",
        R::DataLost => {
            "The volumes of this data are gone from the platform, so it cannot be brought back."
        }
        R::WrongTemplate => {
            "The data is that of another template: send the template that /api/data names."
        }
        R::KeptDataFull(most) => {
            return format!(
                "The data of {most} stacks is kept, which is the limit, so nothing was removed: \
                 delete some of it, or remove this stack with its data (`keepData=0`)."
            );
        }
        R::NameTaken(name, TakenBy::Another) => {
            return format!("The name {name} is taken: choose another.");
        }
        R::NameTaken(name, TakenBy::Itself) => {
            return format!("{name} is live: there is nothing to retry.");
        }
        R::NameHeld(name, until) => {
            let until = until.strftime("%Y-%m-%d %H:%M:%S UTC");
            return format!(
                "The stack {name} was removed a short time ago, and its name is reserved for its \
                 former owner until {until}: choose another name."
            );
        }
        R::LimitReached(limit) => return limit_reached(*limit),
        R::PlatformTooOld => {
            "The platform that runs the stacks is too old for this portal, so nothing was started. \
             An operator must update it."
        }
        R::PlatformKeyRefused => {
            "The platform that runs the stacks does not accept the portal's key, so nothing was \
             started. An operator must configure another key."
        }
        R::PlatformWedged => {
            "The platform that runs the stacks hangs, so nothing was started. The portal has \
             reported this to its operators."
        }
        R::SecretKeyMissing => {
            "The portal has no key under which it could keep the secrets of a stack, so nothing \
             was started. An operator must set PORTAL_SECRET_KEY."
        }
        R::PlatformUnreachable(pause) => {
            return format!(
                "The platform that runs the stacks cannot be reached, so nothing was started: try \
                 again in {pause} seconds."
            );
        }
        R::PortalImpaired(fault, pause) => return impaired(*fault, *pause),
        R::StoreUnavailable => {
            "The portal cannot read or write its database right now: try again in 5 seconds."
        }
        R::NotFound(missing) => return not_found(missing),
        R::OperationUnderWay(name, id) => {
            return format!(
                "Another operation on {name} is under way ({id}): wait until it has ended, or cancel \
                 it."
            );
        }
        R::WrongState(name, state) => return wrong_state(name, *state),
        R::NoLog(name) => {
            return format!(
                "{name} has no container now, so there is no log: start it, or wait until it runs."
            );
        }
        R::LogUnavailable => {
            "The platform that runs the stacks does not show the log right now: try again in a few \
             seconds."
        }
        R::TooLate => "It is too late to cancel: the change is done.",
        R::RevisionChanged(name, number) => {
            return format!("{name} has revision {number} by now: look at it, and decide again.");
        }
        R::NoSuchRevision => "The stack has never had this revision.",
        R::SpecUnknown(name) => {
            return format!(
                "An older version of the portal made {name}, and did not keep what it is made of: \
                 deploy it again to change it."
            );
        }
        R::InvalidExpiry(None) => {
            "A stack can expire at a time that is to come, as in 2026-12-31T18:00:00Z, or with null \
             not at all: choose one."
        }
        R::InvalidExpiry(Some(latest)) => {
            let latest = latest.strftime("%Y-%m-%d %H:%M:%S UTC");
            return format!(
                "A stack must expire at a time that is to come, and here by {latest}: choose one \
                 until then."
            );
        }
        R::NotCancellable => {
            "A removal cannot be cancelled: parts of the stack may already be removed."
        }
        R::AlreadyEnded => "The deployment has already ended: there is nothing to cancel.",
        R::NotEnded(name) => {
            return format!("{name} is still in progress: wait until it ends, or cancel it.");
        }
        R::NameNotClean(name) => {
            return format!(
                "Some resources of {name} are still being removed, so its name is not available \
                 yet."
            );
        }
        R::NotADeployment => "Removals cannot be retried: deploy the name instead.",
        R::AnotherStack(name) => {
            return format!(
                "Another stack now has the name {name}, so nothing was done: check which one is \
                 live."
            );
        }
        R::IdRequired(name) => {
            return format!(
                "The stack {name} has no owner, so its name is not enough: send the id of its \
                 deployment as well, as in /api/stacks/{name}?id=dep_.... The answer to its start \
                 contains the id."
            );
        }
        R::NoSuchPerson => "Person not found.",
        R::NotSignedIn => "No active sessions or valid tokens.",
        R::NotStuck => {
            "This operation is not stuck: nothing is left of it, or it has not ended yet."
        }
        R::InvalidFilter(field) => invalid_filter(*field),
        R::SignInRequired => "Sign in first, or send an API token: Authorization: Bearer asd_...",
        R::ScopeMissing => "This API token lacks the required scope: create one that has it.",
        R::TokenInvalid => "This API token is invalid, expired or revoked. Create a new one.",
        R::CrossSite(from) => return cross_site(from),
        R::TooManyRequests(counted, pause) => {
            let what = match counted {
                Counted::Start => "Too many deployment requests",
                Counted::Check => "Too many name checks",
                Counted::SignIn => "Too many sign-ins",
            };
            return format!("{what}: try again in {pause} seconds.");
        }
        R::TooManyStreams => {
            "Too many event streams are open: close some pages, then reload this one."
        }
        R::IdempotencyKeyReused => {
            "This Idempotency-Key was already used with another body: use a new key for a new \
             request."
        }
        R::IdempotencyKeyInUse => {
            "A request with this Idempotency-Key is still in progress: repeat it in a second."
        }
        R::InvalidIdempotencyKey => {
            "Send one Idempotency-Key header of 1 to 255 ASCII characters without spaces."
        }
        R::InvalidJson => "The body is not JSON: send {\"name\":\"alice\"}.",
        R::RequestTimeout => "The body did not arrive within 10 seconds: send it again.",
        R::IncompleteBody => "The body ended too early: send it again.",
        R::BodyTooLarge(most) => return format!("The body is longer than {most} KiB: shorten it."),
        R::UriTooLong => "The address is longer than 8 KiB: shorten it.",
        R::InvalidPath => "The path is not valid UTF-8 after percent-decoding: check its encoding.",
        R::InvalidRequest(Unreadable::Query) => {
            "The query could not be read: send each field at most once, and at most 64 fields."
        }
        R::InvalidRequest(Unreadable::Field(field)) => query_field(*field),
        R::InvalidRequest(Unreadable::Form) => {
            "The form could not be read: send each of its fields once, and at most 64 fields."
        }
        R::InvalidRequest(Unreadable::Arguments) => ARGUMENTS,
        R::MethodNotAllowed => {
            "This address does not support this method. The Allow header lists the supported \
             methods."
        }
        R::PortalUnreachable => PORTAL_UNREACHABLE,
        R::SignInDenied => "The identity provider did not sign you in.",
        R::SignInStale => "This sign-in expired or was already completed: start again.",
        R::ProviderUnreachable => "The identity provider does not answer: try again later.",
        R::ProviderUnreadable => {
            "The identity provider's answer could not be read. An operator finds the reason in the \
             portal's log."
        }
        R::ProviderRefused => "The identity provider did not accept this portal.",
        R::IdentityUntrusted => "The identity provider's answer could not be verified.",
        R::InvalidTokenName => "Give the token a name of 1 to 60 characters that can be seen.",
        R::TooManyTokens => "You have 20 active tokens, which is the limit: revoke one.",
        R::NoSuchToken => "This token is already revoked, or it is not yours.",
        R::Internal(InternalFault::Panic) => {
            "The portal had an internal error. Try again. If this happens again, tell its operator."
        }
        R::Internal(InternalFault::NotReady) => "The portal is not ready. Try again in a moment.",
        R::Internal(InternalFault::NoCaller) => {
            "The portal could not identify the caller. Try again in a moment."
        }
        R::Internal(InternalFault::Answer) => ANSWER,
    };
    plain.to_owned()
}

fn invalid_parameters(errors: &AnswerErrors) -> String {
    let keys: Vec<_> = errors.iter().map(|(key, _)| key).collect();
    format!("Some answers cannot be used: see `fields` for {}.", keys.join(", "))
}

fn query_field(field: QueryField) -> &'static str {
    match field {
        QueryField::After => {
            "`after` cannot be read: send the number of the last event that you have."
        }
        QueryField::Before => "`before` cannot be read: send the `next` of the page before.",
        QueryField::Download => "`download` cannot be read: send 1, or leave it out.",
        QueryField::KeepData => "`keepData` cannot be read: send 1 or 0.",
        QueryField::Kind => {
            "There is no such `kind` of operation: send deployment, removal, stop, start, restart, \
             change or deletion."
        }
        QueryField::Range => "`range` cannot be read: send 1h, 7d or 90d.",
        QueryField::Since => {
            "`since` cannot be read: send a time such as 2026-11-30T12:00:00Z, or an age such as 15m."
        }
        QueryField::Stack => "`stack` cannot be read: send the name of a stack.",
        QueryField::Status => "`status` cannot be read: send in_progress or stuck.",
        QueryField::Tail => "`tail` cannot be read: send a number of lines, such as 200.",
    }
}

/// The sentence of [`Refusal::PortalUnreachable`].
pub const PORTAL_UNREACHABLE: &str =
    "The portal does not answer. Check your connection and try again.";
/// The sentence of [`Unreadable::Arguments`].
pub const ARGUMENTS: &str = "The portal did not understand the request.";
/// The sentence of [`InternalFault::Answer`].
pub const ANSWER: &str =
    "The portal gave an answer that this page does not understand. Reload the page and try again.";

fn cross_site(from: &CrossSite) -> String {
    match from {
        CrossSite::Elsewhere { portal } => format!(
            "This request comes from another site. Use the portal at {portal}. If this is the \
             portal, its operator must set PUBLIC_URL to the address in your browser."
        ),
        CrossSite::OtherAddress { portal, address } => format!(
            "This page was opened at {address}, but the portal only knows the address {portal}. Use \
             that, or let its operator add {address} to PUBLIC_URL."
        ),
        CrossSite::Unnamed { portal } => format!(
            "Your browser does not say from which page this request comes. Use the portal at \
             {portal}. If this is the portal, a proxy in front of it may add the header \
             Referrer-Policy: no-referrer: its operator must remove that."
        ),
    }
}

fn wrong_state(name: &StackName, state: StackState) -> String {
    match state {
        StackState::Gone => format!("There is no stack {name}."),
        StackState::Live => format!("{name} runs: stop it first."),
        StackState::Stopped => format!("{name} is stopped: start it first."),
    }
}

fn limit_reached(limit: LimitReached) -> String {
    match limit {
        LimitReached::Stacks(max) => {
            let stacks = counted(u64::from(max), "stack");
            format!("You have {stacks}, which is the limit per person: remove one first.")
        }
        LimitReached::UnderWay(max) => {
            let deployments = counted(u64::from(max), "deployment");
            format!(
                "You have {deployments} in progress, which is the limit per person: wait until one \
                 has ended, or cancel one."
            )
        }
        LimitReached::UnderWayInAll(max) => {
            let deployments = counted(u64::from(max), "deployment");
            format!(
                "The portal is busy: its limit of {deployments} in progress is reached. Try again \
                 in a minute."
            )
        }
        LimitReached::PerHour { max, wait } => {
            let deployments = counted(u64::from(max), "deployment");
            format!(
                "You have started {deployments} within an hour, which is the limit per person: try \
                 again in {}.",
                span(wait)
            )
        }
        LimitReached::OperationsPerHour { max, wait } => {
            let operations = counted(u64::from(max), "operation");
            format!(
                "You have begun {operations} within an hour, which is the limit per person: try \
                 again in {}. Stacks can still be stopped and removed.",
                span(wait)
            )
        }
    }
}

fn impaired(fault: LocalFault, pause: u64) -> String {
    let fault = fault::present(fault);
    format!("{fault}, so nothing was started: try again in {pause} seconds.")
}

fn not_found(missing: &Missing) -> String {
    match missing {
        Missing::Deployment => String::from("Deployment not found: check the address."),
        Missing::Stack => String::from("No stack of this name is live: check the name."),
        Missing::Address => String::from("Not found: check the address."),
        Missing::Path(path) => format!("Nothing found at {path}: check the address."),
    }
}

fn invalid_filter(field: FilterField) -> &'static str {
    match field {
        FilterField::Owner => "Unknown owner: choose a person.",
        FilterField::State => "Unknown state: choose one from the list.",
        FilterField::Action => "Unknown action: choose one from the list.",
        FilterField::Date => {
            "Invalid date: write a day as 2026-11-23, or a time as 2026-11-23T09:55:24Z."
        }
        FilterField::Page => "Unknown page: start again from the first one.",
    }
}

fn span(wait: Duration) -> String {
    match whole_seconds(wait) {
        seconds @ 0..=90 => counted(seconds, "second"),
        seconds => counted(seconds.div_ceil(60), "minute"),
    }
}

fn counted(count: u64, thing: &str) -> String {
    if count == 1 { format!("1 {thing}") } else { format!("{count} {thing}s") }
}

#[cfg(test)]
mod tests;
