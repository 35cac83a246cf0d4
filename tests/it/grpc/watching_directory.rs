//! The stream of what becomes of the directory.

use crate::{
    changes::scene::{Scene as _, at, team},
    support::{World, company, integration},
};
use provisiond::proto::v1::{
    self, DirectoryChange, User, WatchDirectoryResponse, directory_change::Type,
    watch_directory_request::Position, watch_directory_response::Event,
};
use tonic::{Code, Streaming};

async fn watch(
    world: &World,
    position: Option<Position>,
) -> Result<Streaming<WatchDirectoryResponse>, tonic::Status> {
    let request = v1::WatchDirectoryRequest {
        parent: company(),
        position,
    };
    let answer = world.directory.clone().watch_directory(request).await;
    answer.map(tonic::Response::into_inner)
}

/// The next change, with its message.
async fn next(
    news: &mut Streaming<WatchDirectoryResponse>,
) -> (DirectoryChange, WatchDirectoryResponse) {
    loop {
        let message = news.message().await.unwrap().unwrap();
        if let Some(Event::Change(change)) = message.event.clone() {
            return (change, message);
        }
    }
}

/// What callers do in the test, one thing after the other.
async fn edit(world: &mut World) -> (User, v1::Group) {
    let create = v1::CreateUserRequest {
        parent: company(),
        user: Some(User {
            user_name: at("zoe"),
            ..User::default()
        }),
        ..v1::CreateUserRequest::default()
    };
    let zoe = world
        .directory
        .create_user(create)
        .await
        .unwrap()
        .into_inner();
    let update = v1::UpdateUserRequest {
        user: Some(User {
            title: "Boss".to_owned(),
            department: "Sales".to_owned(),
            etag: String::new(),
            ..zoe.clone()
        }),
        ..v1::UpdateUserRequest::default()
    };
    for _ in 0..2 {
        // The second time nothing changes, and nothing is told.
        world.directory.update_user(update.clone()).await.unwrap();
    }
    let groups = world.groups().await;
    let team = groups
        .iter()
        .find(|group| group.email == at("team"))
        .unwrap();
    let add = v1::AddMemberRequest {
        parent: team.name.clone(),
        member: zoe.name.clone(),
    };
    let member = world
        .directory
        .add_member(add.clone())
        .await
        .unwrap()
        .into_inner();
    world.directory.add_member(add).await.unwrap();
    let remove = v1::RemoveMemberRequest { name: member.name };
    world.directory.remove_member(remove).await.unwrap();
    let delete = v1::DeleteUserRequest {
        name: zoe.name.clone(),
        etag: String::new(),
    };
    world.directory.delete_user(delete).await.unwrap();
    let undelete = v1::UndeleteUserRequest {
        name: zoe.name.clone(),
    };
    world.directory.undelete_user(undelete).await.unwrap();
    (zoe, team.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_callers_do_is_told_once_and_in_order_and_can_be_resumed() {
    let mut world = team().await;
    let mut news = watch(&world, None).await.unwrap();
    let first = news.message().await.unwrap().unwrap();
    assert!(matches!(first.event, Some(Event::Heartbeat(_))));
    let (zoe, team) = edit(&mut world).await;
    let mut told = Vec::new();
    let mut token = String::new();
    for at_number in 0..6 {
        let (change, message) = next(&mut news).await;
        assert_eq!((&*change.writer, &*change.change), ("caller", ""));
        if at_number == 2 {
            token = message.resume_token;
        }
        told.push(change);
    }
    let types: Vec<Type> = told.iter().map(DirectoryChange::r#type).collect();
    use Type::{Created, Deleted, MembersChanged, Undeleted, Updated};
    let expected = [
        Created,
        Updated,
        MembersChanged,
        MembersChanged,
        Deleted,
        Undeleted,
    ];
    assert_eq!(types, expected);
    assert_eq!((&told[0].object, &told[2].object), (&zoe.name, &team.name));
    assert_eq!(told[1].attributes, ["department", "title"]);
    assert_eq!(
        (&told[2].joined, &told[3].left),
        (&vec![at("zoe")], &vec![at("zoe")])
    );

    // Who comes back with his token goes on where he was.
    let mut resumed = watch(&world, Some(Position::ResumeToken(token)))
        .await
        .unwrap();
    for expected in &told[3..] {
        assert_eq!(next(&mut resumed).await.0, *expected);
    }
    world.sync().await;
    // Who watches runs is told nothing of what callers do to the directory.
    let request = v1::WatchRunsRequest {
        parent: company(),
        position: Some(v1::watch_runs_request::Position::AfterSequence(
            first.sequence,
        )),
        include_changes: true,
    };
    let mut runs = world.sync.watch_runs(request).await.unwrap().into_inner();
    let message = runs.message().await.unwrap().unwrap();
    assert!(
        matches!(
            message.event,
            Some(v1::watch_runs_response::Event::RunQueued(_))
        ),
        "{message:?}"
    );
    let other = format!("{}.1", uuid::Uuid::now_v7());
    let refused = watch(&world, Some(Position::ResumeToken(other))).await;
    assert_eq!(refused.unwrap_err().code(), Code::OutOfRange);
    for bad in [
        Position::AfterSequence(-1),
        Position::ResumeToken("x".to_owned()),
    ] {
        let refused = watch(&world, Some(bad)).await;
        assert_eq!(refused.unwrap_err().code(), Code::InvalidArgument);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_do_is_told_with_where_to_read_more_and_only_what_they_did() {
    let mut world = team().await;
    let mut news = watch(&world, None).await.unwrap();
    news.message().await.unwrap().unwrap();
    let name = serde_json::json!({"name": {"givenName": "Anne", "familyName": "Person"}});
    world.edit(&at("ann"), name).await;
    world.person("eve").await;
    world.join("team", "eve").await;
    let watch = v1::WatchRunsRequest {
        parent: company(),
        include_changes: true,
        ..v1::WatchRunsRequest::default()
    };
    let beside = world.sync.clone().watch_runs(watch).await;
    let mut beside = beside.unwrap().into_inner();
    let run = world.sync().await;
    let mut by_run = Vec::new();
    for _ in 0..3 {
        by_run.push(next(&mut news).await.0);
    }
    by_run.sort_by_key(|change| change.r#type);
    let types: Vec<Type> = by_run.iter().map(DirectoryChange::r#type).collect();
    assert_eq!(types, [Type::Created, Type::Updated, Type::MembersChanged]);
    assert!(by_run.iter().all(|change| change.writer == integration()));
    assert!(
        by_run
            .iter()
            .all(|change| change.change.starts_with(&run.name))
    );
    assert_eq!(
        (&*by_run[0].label, &by_run[2].joined),
        (&*at("eve"), &vec![at("eve")])
    );
    assert!(by_run[1].attributes.contains(&"name.givenName".to_owned()));
    assert_eq!(by_run[1].object, world.user("ann").await.name);
    // Who watches runs beside is told the same, as he sees it.
    let mut seen = std::collections::BTreeMap::new();
    loop {
        match beside.message().await.unwrap().unwrap().event.unwrap() {
            v1::watch_runs_response::Event::Change(change) => {
                seen.insert(change.name, change.target.unwrap().label);
            }
            v1::watch_runs_response::Event::RunFinished(_) => break,
            _ => {}
        }
    }
    let told = by_run.iter();
    let told = told.map(|change| (change.change.clone(), change.label.clone()));
    assert_eq!(seen, told.collect());
}
