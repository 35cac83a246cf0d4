use super::*;
use crate::support::company;
use provisiond::{
    model::{Clock as _, CompanyId},
    proto::v1::watch_runs_response::Event,
};
use tonic::Code;

fn titled(title: &str) -> v1::Integration {
    v1::Integration {
        title: title.to_owned(),
        ..named()
    }
}

fn percent(integration: &v1::Integration) -> i32 {
    integration
        .limits
        .as_ref()
        .unwrap()
        .max_member_loss_percent()
}

fn limited(percent: Option<i32>) -> v1::Integration {
    v1::Integration {
        limits: Some(v1::Limits {
            max_member_loss_percent: percent,
        }),
        ..named()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_changes_what_its_mask_names_and_nothing_else() {
    let mut world = quiet().await;
    let made = world.integration().await;
    let titled = world.update(titled("Main"), &["title"]).await.unwrap();
    let expected = v1::Integration {
        title: "Main".to_owned(),
        etag: titled.etag.clone(),
        update_time: titled.update_time,
        ..made.clone()
    };
    assert_eq!(titled, expected);
    assert_ne!(titled.etag, made.etag, "though the clock stands still");
    let seven = world.update(limited(Some(7)), &[]).await.unwrap();
    assert_eq!((seven.title.as_str(), percent(&seven)), ("Main", 7));
    for path in ["limits", "limits.max_member_loss_percent"] {
        world.update(limited(Some(7)), &[path]).await.unwrap();
        let back = world.update(named(), &[path]).await.unwrap();
        assert_eq!(
            (back.title.as_str(), percent(&back)),
            ("Main", 50),
            "{path}"
        );
    }
    assert_eq!(world.integration().await.title, "Main");
    let all = v1::Integration {
        title: "All".to_owned(),
        ..limited(Some(3))
    };
    let all = world.update(all, &["*"]).await.unwrap();
    assert_eq!((all.title.as_str(), percent(&all)), ("All", 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_caller_got_can_be_sent_back_with_one_thing_changed() {
    let mut world = World::ready(small()).await;
    let mut got = world.integration().await;
    got.title = "Renamed".to_owned();
    let updated = world.update(got.clone(), &[]).await.unwrap();
    assert_eq!(updated.title, "Renamed");
    assert_eq!(updated.authorization, got.authorization);
    let stale = world.update(got, &[]).await.unwrap_err();
    assert_eq!(stale.code(), Code::Aborted, "{stale:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_changes_nothing_writes_nothing() {
    let mut world = quiet().await;
    let before = (world.integration().await, world.store.writes());
    let same = world.update(titled(" google "), &["title"]).await.unwrap();
    assert_eq!((same, world.store.writes()), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_is_news_and_its_title_is_unique() {
    let mut world = quiet().await;
    world.create("other").await;
    let acme = CompanyId::try_new("acme").unwrap();
    let last = world.store.last_sequence(&acme).await.unwrap();
    let taken = world.update(titled("OTHER"), &["title"]).await.unwrap_err();
    assert_eq!(taken.code(), Code::AlreadyExists, "{taken:?}");
    assert_eq!(world.store.last_sequence(&acme).await.unwrap(), last);
    world.update(titled("Main"), &["title"]).await.unwrap();
    let request = v1::WatchRunsRequest {
        parent: company(),
        position: Some(v1::watch_runs_request::Position::AfterSequence(
            i64::try_from(last).unwrap(),
        )),
        include_changes: false,
    };
    let mut news = world.sync.watch_runs(request).await.unwrap().into_inner();
    let first = news.message().await.unwrap().unwrap();
    let Some(Event::IntegrationChanged(shown)) = first.event else {
        panic!("{first:?}");
    };
    assert_eq!(shown.integration, integration());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_only_validated_is_answered_alike_and_leaves_nothing_behind() {
    let mut world = quiet().await;
    world.create("other").await;
    let before = (world.integration().await, world.store.writes());
    let update = |title: &str| v1::UpdateIntegrationRequest {
        integration: Some(titled(title)),
        update_mask: mask(&["title"]),
        validate_only: true,
    };
    let answer = world.integrations.update_integration(update("New")).await;
    assert_eq!(answer.unwrap().into_inner().title, "New");
    let taken = world.integrations.update_integration(update("other")).await;
    assert_eq!(taken.unwrap_err().code(), Code::AlreadyExists);
    let create = |title: &str| v1::CreateIntegrationRequest {
        parent: company(),
        integration: Some(v1::Integration {
            title: title.to_owned(),
            system: before.0.system.clone(),
            direction: before.0.direction,
            ..v1::Integration::default()
        }),
        integration_id: "third".to_owned(),
        request_id: "once".to_owned(),
        validate_only: true,
    };
    let answer = world.integrations.create_integration(create("Third")).await;
    let name = answer.unwrap().into_inner().name;
    assert!(name.ends_with("/integrations/third"), "{name}");
    let taken = world.integrations.create_integration(create("other")).await;
    assert_eq!(taken.unwrap_err().code(), Code::AlreadyExists);
    assert_eq!((world.integration().await, world.store.writes()), before);
    let really = v1::CreateIntegrationRequest {
        validate_only: false,
        ..create("Third")
    };
    let made = world.integrations.create_integration(really).await;
    assert_eq!(made.unwrap().into_inner().title, "Third");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_interval_or_zone_counts_from_now_on_and_nothing_else_moves_the_due_time() {
    let mut world = World::ready(small()).await;
    let activate = v1::ActivateIntegrationRequest {
        name: named().name,
        ..v1::ActivateIntegrationRequest::default()
    };
    let active = world.integrations.activate_integration(activate).await;
    let daily = active.unwrap().into_inner();
    assert_eq!(daily.upcoming_sync_times.len(), 5);
    let renamed = world.update(titled("Main"), &["title"]).await.unwrap();
    assert_eq!(renamed.next_sync_time, daily.next_sync_time);
    let monthly = v1::Integration {
        sync_interval: v1::SyncInterval::Monthly.into(),
        time_zone: "Asia/Tokyo".to_owned(),
        ..named()
    };
    let monthly = world
        .update(monthly, &["sync_interval", "time_zone"])
        .await
        .unwrap();
    assert_eq!(monthly.sync_interval(), v1::SyncInterval::Monthly);
    let due = monthly.next_sync_time.unwrap();
    let tokyo = jiff::Timestamp::from_second(due.seconds)
        .unwrap()
        .to_zoned(jiff::tz::TimeZone::get("Asia/Tokyo").unwrap());
    assert_eq!((tokyo.day(), tokyo.hour(), tokyo.minute()), (1, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_zone_counts_from_now_on_also_if_the_last_change_was_made_by_a_clock_that_was_ahead()
{
    const DAY: std::time::Duration = std::time::Duration::from_secs(24 * 60 * 60);
    let mut world = quiet().await;
    let right = world.clock.now();
    world.clock.set(right + DAY * 10);
    let ahead = world.update(titled("Main"), &["title"]).await.unwrap();
    world.clock.set(right);
    let activate = v1::ActivateIntegrationRequest {
        name: named().name,
        ..v1::ActivateIntegrationRequest::default()
    };
    world
        .integrations
        .activate_integration(activate)
        .await
        .unwrap();
    let tokyo = v1::Integration {
        time_zone: "Asia/Tokyo".to_owned(),
        ..named()
    };
    let tokyo = world.update(tokyo, &["time_zone"]).await.unwrap();
    let due = tokyo.next_sync_time.unwrap().seconds;
    let day = i64::try_from(DAY.as_secs()).unwrap();
    let now = right.as_second();
    assert!((now..=now + day).contains(&due), "{due} seen from {now}");
    // Of changes the later one is later all the same.
    let seconds = |stamp: Option<prost_types::Timestamp>| stamp.map(|stamp| stamp.seconds);
    assert!(seconds(tokyo.update_time) >= seconds(ahead.update_time));
}
