//! live-data
