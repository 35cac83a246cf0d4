use super::*;
use crate::{
    model::{
        Attribute, Attributes, EntityId, EntityLink, IntegrationId, LinkOrigin, Time, Uid, Value,
        WrittenBy,
    },
    store::Slice,
    sync::meanwhile,
};

/// A run over an integration that has provisioned users, each named after the address he holds.
struct Scene {
    _home: tempfile::TempDir,
    job: Job,
}

fn source(name: &str) -> SourceId {
    SourceId::try_new(name).unwrap()
}

fn email(name: &str) -> String {
    format!("{name}@acme.test")
}

fn addressed(name: &str) -> Attributes {
    Attributes::from_iter([(Attribute::USER_NAME, Value::Text(email(name)))])
}

impl Scene {
    async fn new(names: &[&str]) -> Self {
        let (_home, job) = meanwhile::job().await;
        let scene = Self { _home, job };
        for name in names {
            scene.provision(name).await;
        }
        scene
    }

    async fn provision(&self, name: &str) {
        let of = &self.job.integration;
        let uid = Uid::generate();
        let entity = Entity {
            company: of.company.clone(),
            kind: Kind::User,
            id: EntityId::of(uid),
            uid,
            attributes: addressed(name),
            owners: [(Attribute::USER_NAME, of.id.clone())].into(),
            links: vec![EntityLink {
                integration: of.uid,
                source: source(name),
            }],
            deactivated_by_hand: false,
            written_by: WrittenBy::Integration(of.id.clone()),
            revision: 0,
            create_time: Time::UNIX_EPOCH,
            update_time: Time::UNIX_EPOCH,
        };
        let mut link = Link::observed(source(name));
        link.target = Some((entity.id.clone(), LinkOrigin::Created));
        link.fingerprint = addressed(name).fingerprint();
        self.job.table(Kind::User).learn(&link);
        let slice = Slice {
            entities: vec![entity],
            links: vec![(Kind::User, link)],
            ..self.job.slice()
        };
        self.job.store.commit(slice).await.unwrap();
    }

    /// The user of this source object is to look like this.
    fn item(&self, name: &str, desired: Attributes) -> Item {
        self.job.table(Kind::User).see(&source(name));
        self.job.ledger().consider(None);
        Item {
            kind: Kind::User,
            source: source(name),
            label: name.to_owned(),
            unlinked: false,
            rule: None,
            size: None,
            what: What::Provision {
                desired,
                defaults: Attributes::default(),
            },
        }
    }

    async fn entity(&self, address: &str) -> Entity {
        let (company, address) = (&self.job.integration.company, email(address));
        let found = self.job.store.entity_by_email(company, &address);
        found.await.unwrap().unwrap()
    }

    /// From which source objects the holders of these addresses come.
    async fn holders(&self, addresses: &[&str]) -> Vec<String> {
        let mut holders = Vec::new();
        for address in addresses {
            let holder = self.entity(address).await;
            let from = holder.linked_to(self.job.integration.uid);
            holders.push(from.unwrap().to_string());
        }
        holders
    }

    /// Another integration owns the address of this user.
    async fn disown(&self, name: &str) {
        let mut entity = self.entity(name).await;
        let other = IntegrationId::try_new("other").unwrap();
        entity.owners.insert(Attribute::USER_NAME, other);
        self.job.store.update_entity(entity, false).await.unwrap();
    }

    /// What is told of these users after all of them were decided about.
    async fn settle(&self, items: Vec<Item>) -> Vec<(String, String)> {
        settle(&self.job, Kind::User, items).await.unwrap();
        let company = &self.job.integration.company;
        let events = self.job.store.events(company, 0, 1000).await.unwrap();
        let mut told = Vec::new();
        for event in events {
            if let crate::model::EventBody::Change { change, .. } = event.body {
                let reason = change.reason.map(|reason| reason.code);
                told.push((change.source.id, reason.unwrap_or_default()));
            }
        }
        told.sort();
        told
    }

    /// Unchanged, modified, skipped, failed, deferred.
    fn counts(&self) -> [u64; 5] {
        let counted = self.job.ledger().run.tally.objects;
        [
            counted.unchanged,
            counted.modified,
            counted.skipped,
            counted.failed,
            counted.deferred,
        ]
    }
}

const FOUR: [&str; 4] = ["ann", "bob", "cid", "dan"];

/// `ann` and `bob` want each other's address, and so do `cid` and `dan`. `bob` is to look like this.
fn two_swaps(scene: &Scene, bob: Attributes) -> Vec<Item> {
    vec![
        scene.item("ann", addressed("bob")),
        scene.item("bob", bob),
        scene.item("cid", addressed("dan")),
        scene.item("dan", addressed("cid")),
    ]
}

fn told(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(source, reason): &(&str, &str)| ((*source).to_owned(), (*reason).to_owned());
    expected.iter().map(owned).collect()
}

#[tokio::test]
async fn all_who_swap_their_addresses_have_them() {
    let scene = Scene::new(&FOUR).await;
    scene.settle(two_swaps(&scene, addressed("ann"))).await;
    assert_eq!(scene.counts(), [0, 4, 0, 0, 0]);
    let expected = ["bob", "ann", "dan", "cid"];
    assert_eq!(scene.holders(&FOUR).await, expected);
}

#[tokio::test]
async fn who_is_too_large_to_be_written_stops_only_who_wants_his_address() {
    let scene = Scene::new(&FOUR).await;
    let mut large = addressed("ann");
    for attribute in [Attribute::TITLE, Attribute::DEPARTMENT] {
        large.set(attribute, Value::Text("x".repeat(4000)));
    }
    let changes = scene.settle(two_swaps(&scene, large)).await;
    assert_eq!(scene.counts(), [0, 2, 0, 2, 0]);
    let expected = ["ann", "bob", "dan", "cid"];
    assert_eq!(scene.holders(&FOUR).await, expected);
    let expected = [
        ("ann", "EMAIL_TAKEN"),
        ("bob", "TOO_LARGE"),
        ("cid", ""),
        ("dan", ""),
    ];
    assert_eq!(changes, told(&expected));
}

#[tokio::test]
async fn whose_address_belongs_to_another_integration_stops_only_who_wants_it() {
    let scene = Scene::new(&FOUR).await;
    scene.disown("bob").await;
    let changes = scene.settle(two_swaps(&scene, addressed("ann"))).await;
    assert_eq!(scene.counts(), [0, 2, 1, 1, 0]);
    let expected = ["ann", "bob", "dan", "cid"];
    assert_eq!(scene.holders(&FOUR).await, expected);
    let expected = [
        ("ann", "EMAIL_TAKEN"),
        ("bob", "OWNED_BY"),
        ("cid", ""),
        ("dan", ""),
    ];
    assert_eq!(changes, told(&expected));
}

#[tokio::test]
async fn who_stays_where_he_is_stops_only_who_wants_his_address() {
    let scene = Scene::new(&FOUR).await;
    scene.settle(two_swaps(&scene, addressed("bob"))).await;
    assert_eq!(scene.counts(), [1, 2, 0, 1, 0]);
}

#[tokio::test]
async fn of_two_who_want_the_same_address_one_has_it_and_stops_nobody() {
    for place in [0, 1, 4] {
        let scene = Scene::new(&["ann", "bob", "cid", "dan", "eve"]).await;
        let mut items = two_swaps(&scene, addressed("ann"));
        items.insert(place, scene.item("eve", addressed("bob")));
        let changes = scene.settle(items).await;
        assert_eq!(scene.counts(), [0, 4, 0, 1, 0], "{place}");
        let expected = ["bob", "ann", "dan", "cid"];
        assert_eq!(scene.holders(&FOUR).await, expected);
        let refused = &told(&[("eve", "EMAIL_TAKEN")])[0];
        assert!(changes.contains(refused), "{changes:?}");
    }
}
