//! `cargo xtask bench store [SECTION…] [--quick] [--trace FILE…]`.

fn main() -> anyhow::Result<()> {
    // Sections that count memory run in a program of their own, because a
    // counting allocator would slow down those that measure time.
    store_bench::run(env!("CARGO_BIN_EXE_store-bench-counted"))
}
