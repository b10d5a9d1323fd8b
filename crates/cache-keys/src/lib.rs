//! cache-keys
