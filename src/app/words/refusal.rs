//! The reason why a form that was posted as a plain form came back.

/// Says what the refusal's `code` means on the home page, where the name's own verdict does
/// not say it.
pub(crate) fn of_start(code: &str) -> Option<&'static str> {
    match code {
        "INVALID_NAME" | "NAME_TAKEN" => None,
        "NOT_FOUND" => Some("There is no such deployment, so nothing was changed."),
        "PLATFORM_UNREACHABLE" => {
            Some("The platform does not answer, so nothing was started. Try again in a minute.")
        }
        "PORTAL_IMPAIRED" => Some(
            "The portal itself is short of something right now, so nothing was started. \
             Try again in a minute.",
        ),
        "PLATFORM_TOO_OLD" => Some(
            "The platform is too old for this portal, so nothing was started. \
             An operator has to update it.",
        ),
        "PLATFORM_WEDGED" => Some(
            "The platform hangs, so nothing was started. This is known, and its operators are told \
             what to do.",
        ),
        "PLATFORM_KEY_REFUSED" => Some(
            "The platform does not accept the portal's key, so nothing was started. \
             An operator has to give the portal another one.",
        ),
        "TOO_MANY_REQUESTS" => Some(
            "There were too many starts in a short time, so this one was not made. \
             Try again in a minute.",
        ),
        _ => Some("The portal could not do it. Nothing was changed: try again in a moment."),
    }
}

/// Says what the refusal's `code` means on the page of the deployment that was to be
/// cancelled or tried again, or whose stack was to be removed.
pub(crate) fn of_operation(code: &str) -> &'static str {
    match code {
        "ALREADY_ENDED" => "It ended before it could be cancelled.",
        "NOT_ENDED" => "It has not ended yet, so it was not tried again.",
        "NAME_NOT_CLEAN" => {
            "Something of it is left and still being removed, so it was not tried again."
        }
        "NAME_TAKEN" => "The name is taken by now, so it was not tried again.",
        "PLATFORM_UNREACHABLE" => {
            "The platform does not answer, so it was not tried again. Try it in a minute."
        }
        "PORTAL_IMPAIRED" => {
            "The portal itself is short of something right now, so it was not tried again. \
             Try it in a minute."
        }
        "PLATFORM_TOO_OLD" => {
            "The platform is too old for this portal, so it was not tried again. \
             An operator has to update it."
        }
        "PLATFORM_WEDGED" => {
            "The platform hangs, so it was not tried again. This is known, and its operators are \
             told what to do."
        }
        "PLATFORM_KEY_REFUSED" => {
            "The platform does not accept the portal's key, so it was not tried again. \
             An operator has to give the portal another one."
        }
        // It may have been tried again by another press.
        "TOO_MANY_REQUESTS" => {
            "There were too many starts in a short time, so this one was not made. \
             Try again in a minute."
        }
        // What cannot be found is another page's matter; this page's own is a stack.
        "NOT_FOUND" => "This stack is not live any more, so there was nothing to remove.",
        "ANOTHER_STACK" => "Another stack has the name by now, so nothing was removed.",
        _ => "The portal could not do it. Nothing was changed: try again in a moment.",
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
            "TOO_MANY_REQUESTS",
        ] {
            let sentence = of_operation(code);
            assert!(sentence.ends_with('.') && sentence != unknown, "{code}: {sentence}");
        }
        assert!(unknown.ends_with('.'), "{unknown}");
        for code in ["NOT_FOUND", "ANOTHER_STACK"] {
            assert!(of_operation(code).contains("remove"), "{code}");
        }
        assert_eq!(of_operation("ALREADY_ENDED"), "It ended before it could be cancelled.");
    }
}
