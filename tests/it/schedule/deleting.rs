//! An integration that is deleted while nothing else goes on.

use super::bare::{Daemon, Home, add, company};
use futures_util::FutureExt as _;
use provisiond::model::{IntegrationId, ManualClock, SyncInterval};
use std::time::Duration;

#[tokio::test]
async fn a_deletion_goes_on_though_who_asked_for_it_goes_away_at_once() {
    let home = Home {
        dir: tempfile::tempdir().unwrap(),
        clock: ManualClock::default(),
        catch_up: None,
    };
    let daemon = Daemon::start(&home).await;
    add(&daemon, "UTC", SyncInterval::Daily, "daily").await;
    let (company, id) = (company(), IntegrationId::try_new("daily").unwrap());
    {
        let deleting = daemon
            .runs
            .delete_integration(&company, &id, None, "me".to_owned());
        let mut deleting = Box::pin(deleting);
        assert!(deleting.as_mut().now_or_never().is_none());
    }
    let gone = async {
        while daemon
            .store
            .integration(&company, &id)
            .await
            .unwrap()
            .is_some()
        {
            tokio::task::yield_now().await;
        }
    };
    let gone = tokio::time::timeout(Duration::from_secs(60), gone).await;
    gone.expect("it is still there");
    daemon.stop().await;
}
