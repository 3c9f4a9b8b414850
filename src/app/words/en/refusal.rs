//! The sentences of refusals on pages. A form that was refused redirects back to its page with the
//! refusal's code in the query.

use crate::app::words::FormPage;
use domain::refusal::RefusalCode;

/// Returns the half sentence about what did not happen.
fn consequence(page: FormPage<'_>) -> &'static str {
    match page {
        FormPage::Home => "nothing was started",
        FormPage::Operation => "the deployment was not retried",
        FormPage::SignIn(_) => "you were not signed in",
        FormPage::Stack | FormPage::Data | FormPage::Account | FormPage::Admin => {
            "nothing was changed"
        }
    }
}

/// Returns the sentence for a refusal whose reason does not help a person.
fn failed(page: FormPage<'_>) -> &'static str {
    match page {
        FormPage::SignIn(_) => "You could not be signed in. Try again in a moment.",
        FormPage::Home
        | FormPage::Operation
        | FormPage::Stack
        | FormPage::Data
        | FormPage::Account
        | FormPage::Admin => {
            "The portal could not complete the request. Nothing was changed. Try again in a \
             moment."
        }
    }
}

/// Returns the display name of the identity provider, or a general term if it is not known.
fn provider(page: FormPage<'_>) -> String {
    match page {
        FormPage::SignIn(name) => name.to_owned(),
        FormPage::Home
        | FormPage::Operation
        | FormPage::Stack
        | FormPage::Data
        | FormPage::Account
        | FormPage::Admin => String::from("The identity provider"),
    }
}

/// Returns the sentence for the `code` in the query of `page`. For an unknown code it says only
/// that the request failed. Returns `None` if the home page shows the reason beside the name.
pub(crate) fn sentence(page: FormPage<'_>, code: &str) -> Option<String> {
    let code = code.parse().unwrap_or(RefusalCode::Internal);
    match (page, code) {
        (FormPage::Home, RefusalCode::InvalidName | RefusalCode::NameTaken) => None,
        (page, code) => Some(of_code(page, code)),
    }
}

/// Returns the sentence of each code. It is one `match`, so the compiler finds missing ones.
fn of_code(page: FormPage<'_>, code: RefusalCode) -> String {
    use RefusalCode as C;
    let so = consequence(page);
    match (code, page) {
        (C::InvalidName, _) => format!("The name breaks a rule, so {so}."),
        (C::InvalidParameters, _) => {
            format!("Some answers cannot be used, so {so}. Fill in the form again.")
        }
        (C::TemplateRequired, _) => {
            format!("This portal offers several templates, and none was chosen, so {so}.")
        }
        (C::NoSuchTemplate, _) => {
            format!("There is no such template, so {so}. Choose one of those that there are.")
        }
        (C::TemplateChanged, _) => format!(
            "This version of the template has another definition, so {so}. An operator must give \
             the template a new version."
        ),
        (C::SecretsExpired, _) => format!(
            "Secrets can be used again for an hour, which is over for those that were typed, so {so}. \
             Fill in the form again: it has everything else."
        ),
        (C::SignInAgain, _) => String::from(
            "Secrets are only shown within ten minutes after you signed in. Sign in again, and ask \
             for them then.",
        ),
        (C::SecretsLost, _) => String::from(
            "The portal's key does not open the secrets of this stack, so they can neither be used \
             nor shown. Fill in the form again, and set them anew: it has everything else. An operator \
             can also bring back the key with which they were encrypted.",
        ),
        (C::NoSuchData, _) => format!("There is no such kept data any more, so {so}."),
        (C::DataInUse, _) => {
            format!("The data belongs to a stack by now, or is being deleted, so {so}.")
        }
        (C::DataLost, _) => {
            format!("The volumes of this data are gone from the platform, so {so}.")
        }
        (C::WrongTemplate, _) => format!("The data is that of another template, so {so}."),
        (C::KeptDataFull, _) => String::from(
            "The limit of kept data is reached, so the stack was not removed. Delete some of it, \
             or remove the stack with its data.",
        ),
        (C::OperationUnderWay, _) => {
            format!(
                "Another operation on the stack is under way, so {so}. Wait until it has ended."
            )
        }
        (C::NoLog, _) => format!("The stack has no container now, so {so}."),
        (C::LogUnavailable, _) => format!("The platform does not show the log right now, so {so}."),
        (C::WrongState, _) => format!("The stack is not in a state for that, so {so}."),
        (C::NameTaken, _) => format!("The name is now taken, so {so}."),
        (C::NameHeld, _) => format!(
            "The name is still reserved for the former owner of a removed stack, so {so}. \
                 Choose another name."
        ),
        (C::LimitReached, _) => format!(
            "The limit of stacks or deployments is reached, so {so}. Remove a stack, or try \
                 again once a deployment has ended."
        ),
        (C::TooManyRequests, FormPage::SignIn(_)) => {
            "Too many sign-ins were started in a short time. Try again in a minute.".into()
        }
        // This covers retries as well as starts.
        (C::TooManyRequests, _) => {
            "Too many deployments were started in a short time, so this one was not started. Try \
             again in a minute."
                .into()
        }
        (C::PlatformUnreachable, _) => {
            format!("The platform does not answer, so {so}. Try again in a minute.")
        }
        (C::PlatformTooOld, _) => {
            format!("The platform is too old for this portal, so {so}. An operator must update it.")
        }
        (C::PlatformWedged, _) => {
            format!("The platform hangs, so {so}. The portal has reported this to its operators.")
        }
        (C::PlatformKeyRefused, _) => format!(
            "The platform does not accept the portal's key, so {so}. An operator must \
                 configure another key."
        ),
        (C::SecretKeyMissing, _) => format!(
            "The portal has no key under which it could keep the secrets of a stack, so {so}. \
                 An operator must set one."
        ),
        (C::PortalImpaired, _) => format!(
            "The portal itself is short of something right now, so {so}. Try again in a minute."
        ),
        (C::StoreUnavailable, FormPage::SignIn(_)) => {
            "The portal cannot read or write its database right now. Try again in a moment.".into()
        }
        (C::RevisionChanged, _) => {
            format!("The stack was changed in the meantime, so {so}. Look at it, and decide again.")
        }
        (C::NoSuchRevision, _) => format!("The stack has never had this revision, so {so}."),
        (C::SpecUnknown, _) => format!(
            "An older version of the portal made the stack and did not keep what it is made of, so \
             {so}. Deploy it again to change it."
        ),
        (C::InvalidExpiry, _) => {
            format!("The stack cannot be kept until then, so {so}. Choose another time.")
        }
        (C::StoreUnavailable, _) => {
            "The portal cannot read or write its database right now. Nothing was changed. Try \
             again in a moment."
                .into()
        }
        (C::NotFound, FormPage::Operation | FormPage::Stack) => {
            "This stack is no longer live, so there was nothing to remove.".into()
        }
        (C::NotFound, FormPage::Admin) => "Operation not found. Nothing was changed.".into(),
        (C::NotFound, _) => "Deployment not found. Nothing was changed.".into(),
        (C::TooLate, _) => "It is too late to cancel: the change is done.".into(),
        (C::NotCancellable, _) => "A removal cannot be cancelled. Nothing was changed.".into(),
        (C::AlreadyEnded, _) => "The deployment ended before it could be cancelled.".into(),
        (C::NotEnded, _) => "The deployment has not ended yet, so it was not retried.".into(),
        (C::NameNotClean, _) => {
            "Some of its resources are still being removed, so the deployment was not retried."
                .into()
        }
        (C::NotADeployment, _) => "A removal cannot be retried. Deploy the name instead.".into(),
        (C::AnotherStack, FormPage::Operation) => {
            "Another stack now has this name, so nothing was removed.".into()
        }
        (C::AnotherStack, _) => format!("Another stack now has this name, so {so}."),
        (C::NoSuchPerson, _) => "Person not found. Nobody was signed out.".into(),
        (C::NotSignedIn, _) => "No active sessions or valid tokens.".into(),
        (C::NotStuck, _) => "This operation is no longer stuck. There is nothing to retry.".into(),
        (C::SignInRequired, _) => format!("You are not signed in any more, so {so}."),
        (C::CrossSite, _) => format!("The form was sent from a page of another site, so {so}."),
        (C::UriTooLong, _) => format!("The address is too long, so {so}."),
        (C::BodyTooLarge, _) => format!("What you typed is too long, so {so}."),
        (C::RequestTimeout | C::IncompleteBody, _) => {
            format!("The form did not arrive completely, so {so}. Send it again.")
        }
        (C::InvalidRequest, _) => format!("The form could not be read, so {so}. Fill it in again."),
        (C::SignInDenied, page) => format!(
            "You were not signed in. You cancelled, or {} does not allow you to use this \
                 portal.",
            provider(page)
        ),
        (C::SignInStale, _) => {
            "This sign-in expired, was already completed, or was started in another browser. Sign \
             in again."
                .into()
        }
        (C::ProviderUnreachable, page) => format!(
            "Nobody can sign in right now: {} does not answer. Try again in a minute. Stacks \
                 and deployments are not affected.",
            provider(page)
        ),
        (C::ProviderUnreadable, page) => format!(
            "The answer from {} could not be read, so you were not signed in. Tell the portal's \
                 operator. The portal's log says why.",
            provider(page)
        ),
        (C::ProviderRefused, page) => format!(
            "{} did not accept this portal. Tell the portal's operator. The portal's log says \
                 why.",
            provider(page)
        ),
        (C::IdentityUntrusted, page) => format!(
            "The answer from {} could not be verified, so you were not signed in. Try again. \
                 If this happens again, tell the portal's operator.",
            provider(page)
        ),
        (C::InvalidTokenName, _) => {
            "Give the token a name of 1 to 60 characters that can be seen. No token was created."
                .into()
        }
        (C::TooManyTokens, _) => {
            "You have 20 active tokens, which is the limit. Revoke one that you do not need. No \
             token was created."
                .into()
        }
        (C::NoSuchToken, _) => "This token is already revoked, or it is not yours.".into(),
        // These codes answer programs: no form causes them.
        (
            C::IdRequired
            | C::InvalidFilter
            | C::ScopeMissing
            | C::TokenInvalid
            | C::TooManyStreams
            | C::IdempotencyKeyReused
            | C::IdempotencyKeyInUse
            | C::InvalidIdempotencyKey
            | C::InvalidJson
            | C::InvalidPath
            | C::MethodNotAllowed
            | C::PortalUnreachable
            | C::Internal,
            page,
        ) => failed(page).into(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const PAGES: [FormPage<'static>; 7] = [
        FormPage::Home,
        FormPage::Operation,
        FormPage::Stack,
        FormPage::SignIn("Example Ltd"),
        FormPage::Data,
        FormPage::Account,
        FormPage::Admin,
    ];

    #[test]
    fn every_code_is_a_sentence_without_jargon_on_every_page() {
        for (page, code) in
            PAGES.iter().flat_map(|page| RefusalCode::all().map(move |code| (page, code)))
        {
            let words = of_code(*page, code);
            assert!(words.ends_with('.') && !words.contains(code.as_str()), "{code:?}: {words}");
        }
    }

    /// Every code that a form can cause has a sentence of its own, and no two codes have the same.
    #[test]
    fn a_person_can_tell_the_refusals_apart() {
        for page in PAGES {
            let words = RefusalCode::all().map(|code| of_code(page, code));
            let own: Vec<_> = words.filter(|words| words != failed(page)).collect();
            let different: BTreeSet<_> = own.iter().collect();
            assert_eq!(own.len(), RefusalCode::all().count() - 13, "{page:?}");
            // An incomplete body and a slow one have the same sentence.
            assert_eq!(different.len(), own.len() - 1, "{page:?}");
        }
    }

    #[test]
    fn what_is_no_code_is_never_repeated() {
        for page in PAGES {
            let words = sentence(page, "<script>");
            assert_eq!(words.as_deref(), Some(failed(page)), "{page:?}");
        }
    }

    #[test]
    fn a_refusal_of_the_name_is_left_to_the_verdict_on_the_home_page() {
        for code in ["INVALID_NAME", "NAME_TAKEN"] {
            assert_eq!(sentence(FormPage::Home, code), None);
            assert!(sentence(FormPage::Operation, code).is_some());
        }
        let unreachable = sentence(FormPage::SignIn("Example Ltd"), "PROVIDER_UNREACHABLE");
        assert!(unreachable.unwrap().contains("Example Ltd"));
    }
}
