//! The form of a template, or of a stack's settings, in the browser: it shows only the questions that are asked, and lets the
//! server check what was answered, after a pause and before the start.
//!
//! The check is the server's, so that it is the same without JavaScript. A failed connection does not
//! replace the page.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::futures::spawn_local;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::{
    Element, Event, FormData, HtmlElement, HtmlFormElement, HtmlInputElement, UrlSearchParams,
};

use crate::app::browser::{Parsed, all, element, listen, on_return, pause, post_fields, say};
use crate::app::words::problems::problems;
use domain::read::{Json, field};
use domain::refusal::RefusalCode;

/// The pause in milliseconds after typing, until the server checks the answers.
const PAUSE_MS: u32 = 300;
/// The elements that answers are given with.
const FIELDS: &str = ":is(input,textarea)";

/// The form: its elements and its state.
struct QuestionForm {
    form: HtmlFormElement,
    button: Element,
    status: Element,
    /// What is wrong, summed up.
    summary: Element,
    /// The address of the check.
    check: String,
    /// The label of the button, and that while the form is sent.
    label: String,
    busy: String,
    /// The keys of the questions that were answered. Only their problems are shown.
    answered: RefCell<Vec<String>>,
    /// The number of edits so far. A check that waits is forgotten when it has grown.
    edits: Cell<u32>,
    /// True while a start is requested.
    is_posting: Cell<bool>,
}

/// Starts the form in `island`.
#[wasm_bindgen]
pub fn question_form(island: Element) {
    if let Some(form) = QuestionForm::of(&island) {
        form.start();
    }
}

impl QuestionForm {
    fn of(island: &Element) -> Option<Rc<Self>> {
        let find = |selected: &str| island.query_selector(selected).ok().flatten();
        let button = find("button[type=submit]")?;
        Some(Rc::new(Self {
            form: find("form")?.dyn_into().ok()?,
            label: button.text_content()?,
            button,
            status: find(".questions__status")?,
            summary: find(".problems")?,
            check: island.get_attribute("data-check")?,
            busy: island.get_attribute("data-busy")?,
            answered: RefCell::default(),
            edits: Cell::new(0),
            is_posting: Cell::new(false),
        }))
    }

    fn start(self: Rc<Self>) {
        self.show_asked();
        let form = Rc::clone(&self);
        listen(&self.form, "input", move |event| form.edit(&event));
        let form = Rc::clone(&self);
        listen(&self.form, "click", move |event| form.pick_name(&event));
        let form = Rc::clone(&self);
        listen(&self.button, "click", move |_| form.unfold());
        let form = Rc::clone(&self);
        listen(&self.form, "submit", move |event| {
            event.prevent_default();
            form.submit();
        });
        on_return(move || self.set_posting(false));
    }

    /// Unfolds what the browser will point at: it says nothing about a folded field, and sends nothing.
    fn unfold(&self) {
        for details in all(&self.form, "details:has(:invalid)") {
            // The attribute's name is a valid one, so that this cannot fail.
            details.toggle_attribute_with_force("open", true).ok();
        }
    }

    /// Shows the questions that are asked with the answers so far. The others are not sent.
    fn show_asked(&self) {
        for question in all(&self.form, "[data-when]") {
            let data = |name| question.get_attribute(name).unwrap_or_default();
            let is_asked = self.answer(&data("data-when")) == Some(data("data-equals"));
            // The attributes' names are valid ones, so that this cannot fail.
            question.toggle_attribute_with_force("hidden", !is_asked).ok();
            for field in all(&question, FIELDS) {
                field.toggle_attribute_with_force("disabled", !is_asked).ok();
            }
        }
    }

    /// Returns the answer to an earlier question as the form sends it; `None` if that is not asked.
    fn answer(&self, key: &str) -> Option<String> {
        let fields = FormData::new_with_form(&self.form).ok()?;
        fields.get_all(&format!("p.{key}")).iter().last()?.as_string()
    }

    /// Lets the server check the answers after a pause.
    fn edit(self: &Rc<Self>, event: &Event) {
        let field = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        if let Some(field) = field {
            pick_own(&field);
            if let Some(key) = key_of(&field) {
                self.note(key);
            }
        }
        self.show_asked();
        self.check_soon();
    }

    /// Puts a free name that is offered into the field of the name, and checks it.
    fn pick_name(self: &Rc<Self>, event: &Event) {
        let pressed = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let offer = pressed.and_then(|pressed| pressed.closest("#offers-name a").ok().flatten());
        let Some(name) = offer.and_then(|offer| offer.text_content()) else { return };
        let field = self.form.query_selector("[name=name]").ok().flatten();
        if let Some(field) = field.and_then(|field| field.dyn_into::<HtmlInputElement>().ok()) {
            event.prevent_default();
            field.set_value(&name);
            field.focus().ok();
            self.note(String::from("name"));
            self.check_soon();
        }
    }

    fn check_soon(self: &Rc<Self>) {
        let (form, number) = (Rc::clone(self), self.edits.get().wrapping_add(1));
        self.edits.set(number);
        spawn_local(async move {
            pause(PAUSE_MS).await;
            if form.edits.get() == number && !form.is_posting.get() {
                form.ask().await;
            }
        });
    }

    fn note(&self, key: String) {
        let mut answered = self.answered.borrow_mut();
        if !answered.contains(&key) {
            answered.push(key);
        }
    }

    fn submit(self: &Rc<Self>) {
        if self.is_posting.get() {
            return;
        }
        self.set_posting(true);
        all(&self.form, FIELDS).iter().filter_map(key_of).for_each(|key| self.note(key));
        let form = Rc::clone(self);
        spawn_local(async move {
            match form.ask().await {
                Some(false) => {
                    // This fails only while the page is being left.
                    form.form.submit().ok();
                }
                Some(true) => {
                    form.set_posting(false);
                    form.sum_up();
                }
                None => form.set_posting(false),
            }
        });
    }

    /// Lets the server check the answers, and shows what is wrong. Returns whether anything is; `None`
    /// if there is no answer.
    async fn ask(&self) -> Option<bool> {
        let fields = FormData::new_with_form(&self.form).ok()?;
        let fields = UrlSearchParams::new_with_str_sequence_sequence(&fields).ok()?;
        let number = self.edits.get();
        let verdict = post_fields(&self.check, &String::from(fields.to_string())).await;
        if number != self.edits.get() && !self.is_posting.get() {
            return None;
        }
        match verdict {
            Ok(verdict) => {
                say(&self.status, "");
                self.show(&verdict)
            }
            // The answer to the form leads to the sign-in, and from there back to it.
            Err(refused)
                if self.is_posting.get()
                    && refused.code == <&str>::from(RefusalCode::SignInRequired) =>
            {
                Some(false)
            }
            Err(refused) => {
                say(&self.status, &refused.message);
                None
            }
        }
    }

    /// Shows the verdict on what was answered. Returns whether anything is wrong.
    fn show(&self, verdict: &Parsed) -> Option<bool> {
        let problems = verdict.get("fields")?;
        let mut is_any = false;
        for key in &*self.answered.borrow() {
            let sentence =
                problems.get(key).and_then(|problem| field::<String, _>(&problem, "message"));
            is_any |= sentence.is_some();
            let find =
                |id: &str| self.form.query_selector(&format!("[id='{id}-{key}']")).ok().flatten();
            if let Some(place) = find("problem") {
                say(&place, sentence.as_deref().unwrap_or_default());
            }
            if let Some(field) = find("field") {
                match sentence {
                    Some(_) => field.set_attribute("aria-invalid", "true").ok(),
                    None => field.remove_attribute("aria-invalid").ok(),
                };
            }
        }
        if self.answered.borrow().iter().any(|key| key == "name") {
            self.offer(&field::<Vec<String>, _>(verdict, "offers").unwrap_or_default());
        }
        if let (Some(url), Ok(Some(place))) = (
            field::<String, _>(verdict, "url"),
            self.form.query_selector("#about-name [translate]"),
        ) {
            say(&place, &url);
        }
        Some(is_any)
    }

    /// Shows free names in place of a taken one, as the page does.
    fn offer(&self, names: &[String]) {
        let Ok(Some(place)) = self.form.query_selector("#offers-name") else { return };
        all(&place, "a").iter().for_each(Element::remove);
        // The attributes' names are valid ones, so that this cannot fail.
        place.toggle_attribute_with_force("hidden", names.is_empty()).ok();
        for offer in names.iter().filter_map(|name| element("a", "chip", name)) {
            offer.set_attribute("href", "#field-name").ok();
            offer.set_attribute("translate", "no").ok();
            place.append_child(&offer).ok();
        }
    }

    /// Sums up what is wrong, each with a link to its field, and moves the focus there. Unfolds what
    /// the fields are in.
    fn sum_up(&self) {
        let find = |selected: &str| self.summary.query_selector(selected).ok().flatten();
        let (Some(heading), Some(list)) = (find("h2"), find("ul")) else { return };
        list.set_text_content(None);
        let mut count = 0;
        for question in all(&self.form, ".question") {
            let problem = question.query_selector(".hint--bad").ok().flatten();
            let sentence = problem.and_then(|problem| problem.text_content()).unwrap_or_default();
            if sentence.is_empty() {
                continue;
            }
            count += 1;
            if let Ok(Some(details)) = question.closest("details") {
                details.toggle_attribute_with_force("open", true).ok();
            }
            if let Some(line) = line_of(&question, &sentence) {
                list.append_child(&line).ok();
            }
        }
        say(&heading, &problems(count));
        self.summary.toggle_attribute_with_force("hidden", false).ok();
        if let Some(summary) = self.summary.dyn_ref::<HtmlElement>() {
            summary.focus().ok();
        }
    }

    fn set_posting(&self, is_posting: bool) {
        self.is_posting.set(is_posting);
        self.button.toggle_attribute_with_force("disabled", is_posting).ok();
        say(&self.button, if is_posting { &self.busy } else { &self.label });
    }
}

/// Picks "something else" when a value of one's own is typed.
fn pick_own(field: &Element) {
    let is_own =
        field.get_attribute("name").is_some_and(|name| name.strip_suffix(".other").is_some());
    let pick = is_own.then(|| field.previous_element_sibling()?.first_element_child()).flatten();
    if let Some(pick) = pick.and_then(|pick| pick.dyn_into::<HtmlInputElement>().ok()) {
        pick.set_checked(true);
    }
}

/// Makes the line of the summary about a question.
fn line_of(question: &Element, sentence: &str) -> Option<Element> {
    let link = element("a", "", &question.get_attribute("data-label")?)?;
    link.set_attribute("href", &format!("#field-{}", question.get_attribute("data-key")?)).ok()?;
    let (line, text) = (element("li", "", "")?, element("span", "", &format!(": {sentence}"))?);
    line.append_child(&link).ok()?;
    line.append_child(&text).ok()?;
    Some(line)
}

/// Returns the key of the question that a field is for.
fn key_of(field: &Element) -> Option<String> {
    let name = field.get_attribute("name")?;
    let key = name.strip_prefix("p.").or(name.strip_prefix("s.")).unwrap_or(&name);
    let key = key.strip_suffix(".other").unwrap_or(key);
    (!name.starts_with("k.")).then(|| key.to_owned())
}
