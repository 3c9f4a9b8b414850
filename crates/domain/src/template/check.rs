//! Checks a set of answers for a template.

use std::collections::{BTreeMap, BTreeSet};

use super::answer_error::{AnswerError, AnswerErrors, Expected, FieldError};
use super::answers::{Answer, Answers, PARAMETERS, SIZE};
use super::checked::{Checked, SecretOrigin, SecretText, Variable, VariableValue};
use super::parameter::{Parameter, PatternMatcher, Value};
use super::situation::{Before, Kept, Situation, Values};
use super::{MOST_PARAMETERS, Template, rules};

/// The largest size of all variables of the answers together, with their names, in KiB: twice that
/// of the largest single one. The recordings of the platform show no limit below it.
const LARGEST_TOGETHER_KIB: usize = 128;

/// What is known of a question while the later ones are checked.
enum State {
    /// Its answer is refused, so nothing can be said of the questions that depend on it.
    Refused,
    /// It is not asked.
    Hidden,
    /// It has this answer, or none.
    Answered(Option<Value>),
}

/// A check in progress.
struct Check<'a> {
    answers: &'a Answers,
    situation: &'a Situation,
    matcher: &'a dyn PatternMatcher,
    states: BTreeMap<&'a str, State>,
    errors: AnswerErrors,
    variables: Vec<Variable>,
    values: Values,
    secrets: Vec<String>,
    /// The keys of the questions that are answered now.
    answered: BTreeSet<&'a str>,
}

impl Template {
    /// Checks a set of answers. In a change, what was answered before counts where nothing is
    /// answered now.
    ///
    /// # Errors
    ///
    /// Returns all errors at once, one for each field.
    pub fn check(
        &self,
        answers: &Answers,
        situation: &Situation,
        matcher: &dyn PatternMatcher,
    ) -> Result<Checked, AnswerErrors> {
        let mut check = Check {
            answers,
            situation,
            matcher,
            states: BTreeMap::new(),
            errors: AnswerErrors::default(),
            variables: fixed_variables(self),
            values: Values::new(),
            secrets: Vec::new(),
            answered: BTreeSet::new(),
        };
        if answers.parameters.len() + answers.secrets.len() > MOST_PARAMETERS {
            check.errors.add(PARAMETERS, AnswerError::TooManyAnswers(MOST_PARAMETERS));
            return Err(check.errors);
        }
        check.refuse_misplaced(self);
        let size = check.size(self);
        for parameter in &self.parameters {
            let state = check.parameter(parameter);
            check.states.insert(&parameter.key, state);
        }
        check.refuse_too_large(self.env.len());
        let replaced = check.replaced(size.as_deref());
        let Check { errors, variables, values, secrets, .. } = check;
        errors.or(Checked { size, variables, values, secrets, replaced })
    }
}

fn fixed_variables(template: &Template) -> Vec<Variable> {
    let fixed = template.env.iter().map(|(name, value)| Variable {
        name: name.clone(),
        value: VariableValue::Plain(value.clone()),
    });
    fixed.collect()
}

impl<'a> Check<'a> {
    /// Refuses the answers to questions that the template does not have, and those in the wrong
    /// place.
    fn refuse_misplaced(&mut self, template: &Template) {
        let (parameters, secrets) = (&self.answers.parameters, &self.answers.secrets);
        let parameters = parameters.keys().map(|key| (key, false));
        for (key, is_secret) in parameters.chain(secrets.keys().map(|key| (key, true))) {
            match template.parameter(key) {
                None => self.errors.add(key, AnswerError::Unknown),
                Some(parameter) if parameter.is_secret() && !is_secret => {
                    self.errors.add(key, AnswerError::IsSecret);
                }
                Some(parameter) if !parameter.is_secret() && is_secret => {
                    self.errors.add(key, AnswerError::IsNoSecret);
                }
                Some(_) => {}
            }
        }
    }

    fn size(&mut self, template: &Template) -> Option<String> {
        let chosen = match &self.answers.size {
            Some(Answer::Repeated) => Err(AnswerError::Repeated),
            Some(answer) => answer.text().ok_or(AnswerError::WrongType(Expected::Text)),
            None if template.sizes.is_empty() => return None,
            None => self.situation.default_size(template).ok_or(AnswerError::Required),
        };
        let known = |id: &&str| template.sizes.iter().any(|size| size.id == **id);
        let chosen = chosen.and_then(|id| {
            if template.sizes.is_empty() {
                Err(AnswerError::Unknown)
            } else {
                Some(id).filter(known).ok_or(AnswerError::UnknownSize)
            }
        });
        chosen.map_err(|error| self.errors.add(SIZE, error)).ok().map(str::to_owned)
    }

    /// Returns whether a question is asked; `None` if that depends on an answer that is refused.
    fn is_asked(&self, parameter: &Parameter) -> Option<bool> {
        let Some(condition) = &parameter.when else { return Some(true) };
        match self.states.get(condition.key.as_str()) {
            Some(State::Refused) => None,
            Some(State::Answered(value)) => Some(value.as_ref() == Some(&condition.equals)),
            Some(State::Hidden) | None => Some(false),
        }
    }

    /// Checks the answer to one question.
    fn parameter(&mut self, parameter: &'a Parameter) -> State {
        let key = &parameter.key;
        let sent = if parameter.is_secret() {
            self.answers.secrets.get(key)
        } else {
            self.answers.parameters.get(key)
        };
        let asked = self.is_asked(parameter);
        if asked == Some(false) {
            if sent.is_some_and(|answer| !self.is_only_shown(parameter, answer)) {
                self.errors.add(key, AnswerError::Hidden);
            }
            self.keep_hidden(parameter);
            return State::Hidden;
        }
        if self.errors.of(key).is_some() {
            return State::Refused;
        }
        let result = if parameter.is_secret() {
            self.secret(parameter, sent).map(|()| None)
        } else {
            self.value(parameter, sent)
        };
        match result {
            Ok(value) => State::Answered(value),
            // Nobody can say yet that an answer is required.
            Err(error) if asked.is_none() && error.error == AnswerError::Required => State::Refused,
            Err(error) => {
                self.errors.add(key, error);
                State::Refused
            }
        }
    }

    /// Returns whether the answer to a question that is not asked is only what a page without
    /// scripts shows and sends.
    fn is_only_shown(&self, parameter: &Parameter, answer: &Answer) -> bool {
        let shown = self.situation.prefill(parameter, self.matcher);
        let is_shown = || shown.is_some_and(|value| Answer::from(&value) == *answer);
        let is_empty = || answer.is_empty() || *answer == Answer::Boolean(false);
        self.answers.is_form && (is_empty() || is_shown())
    }

    /// Keeps what the stack has of an immutable question that is not asked, so that it has the same
    /// answer when it is asked again.
    fn keep_hidden(&mut self, parameter: &Parameter) {
        let Some(before) = self.situation.before.as_ref().filter(|_| parameter.immutable) else {
            return;
        };
        let (key, is_secret) = (&parameter.key, parameter.is_secret());
        if is_secret && before.secrets.contains_key(key) {
            self.secrets.push(key.clone());
        } else if let Some(value) = before.values.get(key)
            && (value.is_none() || !is_secret)
        {
            self.values.insert(key.clone(), value.clone());
        }
    }

    /// Returns the keys of the earlier answers that no longer count although nothing else was
    /// answered.
    fn replaced(&self, size: Option<&str>) -> Vec<String> {
        let Some(Before { values, secrets, size: earlier }) = &self.situation.before else {
            return Vec::new();
        };
        let has_secret = |key: &String| self.secrets.contains(key);
        let value = |key: &String| self.values.get(key).and_then(Option::as_ref);
        let values = values.iter().filter(|(key, earlier)| match earlier {
            Some(earlier) => value(key) != Some(earlier),
            None => value(key).is_some() || has_secret(key),
        });
        let secrets = secrets.keys().filter(|key| !has_secret(key));
        let keys = values.map(|(key, _)| key).chain(secrets).map(String::as_str);
        let mut replaced: BTreeSet<_> = keys.filter(|key| !self.answered.contains(key)).collect();
        if earlier.is_some() && earlier.as_deref() != size && self.answers.size.is_none() {
            replaced.insert(SIZE);
        }
        replaced.into_iter().map(str::to_owned).collect()
    }

    /// Checks an answer that is no secret, and returns it, or what counts without it.
    fn value(
        &mut self,
        parameter: &'a Parameter,
        sent: Option<&Answer>,
    ) -> Result<Option<Value>, FieldError> {
        let fixed = self.situation.fixed(parameter, self.matcher);
        let is_fixed = fixed != Kept::Nothing;
        // A form sends nothing for a checkbox without its mark.
        let unmarked = Answer::Boolean(false);
        let is_unmarked = self.answers.is_form && rules::unanswered(&parameter.kind).is_some();
        let value = match sent.or((is_unmarked && !is_fixed).then_some(&unmarked)) {
            Some(answer) => {
                self.answered.insert(&parameter.key);
                rules::read(&parameter.kind, answer, self.matcher)?
            }
            None => self.situation.prefill(parameter, self.matcher),
        };
        if is_fixed && fixed.value() != value.as_ref() {
            return Err(AnswerError::Immutable.into());
        }
        if value.is_none() && parameter.required {
            return Err(AnswerError::Required.into());
        }
        if let (Some(name), Some(value)) = (&parameter.env, &value) {
            let text = value.to_variable(parameter.kind.separator());
            self.variables.push(Variable { name: name.clone(), value: VariableValue::Plain(text) });
        }
        self.values.insert(parameter.key.clone(), value.clone());
        Ok(value)
    }

    /// Checks a secret.
    fn secret(
        &mut self,
        parameter: &'a Parameter,
        sent: Option<&Answer>,
    ) -> Result<(), FieldError> {
        let is_kept = self.situation.kept(parameter, self.matcher) == Kept::Secret;
        let fixed = self.situation.fixed(parameter, self.matcher);
        if fixed == Kept::Secret && sent.is_some() {
            return Err(AnswerError::Immutable.into());
        }
        let given = match sent {
            Some(answer) => {
                self.answered.insert(&parameter.key);
                rules::read(&parameter.kind, answer, self.matcher)?
            }
            None => None,
        };
        if fixed == Kept::LeftOut && given.is_some() {
            return Err(AnswerError::Immutable.into());
        }
        let origin = match (given, parameter.generated()) {
            (Some(value), _) => SecretOrigin::Given(SecretText::new(value.to_variable('\n'))),
            (None, _) if is_kept && sent.is_none() => SecretOrigin::Kept,
            (None, Some(length)) => SecretOrigin::Generated(length),
            (None, None) if parameter.required => return Err(AnswerError::Required.into()),
            (None, None) => {
                // It cannot be given later.
                if parameter.immutable {
                    self.values.insert(parameter.key.clone(), None);
                }
                return Ok(());
            }
        };
        let key = parameter.key.clone();
        self.secrets.push(key.clone());
        if let Some(name) = parameter.env.clone() {
            let value = VariableValue::Secret { key, origin };
            self.variables.push(Variable { name, value });
        }
        Ok(())
    }

    /// Refuses answers that are too large together. The first `fixed` variables are none.
    fn refuse_too_large(&mut self, fixed: usize) {
        let kept = |key: &str| self.situation.before.as_ref().and_then(|one| one.secrets.get(key));
        let size = |variable: &Variable| {
            let value = match &variable.value {
                VariableValue::Plain(text) => text.len(),
                VariableValue::Secret { origin: SecretOrigin::Given(text), .. } => {
                    text.expose().len()
                }
                VariableValue::Secret { origin: SecretOrigin::Generated(length), .. } => {
                    usize::try_from(*length).unwrap_or(usize::MAX)
                }
                VariableValue::Secret { key, origin: SecretOrigin::Kept } => {
                    kept(key).copied().unwrap_or_default()
                }
            };
            variable.name.len().saturating_add(value)
        };
        let sizes = self.variables.iter().skip(fixed).map(size);
        let together = sizes.fold(0, usize::saturating_add);
        if together > LARGEST_TOGETHER_KIB * 1024 {
            self.errors.add(PARAMETERS, AnswerError::TooLargeTogether(LARGEST_TOGETHER_KIB));
        }
    }
}
