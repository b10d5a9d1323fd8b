//! Uses `intent-router` by path.

use intent_router as _;

fn main() {}
