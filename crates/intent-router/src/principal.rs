//! Who asks: an identified user in a role.
