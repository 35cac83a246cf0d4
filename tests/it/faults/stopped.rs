//! Runs that somebody stops.

use super::{GROUPS, USERS, hit, no_more_faults, requests, three_pages};
use crate::support::{World, integration, sums_hold};
use provisiond::proto::v1::{self, run::State, watch_runs_response::Event};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_run_ends_with_its_sums_holding_and_the_next_one_does_the_rest() {
    let mut world = World::ready(three_pages()).await;
    // The second page does not come while the first is applied.
    hit(&world, USERS, 1, 1, json!({"delay_ms": 600_000})).await;
    let watch = v1::WatchRunsRequest {
        parent: integration(),
        include_changes: true,
        ..v1::WatchRunsRequest::default()
    };
    let mut news = world.sync.watch_runs(watch).await.unwrap().into_inner();
    let run = world.start_run().await;
    loop {
        let message = news.message().await.unwrap().expect("a change");
        if matches!(message.event, Some(Event::Change(_))) {
            break;
        }
    }
    let cancel = v1::CancelRunRequest {
        name: run.name.clone(),
    };
    world.sync.cancel_run(cancel.clone()).await.unwrap();
    let run = world.finished(&run.name).await;
    assert_eq!(run.state(), State::Cancelled, "{run:?}");
    assert!(run.error.is_none() && run.end_time.is_some());
    sums_hold(&run);
    let total = run.counters.unwrap();
    assert_eq!(total.considered, 500, "{run:?}");
    assert_eq!(total.added + total.deferred, 500, "{run:?}");
    assert!(total.added > 0, "{run:?}");
    assert_eq!(requests(&run, GROUPS), 0, "nothing more is asked for");
    let there = world.users().await.len();
    assert_eq!(
        i64::try_from(there),
        Ok(total.added),
        "what was applied stands"
    );

    let again = world.sync.cancel_run(cancel).await.unwrap().into_inner();
    assert_eq!(again, run, "what has ended does not change");
    no_more_faults(&world).await;
    let rest = world.run().await;
    assert_eq!(rest.state(), State::Succeeded, "{rest:?}");
    sums_hold(&rest);
    assert_eq!(rest.counters.unwrap().added, 1100 + 12 - total.added);
    assert_eq!(world.users().await.len(), 1100);
}
