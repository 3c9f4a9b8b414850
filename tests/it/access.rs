//! Who may do what, over the whole portal: every route for everybody, as data.

mod matrix;
mod open;
mod refusals;
mod routes;
mod spellings;
mod world;
