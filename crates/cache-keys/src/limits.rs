//! Limits of JSON values.

/// The maximum depth of nested arrays and objects, including the outermost. Python
/// has a limit, too, which depends on its version.
pub const MAX_DEPTH: usize = 128;

/// The maximum number of digits of an integer: CPython's limit
/// (`sys.int_info.default_max_str_digits`), beyond which `json.loads` fails.
pub const MAX_DIGITS: usize = 4300;
