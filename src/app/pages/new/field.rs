//! The fields of a template's form, one for each kind of question.

use leptos::prelude::*;

use crate::app::words::account::minute;
use crate::app::words::new as words;
use crate::server::stacks::form::{
    AskedIf, Control, FORGET_FIELD, Field, KEPT_FIELD, LATER_FIELD, Pick, PresentSecret,
};
use domain::template::answers::{CLEAR_FIELD, OTHER_FIELD, PARAMETER_FIELD, SECRET_FIELD, SIZE};

/// The number of rows of a field of several lines.
const ROWS: u32 = 4;

/// Returns the id of the field of a question.
pub(in crate::app::pages) fn id_of(key: &str) -> String {
    format!("field-{key}")
}

/// Returns the ids of what describes the field of a question.
fn described_by(key: &str) -> String {
    format!("problem-{key} about-{key}")
}

/// Renders what is wrong with a field. The element is there in any case: the page's code writes into
/// it.
#[component]
pub fn Problem(
    /// The key of the question.
    key: String,
    /// What is wrong.
    sentence: Option<String>,
) -> impl IntoView {
    view! {
        <p id=format!("problem-{key}") class="hint hint--bad" role="status">
            {sentence}
        </p>
    }
}

/// Renders the sizes.
#[component]
pub fn SizeChoice(
    /// The sizes.
    sizes: Vec<Pick>,
    /// Whether the size is from a link.
    is_from_link: bool,
    /// What is wrong.
    problem: Option<String>,
) -> impl IntoView {
    let from_link = is_from_link
        .then(|| view! { <p class="question__help question__from-link">{words::FROM_LINK}</p> });
    (!sizes.is_empty()).then(|| {
        view! {
            <fieldset
                class="question"
                id=id_of(SIZE)
                tabindex="-1"
                aria-describedby=format!("problem-{SIZE}")
                data-key=SIZE
                data-label=words::SIZE
            >
                <legend>{words::SIZE}</legend>
                {from_link} <Problem key=SIZE.to_owned() sentence=problem />
                <Picks picks=sizes name=SIZE.to_owned() />
            </fieldset>
        }
    })
}

/// Renders values to pick from.
#[component]
fn Picks(
    /// The values.
    picks: Vec<Pick>,
    /// The name of the field.
    name: String,
) -> impl IntoView {
    let pick = |pick: Pick| {
        let help = pick.help.or_else(|| pick.limits.map(words::limits));
        let help = help.map(|help| view! { <span class="question__help">{help}</span> });
        view! {
            <label class="pick">
                <input type="radio" name=name.clone() value=pick.value checked=pick.is_picked />
                <span>{pick.label} {help}</span>
            </label>
        }
    };
    picks.into_iter().map(pick).collect_view()
}

/// Renders a question.
#[component]
pub fn FieldRow(
    /// The question.
    field: Field,
    /// What is wrong with its answer.
    problem: Option<String>,
) -> impl IntoView {
    let Field { key, label, help, control, is_required, is_from_link, is_folded, later, asked_if } =
        field;
    let is_optional = !is_required && !matches!(control, Control::Tick { .. });
    let optional =
        is_optional.then(|| view! { <span class="question__optional">{words::OPTIONAL}</span> });
    let condition = asked_if.as_ref().map(|earlier| {
        view! { <p class="question__help question__condition">{words::asked_if(earlier)}</p> }
    });
    let from_link = is_from_link
        .then(|| view! { <p class="question__help question__from-link">{words::FROM_LINK}</p> });
    let help = help.map(|help| view! { <p>{help}</p> });
    let note = later.map(|later| words::if_left_empty(later).to_owned()).or_else(|| note(&control));
    let note = note.map(|note| view! { <p>{note}</p> });
    let later = later.map(|_| {
        view! { <input type="hidden" name=format!("{LATER_FIELD}{key}") value="1" /> }
    });
    let about = view! {
        <div id=format!("about-{key}") class="question__help">
            {help} {note} {later}
        </div>
    };
    let (when, equals) = asked_if.map(|AskedIf { key, value, .. }| (key, value)).unzip();
    // What is folded away could not be pointed at.
    let is_required = is_required && when.is_none() && !is_folded;
    let entry = Entry { is_required, is_bad: problem.is_some() };
    let problem = view! { <Problem key=key.clone() sentence=problem /> };
    let (id, data_key, data_label) = (id_of(&key), key.clone(), label.clone());
    let described = described_by(&key);
    match &control {
        Control::Choice { .. } => view! {
            <fieldset class="question" id=id tabindex="-1" aria-describedby=described data-key=data_key data-label=data_label data-when=when data-equals=equals>
                <legend>{label} " " {optional}</legend>
                {condition} {from_link} {problem} <ControlOf key control entry /> {about}
            </fieldset>
        }
        .into_any(),
        Control::Tick { .. } => view! {
            <div class="question" data-key=data_key data-label=data_label data-when=when data-equals=equals>
                <label class="pick" for=id>
                    <ControlOf key control entry />
                    <span>{label}</span>
                </label>
                {condition}
                {from_link}
                {problem}
                {about}
            </div>
        }
        .into_any(),
        Control::Line { .. }
        | Control::Lines { .. }
        | Control::Number { .. }
        | Control::Secret { .. } => view! {
            <div class="question" data-key=data_key data-label=data_label data-when=when data-equals=equals>
                <label for=id>{label} " " {optional}</label>
                {condition}
                {from_link}
                <ControlOf key control entry />
                {problem}
                {about}
            </div>
        }
        .into_any(),
    }
}

/// Returns what the way of asking needs to be explained.
fn note(control: &Control) -> Option<String> {
    match control {
        Control::Secret { kept: Some(_), .. } => Some(words::SECRET_KEPT.to_owned()),
        Control::Secret { present: Some(present), .. } => {
            let PresentSecret { fingerprint, set_at, .. } = present;
            Some(words::secret_is_set(fingerprint, set_at.map(minute).as_deref()))
        }
        Control::Secret { is_generated: true, .. } => Some(words::SECRET_GENERATED.to_owned()),
        Control::Lines { max: None, .. } => Some(words::ONE_PER_LINE.to_owned()),
        Control::Secret { .. }
        | Control::Lines { .. }
        | Control::Line { .. }
        | Control::Number { .. }
        | Control::Tick { .. }
        | Control::Choice { .. } => None,
    }
}

/// How a control behaves.
#[derive(Clone, Copy)]
struct Entry {
    /// Whether the browser may insist on an answer.
    is_required: bool,
    /// Whether the answer was refused.
    is_bad: bool,
}

/// Renders what is typed into, ticked or picked.
#[component]
fn ControlOf(
    /// The key of the question.
    key: String,
    /// How it is asked.
    control: Control,
    /// How it behaves.
    entry: Entry,
) -> impl IntoView {
    let (id, name) = (id_of(&key), format!("{PARAMETER_FIELD}{key}"));
    let described = described_by(&key);
    let (required, invalid) = (entry.is_required, entry.is_bad.then_some("true"));
    match control {
        Control::Line { value, max } => view! {
            <input
                id=id
                name=name
                type="text"
                value=value
                maxlength=max
                required=required
                autocomplete="off"
                aria-invalid=invalid
                aria-describedby=described
            />
        }
        .into_any(),
        Control::Lines { value, max } => view! {
            <textarea
                id=id
                name=name
                rows=ROWS
                maxlength=max
                required=required
                aria-invalid=invalid
                aria-describedby=described
            >
                // A browser drops the first end of a line.
                {format!("\n{value}")}
            </textarea>
        }
        .into_any(),
        Control::Number { value, min, max, step, unit } => view! {
            <span class="question__number">
                <input
                    id=id
                    name=name
                    type="number"
                    inputmode="decimal"
                    value=value
                    min=min
                    max=max
                    step=step
                    required=required
                    aria-invalid=invalid
                    aria-describedby=match unit {
                        Some(_) => format!("unit-{key} {described}"),
                        None => described,
                    }
                />
                {unit.map(|unit| view! { <span id=format!("unit-{key}")>{unit}</span> })}
            </span>
        }
        .into_any(),
        Control::Tick { is_on } => view! {
            <input type="hidden" name=name.clone() value="false" />
            <input
                id=id
                name=name
                type="checkbox"
                value="true"
                checked=is_on
                aria-invalid=invalid
                aria-describedby=described
            />
        }
        .into_any(),
        Control::Choice { picks, other } => {
            let is_any_picked = picks.iter().any(|pick| pick.is_picked);
            let other = other.map(|own| {
                view! {
                    <div>
                        <label class="pick">
                            <input
                                type="radio"
                                name=name.clone()
                                value=""
                                checked=!is_any_picked && !own.is_empty()
                            />
                            <span>{words::OTHER}</span>
                        </label>
                        <input
                            type="text"
                            name=format!("{name}{OTHER_FIELD}")
                            value=own
                            autocomplete="off"
                            aria-label=words::OTHER
                        />
                    </div>
                }
            });
            view! {
                <Picks picks name />
                {other}
            }
            .into_any()
        }
        Control::Secret { is_multiline, is_generated, kept, present } => {
            let required = required && !is_generated && kept.is_none() && present.is_none();
            let name = format!("{SECRET_FIELD}{key}");
            let clear = present.filter(|present| present.can_be_removed && kept.is_none());
            let clear = clear.map(|present| {
                view! {
                    <label class="pick">
                        <input
                            name=format!("{CLEAR_FIELD}{key}")
                            type="checkbox"
                            value="1"
                            checked=present.is_removed
                        />
                        <span>{words::CLEAR}</span>
                    </label>
                }
            });
            let kept = kept.map(|sealed| view! { <Kept key sealed /> });
            let field = if is_multiline {
                view! {
                    <textarea
                        id=id
                        name=name
                        class="secret-lines"
                        rows=ROWS
                        required=required
                        autocomplete="off"
                        autocapitalize="none"
                        spellcheck="false"
                        aria-invalid=invalid
                        aria-describedby=described
                    ></textarea>
                }
                .into_any()
            } else {
                view! {
                    <input
                        id=id
                        name=name
                        type="password"
                        required=required
                        autocomplete="new-password"
                        aria-invalid=invalid
                        aria-describedby=described
                    />
                }
                .into_any()
            };
            view! {
                {field}
                {kept}
                {clear}
            }
            .into_any()
        }
    }
}

/// Renders a secret that the form keeps, sealed, and a box that withdraws it.
#[component]
fn Kept(
    /// The key of the question.
    key: String,
    /// The secret, sealed.
    sealed: String,
) -> impl IntoView {
    view! {
        <input type="hidden" name=format!("{KEPT_FIELD}{key}") value=sealed />
        <label class="pick">
            <input name=format!("{FORGET_FIELD}{key}") type="checkbox" value="1" />
            <span>{words::FORGET}</span>
        </label>
    }
}
