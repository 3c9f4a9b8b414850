//! The rules between the sections of a file.

use std::collections::BTreeMap;

use domain::template::FirstAccess;
use domain::template::parameter::ParameterKind;

use super::head::Head;
use super::parameter::Question;
use super::parts::Fixed;
use crate::fault::Faults;

/// The least length of a password that a person may choose.
const SHORTEST_PASSWORD: u32 = 8;

/// Checks the rules.
pub(super) fn check(
    head: Option<&Head>,
    env: &[Fixed],
    questions: &[Question],
    faults: &mut Faults<'_>,
) {
    let fixed = env.iter().map(|fixed| (fixed.name.as_str(), fixed.at));
    let inherited = head.iter().flat_map(|head| &head.inherit_env);
    let inherited = inherited.map(|(at, name)| (name.as_str(), *at));
    let asked = questions.iter().filter_map(|question| {
        question.parameter.env.as_deref().map(|name| (name, question.at_env))
    });
    let mut names = BTreeMap::new();
    for (name, at) in fixed.chain(inherited).chain(asked) {
        if names.insert(name, at).is_some() {
            faults.error(at, format!("the variable {name} is set twice: set it in one place only"));
        }
    }
    if let Some(head) = head {
        check_first_access(head, questions, faults);
    }
}

fn check_first_access(head: &Head, questions: &[Question], faults: &mut Faults<'_>) {
    let (key, at) = match &head.first_access {
        (FirstAccess::Password(key), at) => (key, at),
        (FirstAccess::NoneNeeded, _) => return,
    };
    let Some(question) = questions.iter().find(|one| one.parameter.key == *key) else {
        let message = format!(
            "`first_access` names {key:?}, which is no parameter: add one with type = \"secret\" and \
             from = \"generate:32\""
        );
        faults.error(*at, message);
        return;
    };
    let parameter = &question.parameter;
    let is_generated = parameter.is_secret() && parameter.generated().is_some();
    if !is_generated {
        faults.error(
            question.at,
            format!(
                "{key} is the password of the first access: write type = \"secret\" and from = \
                 \"generate:32\""
            ),
        );
    }
    if parameter.when.is_some() {
        faults.error(
            question.at,
            format!("{key} is the password of the first access, always: leave `when` out"),
        );
    }
    if let ParameterKind::Secret(rules) = &parameter.kind
        && rules.min < SHORTEST_PASSWORD
    {
        faults.error(
            question.at,
            format!(
                "{key} is the password of the first access: write min = {SHORTEST_PASSWORD} or more"
            ),
        );
    }
}
