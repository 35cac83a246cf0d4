//! When to stop: Ctrl-C, a terminal that is closed, or the signal by which service managers end a process.

use super::Error;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Waits for signals from the moment it is made; each counts once.
pub(super) struct Stop {
    interrupt: Signal,
    hangup: Signal,
    terminate: Signal,
}

impl Stop {
    /// From here on the signals no longer end the process by themselves.
    pub(super) fn listen() -> Result<Self, Error> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).map_err(Error::Signals)?,
            hangup: signal(SignalKind::hangup()).map_err(Error::Signals)?,
            terminate: signal(SignalKind::terminate()).map_err(Error::Signals)?,
        })
    }

    /// Returns at the next signal.
    pub(super) async fn wanted(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.hangup.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
