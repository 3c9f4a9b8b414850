//! The probe over HTTP.
