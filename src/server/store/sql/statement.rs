//! Statements: SQL that both databases understand, with `$1`, `$2`, … for its values.

use std::borrow::Cow;
use std::time::Duration;

use jiff::Timestamp;

use super::rows::millis;
use crate::server::store::Claim;
use domain::deployment::DeploymentId;
use domain::owner::OwnerId;
use domain::stack_id::StackId;
use domain::stack_name::StackName;

/// A statement with its values. It owns them, so that a write can continue in a task of its own.
#[derive(Clone, Debug)]
pub struct Statement {
    pub(super) text: Cow<'static, str>,
    pub(super) values: Vec<Value>,
}

/// A value of a statement. NULL has a type as well, which PostgreSQL needs.
#[derive(Clone, Debug)]
pub enum Value {
    /// A text or NULL.
    Text(Option<String>),
    /// An integer or NULL.
    Number(Option<i64>),
    /// A boolean or NULL.
    Truth(Option<bool>),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A list of texts.
    Texts(Vec<String>),
    /// A list of integers.
    Numbers(Vec<i64>),
}

/// A type that can be a value of a statement.
pub(in crate::server::store) trait Bind: Sized {
    /// Converts the value for the database; `None` becomes NULL.
    fn value(given: Option<Self>) -> Value;
}

impl Statement {
    /// Creates a statement from a constant text.
    pub(in crate::server::store) const fn new(text: &'static str) -> Self {
        Self { text: Cow::Borrowed(text), values: Vec::new() }
    }

    /// Creates a statement from a text that is composed of constants. Values from outside must be
    /// bound.
    pub(super) const fn composed(text: String) -> Self {
        Self { text: Cow::Owned(text), values: Vec::new() }
    }

    /// Adds the value of the next parameter.
    pub(in crate::server::store) fn bind(mut self, value: impl Bind) -> Self {
        self.values.push(Bind::value(Some(value)));
        self
    }

    /// Adds the owner, the token and the end of the lease with which an operation begins, if it has
    /// one, as the next three parameters.
    pub(super) fn bind_claim(self, claim: Option<&Claim>) -> Self {
        self.bind(claim.map(|claim| claim.owner.as_str()))
            .bind(claim.map_or(0, |claim| claim.token))
            .bind(claim.map_or(0, |claim| claim.until.as_millisecond()))
    }

    /// Appends a constant text.
    pub(super) fn push(mut self, text: &'static str) -> Self {
        self.text.to_mut().push_str(text);
        self
    }

    /// Appends a parameter with its value.
    pub(super) fn push_bind(mut self, value: impl Bind) -> Self {
        let number = self.values.len() + 1;
        self.text += "$";
        self.text += Cow::from(number.to_string());
        self.bind(value)
    }

    /// Appends `text` and a parameter with the value, if there is one.
    pub(super) fn push_if(self, text: &'static str, value: Option<impl Bind>) -> Self {
        match value {
            Some(value) => self.push(text).push_bind(value),
            None => self,
        }
    }
}

impl<T: Bind> Bind for Option<T> {
    fn value(given: Option<Self>) -> Value {
        T::value(given.flatten())
    }
}

impl Bind for String {
    fn value(given: Option<Self>) -> Value {
        Value::Text(given)
    }
}

impl Bind for &String {
    fn value(given: Option<Self>) -> Value {
        Value::Text(given.cloned())
    }
}

impl Bind for &str {
    fn value(given: Option<Self>) -> Value {
        Value::Text(given.map(str::to_owned))
    }
}

impl Bind for i64 {
    fn value(given: Option<Self>) -> Value {
        Value::Number(given)
    }
}

impl Bind for Timestamp {
    fn value(given: Option<Self>) -> Value {
        Value::Number(given.map(Self::as_millisecond))
    }
}

impl Bind for Duration {
    fn value(given: Option<Self>) -> Value {
        Value::Number(given.map(millis))
    }
}

impl Bind for bool {
    fn value(given: Option<Self>) -> Value {
        Value::Truth(given)
    }
}

impl Bind for &DeploymentId {
    fn value(given: Option<Self>) -> Value {
        Bind::value(given.map(DeploymentId::as_str))
    }
}

impl Bind for StackId {
    fn value(given: Option<Self>) -> Value {
        Value::Text(given.as_ref().map(ToString::to_string))
    }
}

impl Bind for &OwnerId {
    fn value(given: Option<Self>) -> Value {
        Bind::value(given.map(OwnerId::as_str))
    }
}

impl Bind for &StackName {
    fn value(given: Option<Self>) -> Value {
        Bind::value(given.map(StackName::as_str))
    }
}

impl Bind for &[u8] {
    fn value(given: Option<Self>) -> Value {
        Value::Bytes(given.unwrap_or_default().to_vec())
    }
}

impl Bind for Vec<String> {
    fn value(given: Option<Self>) -> Value {
        Value::Texts(given.unwrap_or_default())
    }
}

impl Bind for Vec<i64> {
    fn value(given: Option<Self>) -> Value {
        Value::Numbers(given.unwrap_or_default())
    }
}
