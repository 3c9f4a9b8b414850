//! The reason why a form that was posted as a plain form came back.

/// Says what the refusal's `code` means on the home page, where the name's own verdict does
/// not say it.
pub(crate) fn of_start(code: &str) -> Option<&'static str> {
    match code {
        "INVALID_NAME" | "NAME_TAKEN" => None,
        "NOT_FOUND" => Some("Deployment not found. Nothing was changed."),
        "PLATFORM_UNREACHABLE" => {
            Some("The platform does not answer, so nothing was started. Try again in a minute.")
        }
        "PORTAL_IMPAIRED" => Some(
            "The portal itself is short of something right now, so nothing was started. \
             Try again in a minute.",
        ),
        "PLATFORM_TOO_OLD" => Some(
            "The platform is too old for this portal, so nothing was started. An operator must \
             update it.",
        ),
        "PLATFORM_WEDGED" => Some(
            "The platform hangs, so nothing was started. The portal has reported this to its \
             operators.",
        ),
        "PLATFORM_KEY_REFUSED" => Some(
            "The platform does not accept the portal's key, so nothing was started. An operator \
             must configure another key.",
        ),
        "SECRET_KEY_MISSING" => Some(
            "The portal has no key under which it could keep the secrets of a stack, so nothing \
             was started. An operator must set one.",
        ),
        "TOO_MANY_REQUESTS" => Some(
            "Too many deployments were started in a short time, so this one was not started. Try \
             again in a minute.",
        ),
        _ => Some(
            "The portal could not complete the request. Nothing was changed. Try again in a \
             moment.",
        ),
    }
}

/// Says what the refusal's `code` means on the page of the deployment that was to be
/// cancelled or tried again, or whose stack was to be removed.
pub(crate) fn of_operation(code: &str) -> &'static str {
    match code {
        "ALREADY_ENDED" => "The deployment ended before it could be cancelled.",
        "NOT_ENDED" => "The deployment has not ended yet, so it was not retried.",
        "NAME_NOT_CLEAN" => {
            "Some of its resources are still being removed, so the deployment was not retried."
        }
        "NAME_TAKEN" => "The name is now taken, so the deployment was not retried.",
        "PLATFORM_UNREACHABLE" => {
            "The platform does not answer, so the deployment was not retried. Try again in a \
             minute."
        }
        "PORTAL_IMPAIRED" => {
            "The portal itself is short of something right now, so it was not tried again. \
             Try it in a minute."
        }
        "PLATFORM_TOO_OLD" => {
            "The platform is too old for this portal, so the deployment was not retried. An \
             operator must update it."
        }
        "PLATFORM_WEDGED" => {
            "The platform hangs, so the deployment was not retried. The portal has reported this \
             to its operators."
        }
        "PLATFORM_KEY_REFUSED" => {
            "The platform does not accept the portal's key, so the deployment was not retried. An \
             operator must configure another key."
        }
        "SECRET_KEY_MISSING" => {
            "The portal has no key under which it could keep the secrets of a stack, so the \
             deployment was not retried. An operator must set one."
        }
        // It may have been tried again by another press.
        "TOO_MANY_REQUESTS" => {
            "Too many deployments were started in a short time, so this one was not started. Try \
             again in a minute."
        }
        // What cannot be found is another page's matter; this page's own is a stack.
        "NOT_FOUND" => "This stack is no longer live, so there was nothing to remove.",
        "ANOTHER_STACK" => "Another stack now has this name, so nothing was removed.",
        _ => {
            "The portal could not complete the request. Nothing was changed. Try again in a \
             moment."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_of_the_name_is_left_to_the_verdict_and_every_other_is_a_sentence() {
        assert_eq!(of_start("NAME_TAKEN"), None);
        for code in [
            "PLATFORM_UNREACHABLE",
            "PORTAL_IMPAIRED",
            "PLATFORM_TOO_OLD",
            "PLATFORM_KEY_REFUSED",
            "PLATFORM_WEDGED",
            "SECRET_KEY_MISSING",
            "TOO_MANY_REQUESTS",
            "INTERNAL",
            "<script>",
        ] {
            assert!(of_start(code).is_some_and(|sentence| sentence.ends_with('.')), "{code}");
        }
    }

    #[test]
    fn whatever_stood_in_the_way_on_a_deployments_page_is_a_sentence() {
        let unknown = of_operation("<script>");
        for code in [
            "ALREADY_ENDED",
            "NOT_ENDED",
            "NAME_NOT_CLEAN",
            "NAME_TAKEN",
            "PLATFORM_UNREACHABLE",
            "PORTAL_IMPAIRED",
            "PLATFORM_TOO_OLD",
            "PLATFORM_KEY_REFUSED",
            "PLATFORM_WEDGED",
            "SECRET_KEY_MISSING",
            "TOO_MANY_REQUESTS",
        ] {
            let sentence = of_operation(code);
            assert!(sentence.ends_with('.') && sentence != unknown, "{code}: {sentence}");
        }
        assert!(unknown.ends_with('.'), "{unknown}");
        for code in ["NOT_FOUND", "ANOTHER_STACK"] {
            assert!(of_operation(code).contains("remove"), "{code}");
        }
        assert_eq!(
            of_operation("ALREADY_ENDED"),
            "The deployment ended before it could be cancelled."
        );
    }
}
