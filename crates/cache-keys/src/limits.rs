//! How much a JSON value may hold.

/// The greatest depth of nested arrays and objects, the outermost counted. Python stops too, at a depth that depends on its version.
pub const MAX_DEPTH: usize = 128;

/// How many digits an integer may have: CPython's own limit
/// (`sys.int_info.default_max_str_digits`), beyond which `json.loads` fails.
pub const MAX_DIGITS: usize = 4300;
