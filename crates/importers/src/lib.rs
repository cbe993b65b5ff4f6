//! importers.
