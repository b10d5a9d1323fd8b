//! Fuzzes [`fuzz::model`].
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::model(data));

#[cfg(not(fuzzing))]
fn main() {}
