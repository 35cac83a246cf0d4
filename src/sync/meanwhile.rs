//! Tests of what a run decides about while a caller changes it: what the caller wants looked at again is looked at again.

use super::{
    apply, compare,
    events::Feed,
    job::{Filling, Job, Parts},
    joining,
    lane::Lane,
    plan::{self, Item, Plan, Planned, What},
    queue,
    record::{Count, Ended},
};
use crate::{
    directory::DirectoryConnector,
    model::{
        Attribute, Attributes, Clock, Entity, EntityId, EntityLink, Fingerprint, Kind, Link,
        LinkOrigin, ManualClock, SourceId, Time, Uid, Value, WrittenBy,
    },
    rules::RuleSet,
    store::Slice,
};
use std::{collections::BTreeMap, sync::Arc};
use tokio_util::sync::CancellationToken;

/// A run over one integration that has provisioned a user and a group.
struct Scene {
    _home: tempfile::TempDir,
    job: Job,
}

fn source() -> SourceId {
    SourceId::try_new("s1").unwrap()
}

fn email(kind: Kind) -> String {
    format!("{kind}@acme.test")
}

fn desired(kind: Kind) -> Attributes {
    Attributes::from_iter([
        (Attribute::USER_NAME, Value::Text(email(kind))),
        (Attribute::ACTIVE, Value::Bool(true)),
    ])
}

/// The job of a run over an integration that has provisioned nobody yet; the directory stands for the system.
pub(in crate::sync) async fn job() -> (tempfile::TempDir, Job) {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::default());
    let (home, store) = queue::tests::store(Arc::clone(&clock)).await;
    let (integration, run) = queue::tests::stored(&store).await;
    let end = DirectoryConnector::new(store.clone(), Arc::clone(&clock), &integration);
    let end = Arc::new(end);
    let parts = Parts {
        feed: Feed::new(store.clone(), Arc::clone(&clock)),
        store,
        clock,
        integration,
        source: Arc::clone(&end) as _,
        target: end,
        rules: RuleSet::compile(Vec::new(), &[]).unwrap(),
        mapped: [Vec::new(), Vec::new()],
        cancel: CancellationToken::new(),
        lane: Some(Arc::new(Lane::default())),
    };
    (home, Job::new(parts, run))
}

impl Scene {
    async fn new() -> Self {
        let (_home, job) = job().await;
        let scene = Self { _home, job };
        scene.provision(Kind::User).await;
        scene.provision(Kind::Group).await;
        scene
    }

    async fn provision(&self, kind: Kind) {
        let of = &self.job.integration;
        let uid = Uid::generate();
        let owners = desired(kind).into_iter();
        let owners: BTreeMap<_, _> = owners.map(|(name, _)| (name, of.id.clone())).collect();
        let entity = Entity {
            company: of.company.clone(),
            kind,
            id: EntityId::of(uid),
            uid,
            attributes: desired(kind),
            owners,
            links: vec![EntityLink {
                integration: of.uid,
                source: source(),
            }],
            deactivated_by_hand: false,
            written_by: WrittenBy::Integration(of.id.clone()),
            revision: 0,
            create_time: Time::UNIX_EPOCH,
            update_time: Time::UNIX_EPOCH,
        };
        let mut link = Link::observed(source());
        link.target = Some((entity.id.clone(), LinkOrigin::Created));
        link.fingerprint = Fingerprint(7);
        let slice = Slice {
            entities: vec![entity],
            links: vec![(kind, link)],
            ..self.job.slice()
        };
        self.job.store.commit(slice).await.unwrap();
    }

    async fn entity(&self, kind: Kind) -> Entity {
        let company = &self.job.integration.company;
        let found = self.job.store.entity_by_email(company, &email(kind)).await;
        found.unwrap().unwrap()
    }

    async fn link(&self, kind: Kind) -> Link {
        let uid = self.job.integration.uid;
        let links = self.job.store.links_of(uid, kind, vec![source()]).await;
        links.unwrap().remove(0).unwrap()
    }

    /// A caller says something that the next run must look at.
    async fn touch(&self, kind: Kind) {
        let again = self.entity(kind).await;
        self.job.store.update_entity(again, true).await.unwrap();
    }

    async fn delete(&self, kind: Kind) {
        let of = self.entity(kind).await;
        let which = (&of.company, kind, &of.id);
        let deleted = self
            .job
            .store
            .delete_entity(which, None, Time::MAX, "backend");
        deleted.await.unwrap();
    }

    /// What a run would do with the user, of whom nothing but his link is to be written.
    async fn look(&self) -> (Item, Plan) {
        let item = Item {
            kind: Kind::User,
            source: source(),
            label: email(Kind::User),
            unlinked: false,
            rule: None,
            size: None,
            what: What::Provision {
                desired: desired(Kind::User),
                defaults: Attributes::default(),
            },
        };
        let items = std::slice::from_ref(&item);
        let found = self.job.find(Kind::User, items).await.unwrap();
        match plan::plan(&item, &found[0], &self.job.context()) {
            Planned::Do(plan) => {
                assert!(plan.write.is_none() && plan.link.is_some(), "{plan:?}");
                (item, *plan)
            }
            Planned::Park => panic!("parked"),
        }
    }

    /// Whether the plan was written.
    async fn writes(&self, (item, plan): (Item, Plan)) -> bool {
        let written = apply::write(&self.job, Kind::User, &[item], vec![plan]).await;
        written.unwrap().is_ok()
    }

    /// Writes that the group has members, as it was decided when its link was this.
    async fn fill(&self, link: Link) {
        let group = Filling {
            source: source(),
            label: email(Kind::Group),
            rule: None,
            count: Count::Unchanged,
            size: None,
        };
        let joining = compare::Joining {
            remains: true,
            ..compare::Joining::default()
        };
        let written = joining::write(&self.job, &group, link, Fingerprint(9), joining);
        assert!(written.await.unwrap());
    }
}

#[tokio::test]
async fn a_user_whom_a_caller_changes_while_only_his_link_is_written_is_looked_at_again() {
    let scene = Scene::new().await;
    // That he has to be looked at was so before: his link does not tell that he was changed once more.
    scene.touch(Kind::User).await;
    let decided = scene.look().await;
    scene.touch(Kind::User).await;
    assert!(!scene.writes(decided).await);
    assert_eq!(scene.link(Kind::User).await.fingerprint, Fingerprint::NONE);
    let decided = scene.look().await;
    assert!(scene.writes(decided).await, "nobody changed him meanwhile");
    assert_ne!(scene.link(Kind::User).await.fingerprint, Fingerprint::NONE);
}

#[tokio::test]
async fn a_user_who_is_deleted_while_only_his_link_is_written_is_looked_at_again() {
    let scene = Scene::new().await;
    scene.touch(Kind::User).await;
    let decided = scene.look().await;
    scene.delete(Kind::User).await;
    assert!(!scene.writes(decided).await);
    assert_eq!(scene.link(Kind::User).await.fingerprint, Fingerprint::NONE);
}

#[tokio::test]
async fn a_group_that_is_changed_or_deleted_while_its_members_are_written_is_looked_at_again() {
    for deleted in [false, true] {
        let scene = Scene::new().await;
        let link = scene.link(Kind::Group).await;
        match deleted {
            true => scene.delete(Kind::Group).await,
            false => scene.touch(Kind::Group).await,
        }
        scene.fill(link).await;
        let link = scene.link(Kind::Group).await;
        assert_eq!(link.fingerprint, Fingerprint::NONE, "{deleted}");
        assert_eq!(link.members_fingerprint, Fingerprint(9), "{deleted}");
    }
}

#[tokio::test]
async fn what_the_store_did_not_write_is_not_counted_as_written() {
    let scene = Scene::new().await;
    let job = &scene.job;
    let (item, plan) = scene.look().await;
    job.ledger().consider(None);
    let plan = Plan {
        count: Count::Modified,
        ..plan
    };
    drop(job.store.stall_disk(true));
    let written = apply::write(job, Kind::User, &[item], vec![plan]).await;
    assert!(written.is_err());
    assert_eq!(job.ledger().run.tally.objects.modified, 0);
    job.ledger().close(Ended::Cancelled);
    let counted = job.ledger().run.tally.objects;
    assert_eq!((counted.considered, counted.deferred), (1, 1), "next time");
}
