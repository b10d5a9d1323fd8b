//! Tests that explore interleavings (shuttle) and memory orders (loom).

mod explored;
#[cfg(shuttle)]
mod interleavings;
#[cfg(memory_model)]
mod memory_models;
