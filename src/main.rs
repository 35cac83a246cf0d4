//! Parses the command line, does what it asks for, and tells how it went by the exit code.

use clap::Parser;
use provisiond::cli::{Cli, run};
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("provisiond: {error:#}");
            ExitCode::FAILURE
        }
    }
}
