//! The verdict under the name field, as `islands::name_form` renders it on the server.

use web_sys::Element;

use crate::app::browser::element;
use crate::app::controls::hint::Hint;
use crate::app::words::name_form as words;
use domain::stack_name::StackName;

/// How the address of an offered name begins.
pub(super) const OFFER: &str = "/?name=";

/// Replaces the verdict in `place`.
pub(super) fn show(place: &Element, hint: &Hint, problem: Option<&str>) {
    let lines = match (hint, problem) {
        (Hint::Address(_), None) => [None, None],
        (Hint::Free(url), None) => [free(url), None],
        (Hint::Taken(name, suggestions), _) => [
            element("p", "hint hint--bad", &format!("{name}{}", words::IS_TAKEN)),
            offers(suggestions),
        ],
        (Hint::Refused(sentence), _) => [element("p", "hint hint--bad", sentence), None],
        (Hint::Address(_) | Hint::Free(_), Some(sentence)) => {
            [element("p", "hint hint--bad", sentence), None]
        }
    };
    place.set_text_content(None);
    for line in lines.into_iter().flatten() {
        place.append_child(&line).ok();
    }
}

fn free(url: &str) -> Option<Element> {
    let line = element("p", "hint hint--good", "")?;
    let address = element("span", "hint__address", url)?;
    address.set_attribute("translate", "no").ok()?;
    line.append_child(&address).ok()?;
    line.append_with_str_1(words::IS_AVAILABLE).ok()?;
    Some(line)
}

fn offers(suggestions: &[StackName]) -> Option<Element> {
    if suggestions.is_empty() {
        return None;
    }
    let line = element("p", "hint__offers", words::FREE)?;
    for name in suggestions {
        let offer = element("a", "chip", name.as_str())?;
        offer.set_attribute("href", &format!("{OFFER}{name}")).ok()?;
        offer.set_attribute("translate", "no").ok()?;
        line.append_child(&offer).ok()?;
    }
    Some(line)
}
