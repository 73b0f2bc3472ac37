//! The `visnyk` command: arguments in, an exit status out.

use clap::Parser;
use std::process::ExitCode;
use visnyk::cli::arguments::Arguments;
use visnyk::cli::run;

fn main() -> ExitCode {
    run(Arguments::parse())
}
