//! Why a form posted without JavaScript came back.

/// Says what the refusal's `code` means, where the name's own verdict does not say it.
pub(crate) fn sentence(code: &str) -> Option<&'static str> {
    match code {
        "INVALID_NAME" | "NAME_TAKEN" => None,
        "PLATFORM_UNREACHABLE" => {
            Some("The platform does not answer, so nothing was started. Try again in a minute.")
        }
        "PLATFORM_TOO_OLD" => Some(
            "The platform is too old for this portal, so nothing was started. \
             An operator has to update it.",
        ),
        "TOO_MANY_REQUESTS" => Some(
            "There were too many starts in a short time, so this one was not made. \
             Try again in a minute.",
        ),
        _ => Some("The portal could not start it. Nothing was made: try again in a moment."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_of_the_name_is_left_to_the_verdict_and_every_other_is_a_sentence() {
        assert_eq!(sentence("NAME_TAKEN"), None);
        for code in [
            "PLATFORM_UNREACHABLE",
            "PLATFORM_TOO_OLD",
            "TOO_MANY_REQUESTS",
            "INTERNAL",
            "<script>",
        ] {
            assert!(sentence(code).is_some_and(|sentence| sentence.ends_with('.')), "{code}");
        }
    }
}
