//! The name form in the browser: input is checked against the rules at once, and by the server after
//! a pause.
//!
//! It calls the same server function as the form without JavaScript, so that errors are shown in
//! place and a failed connection does not replace the page. Whatever it changes is an element that is
//! replaced as a whole: see `renewed`.

mod hint_lines;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::futures::spawn_local;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::{Element, HtmlInputElement};

use super::hint::{Hint, Typing, hint};
use crate::app::browser::{
    Parsed, Refused, check_name, go_to, listen, nearest, on_return, pause, post, say,
};
use crate::app::words::buttons::{START_STACK, STARTING};
use crate::wire::{AddressPattern, NameVerdict};
use domain::read::FromJson;
use domain::refusal::RefusalCode;
use domain::stack_name::StackName;

/// The pause in milliseconds after typing, until the server checks the name.
const PAUSE_MS: u32 = 300;

/// The form: its elements and its state.
struct NameForm {
    input: HtmlInputElement,
    button: Element,
    address: Element,
    verdict: Element,
    action: String,
    pattern: AddressPattern,
    field: RefCell<Field>,
    /// What the page shows.
    shown: RefCell<Shown>,
    /// The number of texts so far. A check that waits is forgotten when it has grown.
    texts: Cell<u32>,
}

/// The state of the name field.
struct Field {
    text: String,
    typing: Typing,
    verdict: Option<NameVerdict>,
    /// The problem that prevented a start, if not the name.
    problem: Option<String>,
    /// True while a start is requested. After success, the browser is navigating to the deployment.
    is_posting: bool,
}

/// What is shown of a field.
#[derive(PartialEq)]
struct Shown {
    hint: Hint,
    problem: Option<String>,
    is_posting: bool,
}

/// Starts the form in `island`, whose attributes have what the server rendered it from.
#[wasm_bindgen]
pub fn name_form(island: Element) {
    if let Some(form) = NameForm::of(&island) {
        form.start(&island);
    }
}

impl NameForm {
    fn of(island: &Element) -> Option<Rc<Self>> {
        let find = |selected: &str| island.query_selector(selected).ok().flatten();
        let data = |name: &str| island.get_attribute(name);
        let input: HtmlInputElement = find("input")?.dyn_into().ok()?;
        let pattern = AddressPattern { before: data("data-before")?, after: data("data-after")? };
        let known =
            data("data-verdict").and_then(|text| FromJson::from_json(&Parsed::parse(&text)?));
        let field = Field {
            text: input.get_attribute("value").unwrap_or_default(),
            typing: Typing::at_first(known.as_ref()),
            verdict: known,
            problem: data("data-problem"),
            is_posting: false,
        };
        Some(Rc::new(Self {
            input,
            button: find("button")?,
            address: find("#name-address")?,
            verdict: find("#name-verdict")?,
            action: find("form")?.get_attribute("action")?,
            shown: RefCell::new(field.shown(&pattern)),
            pattern,
            field: RefCell::new(field),
            texts: Cell::new(0),
        }))
    }

    fn start(self: Rc<Self>, island: &Element) {
        // Text that was typed before this code started is only in the input element.
        let typed = self.input.value();
        if typed != self.field.borrow().text {
            self.type_in(typed);
        }
        let form = Rc::clone(&self);
        listen(island, "input", move |_| form.type_in(form.input.value()));
        let form = Rc::clone(&self);
        listen(&self.input, "blur", move |_| {
            form.change(|field| {
                if field.typing == Typing::Ongoing {
                    field.typing = Typing::Left;
                }
            });
        });
        let form = Rc::clone(&self);
        listen(island, "submit", move |event| {
            event.prevent_default();
            form.submit();
        });
        let form = Rc::clone(&self);
        listen(&self.verdict, "click", move |event| {
            let href = nearest(&event, "a").and_then(|link| link.get_attribute("href"));
            if let Some(name) =
                href.as_deref().and_then(|href| href.strip_prefix(hint_lines::OFFER))
            {
                event.prevent_default();
                form.choose(name);
            }
        });
        on_return(move || self.change(|field| field.is_posting = false));
    }

    /// Sets the text, and lets the server check it after a pause.
    fn type_in(self: &Rc<Self>, text: String) {
        self.change(|field| {
            field.problem = None;
            field.typing = Typing::Ongoing;
            field.text = text;
        });
        let (form, number) = (Rc::clone(self), self.forget());
        spawn_local(async move {
            pause(PAUSE_MS).await;
            if form.texts.get() == number {
                form.ask();
            }
        });
    }

    /// Forgets the check that is about to be made, so that the same is not asked twice.
    fn forget(&self) -> u32 {
        let number = self.texts.get().wrapping_add(1);
        self.texts.set(number);
        number
    }

    /// Puts another name into the field.
    fn choose(self: &Rc<Self>, name: &str) {
        self.input.set_value(name);
        self.type_in(name.to_owned());
        self.focus();
    }

    fn submit(self: &Rc<Self>) {
        self.change(|field| {
            field.problem = None;
            field.typing = Typing::Submitted;
        });
        if self.shown.borrow().hint.is_refusal() {
            // The name may have become available meanwhile.
            self.ask();
            self.focus();
        } else if !self.field.borrow().is_posting {
            self.change(|field| field.is_posting = true);
            let (form, name) = (Rc::clone(self), self.field.borrow().text.clone());
            spawn_local(async move {
                match post(&form.action, "name", &name).await {
                    Ok(deployment) => go_to(&deployment),
                    Err(refused) => form.refuse(refused),
                }
            });
        }
    }

    /// Shows why the server refused to start, and checks the name again, which may be the reason.
    fn refuse(self: &Rc<Self>, Refused { code, message }: Refused) {
        self.change(|field| field.is_posting = false);
        if code == <&str>::from(RefusalCode::SignInRequired) {
            // The name was valid, so it needs no escaping.
            let name = &self.field.borrow().text;
            return go_to(&format!("/sign-in?return_to=/?name={name}"));
        }
        self.change(|field| field.problem = Some(message));
        self.ask();
    }

    /// Lets the server check the text of the field, also if it is about to. A late answer is about
    /// another name, and is therefore ignored by [`hint`].
    fn ask(self: &Rc<Self>) {
        self.forget();
        let (form, text) = (Rc::clone(self), self.field.borrow().text.clone());
        if StackName::for_new_stack(&text).is_err() {
            return;
        }
        spawn_local(async move {
            if let Some(verdict) = check_name(&text).await {
                form.change(|field| field.verdict = Some(verdict));
            }
        });
    }

    /// Changes the state, and then what is shown of it.
    fn change(&self, change: impl FnOnce(&mut Field)) {
        change(&mut self.field.borrow_mut());
        let next = self.field.borrow().shown(&self.pattern);
        let last = self.shown.replace(next);
        self.show(&last, &self.shown.borrow());
    }

    /// Shows what differs. An attribute's name is a valid one, so that setting it cannot fail.
    fn show(&self, last: &Shown, next: &Shown) {
        if last.is_posting != next.is_posting {
            self.button.toggle_attribute_with_force("disabled", next.is_posting).ok();
            say(&self.button, if next.is_posting { STARTING } else { START_STACK });
        }
        if last.hint.address() != next.hint.address() {
            say(&self.address, next.hint.address());
        }
        if (&last.hint, &last.problem) != (&next.hint, &next.problem) {
            hint_lines::show(&self.verdict, &next.hint, next.problem.as_deref());
        }
        if next.hint.is_refusal() {
            self.input.set_attribute("aria-invalid", "true").ok();
        } else {
            self.input.remove_attribute("aria-invalid").ok();
        }
    }

    fn focus(&self) {
        // This fails only for elements that cannot have the focus.
        self.input.focus().ok();
    }
}

impl Field {
    fn shown(&self, pattern: &AddressPattern) -> Shown {
        let hint = hint(&self.text, self.typing, self.verdict.as_ref(), pattern);
        Shown { hint, problem: self.problem.clone(), is_posting: self.is_posting }
    }
}
