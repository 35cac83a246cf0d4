//! How fast slices are written: a floor so low that only a mistake falls under it, and the real figure for whoever asks.

use super::fixtures::*;
use provisiond::{model::Kind, store::SliceError};
use std::{collections::VecDeque, time::Instant};
use tokio::task::JoinHandle;

/// Writes users in slices of 100, five under way at once; answers users per second.
async fn load(users: usize) -> f64 {
    let home = Home::new();
    let (store, integration, run) = with_run(&home).await;
    let start = Instant::now();
    let mut under_way: VecDeque<JoinHandle<Result<(), SliceError>>> = VecDeque::new();
    for part in 0..users / 100 {
        let mut given = slice(&run);
        for n in 0..100 {
            let (user, link, change) = provisioned(&integration, part * 100 + n);
            given.entities.push(user);
            given.links.push((Kind::User, link));
            given.changes.push(change);
        }
        if under_way.len() == 5
            && let Some(answer) = under_way.pop_front()
        {
            answer.await.unwrap().unwrap();
        }
        under_way.push_back(tokio::spawn(store.commit(given)));
    }
    for answer in under_way {
        answer.await.unwrap().unwrap();
    }
    let speed = users as f64 / start.elapsed().as_secs_f64();
    let last = store.last_sequence(&acme()).await.unwrap();
    assert_eq!(last, users as u64 + 2);
    speed
}

#[tokio::test(flavor = "multi_thread")]
async fn slices_are_written_in_bulk() {
    let speed = load(1_000).await;
    assert!(speed > 50.0, "{speed:.0} users/s");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement: run it alone, in release"]
async fn fifty_thousand_users_are_written() {
    println!("{:.0} users/s", load(50_000).await);
}
