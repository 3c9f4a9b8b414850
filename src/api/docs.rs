//! What the page about the API shows. Server only.

use std::sync::Arc;

use leptos::prelude::use_context;

/// The API, as its document describes it. Texts may have code between backticks.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ApiDocs {
    /// What the API does.
    pub(crate) about: String,
    /// The groups of operations.
    pub(crate) groups: Vec<GroupDocs>,
    /// The schemas.
    pub(crate) schemas: Vec<SchemaDocs>,
}

/// A group of operations.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct GroupDocs {
    /// Its name.
    pub(crate) name: String,
    /// What its operations are about.
    pub(crate) about: String,
    /// The operations.
    pub(crate) operations: Vec<OperationDocs>,
}

/// An operation.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct OperationDocs {
    /// Its id.
    pub(crate) id: String,
    /// The method.
    pub(crate) method: String,
    /// The path.
    pub(crate) path: String,
    /// What it does, in a few words.
    pub(crate) summary: String,
    /// What it does.
    pub(crate) about: String,
    /// True if everyone may call it.
    pub(crate) is_open: bool,
    /// The parameters.
    pub(crate) parameters: Vec<FieldDocs>,
    /// The body of the request, if it has one.
    pub(crate) body: Option<ContentDocs>,
    /// The answers.
    pub(crate) answers: Vec<AnswerDocs>,
}

/// The content of a body or an answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ContentDocs {
    /// What it is.
    pub(crate) about: String,
    /// Its content type.
    pub(crate) kind: String,
    /// The name of its schema, if it has one of the document's.
    pub(crate) schema: Option<String>,
}

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct AnswerDocs {
    /// The status.
    pub(crate) status: String,
    /// What it means, one paragraph each.
    pub(crate) about: Vec<String>,
    /// The content types, and the names of the schemas.
    pub(crate) contents: Vec<ContentDocs>,
    /// The headers.
    pub(crate) headers: Vec<(String, String)>,
}

/// A schema of the document.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SchemaDocs {
    /// Its name.
    pub(crate) name: String,
    /// What it is.
    pub(crate) about: String,
    /// Its fields.
    pub(crate) fields: Vec<FieldDocs>,
    /// The schemas of which it is one.
    pub(crate) one_of: Vec<String>,
}

/// A parameter, or a field of a schema.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FieldDocs {
    /// Its name.
    pub(crate) name: String,
    /// Where a parameter is.
    pub(crate) place: Option<Place>,
    /// True if it is always there.
    pub(crate) is_required: bool,
    /// Its type.
    pub(crate) kind: Kind,
    /// What it is.
    pub(crate) about: String,
}

/// Where a parameter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the path.
    Path,
    /// In the query.
    Query,
    /// In a header.
    Header,
}

/// The type of a value.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A schema of the document.
    Schema(String),
    /// A list.
    List(Box<Self>),
    /// An object with values of this type, under any names.
    Map(Box<Self>),
    /// A plain value of these types in JSON, with its limits.
    Plain(Vec<String>, Vec<Limit>),
    /// One of these values, as in JSON.
    OneOf(Vec<String>),
    /// Any value.
    Any,
}

/// A limit of a plain value.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    /// A text has this format.
    Format(String),
    /// A text has from so many to so many characters.
    Length(Option<u64>, Option<u64>),
    /// A number is from this one to that one.
    Range(Option<u64>, Option<u64>),
    /// A text matches this regular expression.
    Pattern(String),
}

/// Returns what the page about the API shows.
pub(crate) fn api_docs() -> Option<Arc<ApiDocs>> {
    use_context()
}
