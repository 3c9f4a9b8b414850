//! The Dokploy-compatible platform in the box.
