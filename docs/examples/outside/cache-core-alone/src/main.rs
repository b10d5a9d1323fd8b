//! Uses `cache-core` by path.

use cache_core as _;

fn main() {}
