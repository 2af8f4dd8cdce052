//! How the program is linked where it is released: functions that came out the same are one, and the places that the loader fills
//! are told as ranges. Both make the file smaller, and so the memory that it is mapped to.
//!
//! Not here: how it is compiled (`Cargo.toml`), and how its allocator is (`.cargo/config.toml`).

use std::env;

/// The linker that rustc brings along here knows both.
const TARGET: &str = "x86_64-unknown-linux-gnu";
const SMALLER: [&str; 2] = ["-Wl,--icf=all", "-Wl,-z,pack-relative-relocs"];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|is| is == value);
    if is("PROFILE", "release") && is("TARGET", TARGET) && !is_other_linker() {
        SMALLER.iter().for_each(|argument| println!("cargo::rustc-link-arg-bins={argument}"));
    }
}

/// Whether somebody chose another linker, which may know neither.
fn is_other_linker() -> bool {
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    env::var_os("RUSTC_LINKER").is_some() || flags.contains("linker") || flags.contains("fuse-ld")
}
