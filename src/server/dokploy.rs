//! The platform adapter: a Dokploy server through its HTTP API.
