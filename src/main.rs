//! phoneprov, the binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    phoneprov::cli::run()
}
