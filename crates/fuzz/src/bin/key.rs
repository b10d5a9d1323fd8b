//! Fuzzes [`fuzz::key`].
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::key(data));

#[cfg(not(fuzzing))]
fn main() {}
