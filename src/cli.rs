//! The command line: what can be asked of the binary.

use crate::{
    admin,
    app::{App, Substitutes},
    config::Config,
};
use clap::{Args, Parser, Subcommand};
use std::{
    io::{IsTerminal, Write as _},
    path::PathBuf,
};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::{EnvFilter, layer::SubscriberExt, util::SubscriberInitExt};

/// Keeps a company's AppsCo directory in step with its other systems.
#[derive(Debug, Parser)]
#[command(name = "provisiond", version)]
pub struct Cli {
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    command: Option<Command>,
}

/// Settings of the daemon; they go before the environment and the file.
#[derive(Debug, Clone, Default, Args)]
pub struct Settings {
    /// Configuration file (TOML).
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Address of the internal listener: gRPC, health, reflection [default: 127.0.0.1:50051].
    #[arg(long, global = true, value_name = "ADDRESS")]
    pub grpc_listen: Option<String>,
    /// Address of the public listener: the OAuth callback [default: 127.0.0.1:8480].
    #[arg(long, global = true, value_name = "ADDRESS")]
    pub http_listen: Option<String>,
    /// Data directory [default: provisiond-data].
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<String>,
    /// How log lines look: auto, text or json.
    #[arg(long, global = true, value_name = "FORMAT")]
    pub log_format: Option<String>,
    /// What is logged, such as `info,provisiond::sync=debug`.
    #[arg(long, global = true, value_name = "FILTER")]
    pub log: Option<String>,
}

impl Settings {
    /// The settings given, by their keys in the configuration.
    pub fn overrides(&self) -> Vec<(String, String)> {
        let given = [
            ("grpc.listen", &self.grpc_listen),
            ("http.listen", &self.http_listen),
            ("store.path", &self.data),
            ("log.format", &self.log_format),
            ("log.filter", &self.log),
        ];
        given
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), value.clone()?)))
            .collect()
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the daemon (the default).
    Serve,
    /// Check the configuration and say what is wrong with it.
    CheckConfig,
    /// Take a backup of everything into a file, whether the daemon runs or not.
    Export(Export),
    /// Make the store out of a backup, while the daemon does not run.
    Import(Import),
    /// Tokens of callers.
    #[command(subcommand)]
    Token(Token),
    /// See a simulated Google Workspace being synced into the AppsCo directory, on this machine alone.
    #[cfg(feature = "dev")]
    Dev(crate::dev::Args),
    /// Run a simulator of an external system.
    #[cfg(feature = "dev")]
    #[command(subcommand)]
    Sandbox(Simulator),
}

#[derive(Debug, Args)]
struct Export {
    /// The file, which must not be there yet.
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// A daemon that runs [default: that of the configuration, if it runs].
    #[arg(long, value_name = "URL")]
    address: Option<url::Url>,
    /// Holds the token of a caller with the role admin for all companies.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Holds the authority by which the daemon's certificate is proved (PEM).
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Import {
    /// The backup.
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// Only read it and say whether it is whole.
    #[arg(long)]
    verify_only: bool,
}

#[derive(Debug, Subcommand)]
enum Token {
    /// Print a new token, once, and the hash of it for the configuration.
    New,
}

#[cfg(feature = "dev")]
#[derive(Debug, Subcommand)]
enum Simulator {
    /// Google: OAuth and the Directory API.
    Google(crate::sandbox::Args),
}

/// Does what the command line asks for.
pub async fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => serve(load(&cli.settings)?).await,
        Command::CheckConfig => {
            load(&cli.settings)?;
            println!("The configuration is good.");
            Ok(())
        }
        Command::Export(export) => self::export(load(&cli.settings)?, export).await,
        Command::Import(import) => self::import(&cli.settings, import).await,
        Command::Token(Token::New) => new_token(),
        #[cfg(feature = "dev")]
        Command::Dev(args) => dev(args, &cli.settings).await,
        #[cfg(feature = "dev")]
        Command::Sandbox(Simulator::Google(args)) => {
            let announce = |line: &str| println!("{line}");
            crate::sandbox::run(args.into(), announce, interrupted()).await?;
            Ok(())
        }
    }
}

fn load(settings: &Settings) -> anyhow::Result<Config> {
    Ok(Config::load(
        settings.config.as_deref(),
        std::env::vars(),
        settings.overrides(),
    )?)
}

async fn export(config: Config, given: Export) -> anyhow::Result<()> {
    let daemon = admin::Daemon {
        address: given.address,
        token_file: given.token_file,
        ca_file: given.ca_file,
    };
    let info = admin::export(&config, &given.to, &daemon).await?;
    println!("{} holds {}.", given.to.display(), told(&info));
    println!(
        "Secrets in it are sealed: to restore it, the sealing key is needed ({}), which is not in it.",
        config.sealing.key_file.display()
    );
    Ok(())
}

async fn import(settings: &Settings, given: Import) -> anyhow::Result<()> {
    let from = given.from.display();
    if given.verify_only {
        let info = admin::verify(&given.from).await?;
        println!("{from} is whole: {}.", told(&info));
        return Ok(());
    }
    let config = load(settings)?;
    let info = admin::import(&config, &given.from).await?;
    println!(
        "{} holds what was in {from}: {}.",
        config.store.path.display(),
        told(&info)
    );
    Ok(())
}

fn told(info: &admin::BackupInfo) -> String {
    format!(
        "{} records as of {}, in {} bytes",
        info.records, info.take_time, info.size
    )
}

/// The token goes to the caller, its hash to the configuration; nothing is kept here.
fn new_token() -> anyhow::Result<()> {
    let (token, hash) = crate::config::new_token()?;
    let text = format!(
        "The token, for the caller alone; it is not shown again:\n\n  {}\n\n\
         The configuration, for the daemon:\n\n  [callers.name-of-the-caller]\n  token_hash = \"{hash}\"\n  \
         role = \"viewer\"        # or operator, admin\n  companies = [\"acme\"]  # or \"*\"\n",
        token.expose()
    );
    // Whoever reads only the beginning has it all the same.
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

async fn serve(config: Config) -> anyhow::Result<()> {
    start_log(&config)?;
    let app = App::open(config, Substitutes::default()).await?;
    let stopping = CancellationToken::new();
    let mut running = std::pin::pin!(app.run(stopping.clone()));
    tokio::select! {
        ended = &mut running => return Ok(ended?),
        () = interrupted() => {}
    }
    tracing::info!("stopping; a second signal ends at once");
    stopping.cancel();
    tokio::select! {
        ended = &mut running => Ok(ended?),
        () = interrupted() => std::process::exit(130),
    }
}

/// Neither file nor environment is read, so that what is seen is the same everywhere.
#[cfg(feature = "dev")]
async fn dev(args: crate::dev::Args, settings: &Settings) -> anyhow::Result<()> {
    anyhow::ensure!(
        settings.config.is_none(),
        "dev takes no --config: it brings a configuration of its own, to which flags can be added"
    );
    // The journey is what is to be seen, so only what is wrong is logged.
    let quiet = ("log.filter".to_owned(), "warn".to_owned());
    let flags = settings.overrides();
    let log = [quiet].into_iter().chain(flags.clone());
    start_log(&Config::load(None, [], log)?)?;
    Ok(crate::dev::run(args, flags).await?)
}

/// Logs go to standard error: text on a terminal, else JSON.
fn start_log(config: &Config) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&config.log.filter)?;
    let registry = tracing_subscriber::registry().with(filter);
    let terminal = std::io::stderr().is_terminal();
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    if config.log_as_json(terminal) {
        registry.with(layer.json()).init();
    } else {
        registry.with(layer.with_ansi(terminal)).init();
    }
    Ok(())
}

/// Waits for SIGINT or SIGTERM.
async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
