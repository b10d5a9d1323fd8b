//! intent-router
