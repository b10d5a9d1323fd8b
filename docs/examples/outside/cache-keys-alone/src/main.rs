//! Uses `cache-keys` by path.

use cache_keys as _;

fn main() {}
