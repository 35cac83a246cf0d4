//! The flags of `provisiond dev`.

use super::text::count;

/// See a Google Workspace being synced into the AppsCo directory, on this machine alone
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// End after the sync instead of staying up
    #[arg(long)]
    pub once: bool,
    /// Users of the simulated company
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(3..=200_000))]
    pub users: u32,
    /// Groups of the simulated company
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(0..=20_000))]
    pub groups: u32,
    /// Milliseconds that each answer of the simulated Google takes
    #[arg(long, value_name = "MS", default_value_t = 150, value_parser = clap::value_parser!(u64).range(0..=60_000))]
    pub latency: u64,
    /// The same seed makes the same company
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
}

impl Args {
    /// Users and groups: how many objects there are to sync.
    pub(super) fn objects(&self) -> u64 {
        u64::from(self.users) + u64::from(self.groups)
    }

    /// What is going to be shown, in a line.
    pub(super) fn title(&self) -> String {
        format!(
            "From a simulated Google Workspace ({} users, {} groups) to the AppsCo directory, on this machine only\n",
            count(self.users.into()),
            count(self.groups.into())
        )
    }
}
