//! Clocks that are set back while the daemon is not running.

use super::bare::{Daemon, Home, add};
use provisiond::model::{ManualClock, SyncInterval};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// In UTC.
const MIDNIGHT: i64 = 1_795_478_400;

/// A daily run at midnight; then the daemon is stopped, the clock set back by so much, and the daemon started again.
/// When that midnight has passed once more there must be a second run if it is to come `again`, else none.
async fn restart_after_midnight(after: i64, back: i64, again: bool) {
    let home = Home {
        dir: tempfile::tempdir().unwrap(),
        clock: ManualClock::default(),
        catch_up: None,
    };
    home.set(MIDNIGHT - HOUR);
    let daemon = Daemon::start(&home).await;
    add(&daemon, "UTC", SyncInterval::Daily, "daily").await;
    home.set(MIDNIGHT + after);
    daemon.settle(&home).await;
    assert_eq!(daemon.scheduled("daily").await.len(), 1);
    daemon.stop().await;
    home.set(MIDNIGHT + after - back);
    let daemon = Daemon::start(&home).await;
    if again {
        daemon.planned(&[("daily", MIDNIGHT)]).await;
    }
    // Of the same midnight: when it is planned anew, the daemon has looked.
    add(&daemon, "UTC", SyncInterval::Daily, "witness").await;
    daemon.planned(&[("witness", MIDNIGHT)]).await;
    home.set(MIDNIGHT + after + 1);
    daemon
        .planned(&[("daily", MIDNIGHT + DAY), ("witness", MIDNIGHT + DAY)])
        .await;
    daemon.settle(&home).await;
    let runs = daemon.scheduled("daily").await.len();
    assert_eq!(runs, 1 + usize::from(again), "{back} s back");
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_after_the_clock_was_put_right_by_a_little_brings_no_second_run() {
    restart_after_midnight(5, 15, false).await;
    restart_after_midnight(5, 14 * MINUTE, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_after_the_clock_was_set_back_by_more_brings_the_midnight_again() {
    restart_after_midnight(5, 16 * MINUTE, true).await;
    // Back to just before midnight, but from long after it.
    restart_after_midnight(HOUR, HOUR + MINUTE, true).await;
}
