//! `provisiond dev`: a whole provisioning journey on one machine, for people who want to see it before they read about it.
//!
//! **Owns** what is seen: a simulated Google Workspace in a process of its own, the daemon in this one, and then a client
//! that adds an integration, consents to it as an administrator would in a browser, runs it and tells what arrived.
//!
//! **May use** `app` and `config` to start the daemon, the sandbox's subcommand to start Google, and the generated client.
//!
//! **Deliberately does not** reach into the daemon: whatever it does and shows goes over gRPC and HTTP, so what works here
//! works for any other client.

mod args;
mod browser;
mod client;
mod daemon;
mod error;
mod google;
mod journey;
mod next;
mod ports;
mod progress;
mod report;
mod stop;
mod text;
mod watch;
mod workspace;

pub use args::Args;
pub use error::Error;

use client::Client;
use daemon::Daemon;
use google::Google;
use std::net::SocketAddr;
use stop::Stop;
use text::say;
use workspace::Workspace;

/// Runs the journey, then stays up until it is told to stop; with `--once` ends instead.
///
/// `flags` are the daemon's own flags as configuration keys and values (`grpc.listen`, `store.path`...). The data goes to
/// a directory that is removed at the end, unless `store.path` is among them.
///
/// Fails if something can't be started, a call is refused, or the run does not succeed.
pub async fn run(args: Args, flags: Vec<(String, String)>) -> Result<(), Error> {
    let mut stop = Stop::listen()?;
    let ports = ports::choose(&flags, args.once)?;
    let usual = ports::usual_grpc(&flags);
    let workspace = Workspace::create(&flags)?;
    say(&args.title());
    let mut google = Google::start(&args).await?;
    say(&format!(
        "  ✓ Google Workspace, simulated, at {}",
        google.url()
    ));
    let mut daemon = Daemon::start(workspace.config(&google, &ports, flags)?).await?;
    say(&format!(
        "  ✓ provisiond at {} (gRPC) and {} (HTTP)",
        daemon.grpc(),
        daemon.http()
    ));
    let seen = tokio::select! {
        seen = see(&args, &daemon, usual) => seen,
        () = stop.wanted() => Err(Error::Interrupted),
    };
    let ended = match seen {
        Ok(()) if !args.once => stay(&mut stop, &mut daemon, &mut google).await,
        seen => seen,
    };
    tokio::select! {
        () = daemon.stop() => {}
        () = stop.wanted() => {}
    }
    google.stop().await;
    ended
}

/// `usual` is where the daemon would be without `--once`.
async fn see(args: &Args, daemon: &Daemon, usual: SocketAddr) -> Result<(), Error> {
    let mut client = Client::connect(daemon.grpc()).await?;
    let rules = journey::set_up(&mut client).await?;
    let run = watch::run(&mut client, args.objects()).await?;
    let arrived = report::arrived(&mut client).await?;
    say(&report::of_run(&run, &rules));
    say(&report::of_failures(
        &client::failures(&mut client, &run).await?,
    ));
    say(&report::of_directory(&arrived, &run));
    report::judge(&run)?;
    let grpc = if args.once { usual } else { daemon.grpc() };
    say(&next::lines(args, grpc, &arrived));
    Ok(())
}

async fn stay(stop: &mut Stop, daemon: &mut Daemon, google: &mut Google) -> Result<(), Error> {
    say("Both stay up. Ctrl-C ends them.");
    tokio::select! {
        () = stop.wanted() => Ok(()),
        error = daemon.ended() => Err(error),
        error = google.ended() => Err(error),
    }
}
