//! Access control of the whole portal: every route for every kind of caller, as data.

mod direct;
mod matrix;
mod open;
mod refusals;
mod routes;
mod spellings;
mod world;
