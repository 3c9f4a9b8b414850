//! The words of the pages, in a folder for each language, and what the languages share.
//!
//! No other part of the pages has a sentence. The words must not know a clock, a browser or a
//! signal.

mod en;

/// The language of the pages. Another one has the same modules in a folder beside `en`.
pub(crate) use self::en::*;

/// The page that a form is on.
#[cfg(feature = "ssr")]
#[derive(Clone, Copy, Debug)]
pub(crate) enum FormPage<'a> {
    /// The home page, where a deployment is started.
    Home,
    /// The page of an operation, where it is cancelled or retried, or its stack removed.
    Operation,
    /// The sign-in page, with the display name of the identity provider.
    SignIn(&'a str),
    /// A page of a stack.
    Stack,
    /// The page of kept data.
    Data,
    /// The account page.
    Account,
    /// The operators' page.
    Admin,
}
