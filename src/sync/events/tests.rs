//! Who watches a company is told all of it, however the others who watch it read.

use super::{Error, Feed, From, NewsItem, Scope, Told, Watcher};
use crate::{
    model::{
        Clock, CompanyId, Counters, Event, EventBody, IntegrationId, ManualClock, MemberCounters,
        Phase, Progress, Run, RunState, Time,
    },
    store::{Kept, Store},
    sync::queue,
};
use futures_util::{FutureExt, future::join_all};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    task::{Context, Wake},
    time::Duration,
};

struct Scene {
    _home: tempfile::TempDir,
    clock: ManualClock,
    store: Store,
    feed: Feed,
    run: Run,
}

impl Scene {
    /// An integration and a run of it: two events.
    async fn new() -> Self {
        let clock = ManualClock::default();
        let (home, store) = queue::tests::store(Arc::new(clock.clone())).await;
        let (_, run) = queue::tests::stored(&store).await;
        Self {
            _home: home,
            feed: Feed::new(store.clone(), Arc::new(clock.clone())),
            clock,
            store,
            run,
        }
    }

    /// One who watches all of the company.
    async fn watch(&self, from: From) -> Watcher {
        let scope = Scope {
            changes: true,
            ..Scope::default()
        };
        self.watch_within(scope, from).await
    }

    async fn watch_within(&self, scope: Scope, from: From) -> Watcher {
        let company = CompanyId::try_new("acme").unwrap();
        self.feed.watch(company, scope, from).await.unwrap()
    }

    fn progress(&self) -> Progress {
        Progress {
            integration: self.run.integration.clone(),
            run: self.run.id.clone(),
            phase: Phase::Applying,
            counters: Counters::default(),
            members: MemberCounters::default(),
            total: Some(7),
            per_second: 1,
            remaining: None,
            throttled_for: None,
        }
    }

    /// One more event.
    async fn publish(&mut self) {
        self.run.state = RunState::Running;
        let saved = self
            .store
            .save_run(self.run.clone(), Some(EventBody::RunStarted));
        saved.await.unwrap();
    }
}

/// Lets go of all events but the last; tells how many those were.
async fn forget(store: &Store) -> usize {
    let kept = Kept {
        events: Time::MAX,
        runs: Time::UNIX_EPOCH,
    };
    let company = CompanyId::try_new("acme").unwrap();
    store.forget_history(&company, kept).await.unwrap()
}

/// How often something was woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// The next event and its sequence.
async fn event(watcher: &mut Watcher) -> (u64, Arc<Told>) {
    let next = async {
        loop {
            let news = watcher.next().await.unwrap();
            if let NewsItem::Event(told) = news.item {
                let Event { sequence, time, .. } = told.event;
                assert_eq!((sequence, time), (news.sequence, news.time));
                return (sequence, told);
            }
        }
    };
    let next = tokio::time::timeout(Duration::from_secs(60), next).await;
    next.expect("is told nothing")
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_fetched_once_for_all_and_each_is_told_all_of_them() {
    let mut scene = Scene::new().await;
    let mut all = Vec::new();
    for _ in 0..20 {
        all.push(scene.watch(From::Earliest).await);
    }
    for _ in 0..300 {
        scene.publish().await;
    }
    for expected in 1..=302 {
        let told = join_all(all.iter_mut().map(event)).await;
        let (_, first) = &told[0];
        assert!(told.iter().all(|(sequence, _)| *sequence == expected));
        assert!(told.iter().all(|(_, event)| Arc::ptr_eq(event, first)));
    }
    // One that comes later and one that came earlier are told the same, and when it happened.
    let before = scene.clock.now();
    scene.clock.advance(Duration::from_hours(1));
    let mut late = scene.watch(From::After(150)).await;
    scene.publish().await;
    for expected in 151..=303 {
        let (sequence, told) = event(&mut late).await;
        assert_eq!(sequence, expected);
        assert_eq!(told.event.time > before, expected == 303);
    }
    assert_eq!(event(&mut all[0]).await.0, 303);
}

#[tokio::test]
async fn who_watches_another_integration_is_not_woken_and_is_told_how_far_all_is() {
    let mut scene = Scene::new().await;
    let scope = Scope {
        integration: Some(IntegrationId::try_new("other").unwrap()),
        changes: true,
        ..Scope::default()
    };
    let mut watcher = scene.watch_within(scope, From::Now).await;
    let news = watcher.next().await.unwrap();
    assert_eq!((news.sequence, news.item), (2, NewsItem::Heartbeat));
    let woken = Arc::new(Woken::default());
    {
        let waker = Arc::clone(&woken).into();
        let next = std::pin::pin!(watcher.next());
        assert!(next.poll(&mut Context::from_waker(&waker)).is_pending());
        scene.publish().await;
        scene.feed.tell(&scene.run.company, &scene.progress());
        assert_eq!(woken.0.load(Ordering::Relaxed), 0);
    }
    tokio::time::pause();
    let news = watcher.next().await.unwrap();
    assert_eq!((news.sequence, news.item), (3, NewsItem::Heartbeat));
    // One who watches the run's integration is told of both.
    let scope = Scope {
        integration: Some(scene.run.integration.clone()),
        ..Scope::default()
    };
    let mut watcher = scene.watch_within(scope, From::After(2)).await;
    assert_eq!(event(&mut watcher).await.0, 3);
    let news = watcher.next().await.unwrap();
    let progress = Box::new(scene.progress());
    assert_eq!(
        (news.sequence, news.item),
        (3, NewsItem::Progress(progress))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_follows_the_earliest_kept_is_not_told_to_one_who_missed_what_was_before() {
    let mut scene = Scene::new().await;
    let mut behind = scene.watch(From::After(2)).await;
    for _ in 0..5 {
        scene.publish().await;
    }
    assert_eq!(forget(&scene.store).await, 6);
    let mut from_the_earliest = scene.watch(From::Earliest).await;
    assert_eq!(event(&mut from_the_earliest).await.0, 7);
    let told = behind.next().await;
    assert!(matches!(told, Err(Error::BadPosition(_))), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_began_before_there_was_anything_does_not_miss_what_is_let_go_without_a_word() {
    let (_home, store) = queue::tests::store(Arc::new(ManualClock::default())).await;
    let feed = Feed::new(store.clone(), Arc::new(ManualClock::default()));
    let company = || CompanyId::try_new("acme").unwrap();
    let watch = || feed.watch(company(), Scope::default(), From::Earliest);
    let mut behind = watch().await.unwrap();
    queue::tests::stored(&store).await;
    assert_eq!(forget(&store).await, 1);
    let mut later = watch().await.unwrap();
    assert_eq!(event(&mut later).await.0, 2);
    let told = behind.next().await;
    assert!(matches!(told, Err(Error::BadPosition(_))), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_begins_with_the_earliest_kept_is_not_told_what_another_was_before_it_was_let_go() {
    let mut scene = Scene::new().await;
    scene.publish().await;
    let mut slow = scene.watch(From::Earliest).await;
    assert_eq!(event(&mut slow).await.0, 1);
    assert_eq!(forget(&scene.store).await, 2);
    let mut from_the_earliest = scene.watch(From::Earliest).await;
    scene.publish().await;
    assert_eq!(event(&mut from_the_earliest).await.0, 3);
    assert_eq!(event(&mut from_the_earliest).await.0, 4);
    for expected in 2..=4 {
        assert_eq!(event(&mut slow).await.0, expected);
    }
}

#[test]
fn one_whose_stream_is_not_read_on_holds_up_nobody() {
    // What is fetched is fetched by one thread, so that it is known when nothing is.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .max_blocking_threads(1)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut scene = Scene::new().await;
        let mut all = Vec::new();
        for _ in 0..5 {
            all.push(scene.watch(From::After(2)).await);
        }
        scene.publish().await;
        let (go, wait) = mpsc::channel::<()>();
        let busy = tokio::task::spawn_blocking(move || wait.recv());
        // Asked just once each, as a stream is that has no more room; what they wait for is under way.
        let mut stalled = Vec::new();
        for watcher in &mut all {
            let mut next = Box::pin(event(watcher));
            assert!(next.as_mut().now_or_never().is_none());
            stalled.push(next);
        }
        drop(go);
        busy.await.unwrap().unwrap_err();
        let mut reads_on = scene.watch(From::After(2)).await;
        for expected in 3..10 {
            assert_eq!(event(&mut reads_on).await.0, expected);
            scene.publish().await;
        }
        drop(stalled);
        for watcher in &mut all {
            for expected in 3..=10 {
                assert_eq!(event(watcher).await.0, expected);
            }
        }
    });
}
