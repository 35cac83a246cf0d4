use super::*;
use crate::model::LinkOrigin;

fn rehearsal() -> Rehearsal {
    Rehearsal {
        company: CompanyId::try_new("acme").unwrap(),
        integration: IntegrationId::try_new("google").unwrap(),
        uid: Uid::generate(),
        planned: Mutex::default(),
        records: Mutex::default(),
    }
}

fn source(text: &str) -> SourceId {
    SourceId::try_new(text).unwrap()
}

impl Rehearsal {
    /// A user of this address, linked with a source object.
    fn user(&self, id: &str, from: &str, address: &str, revision: u64) -> Entity {
        let object = Object {
            id: EntityId::try_new(id).unwrap(),
            address: address.into(),
            new: revision == 0,
        };
        Entity {
            revision,
            ..self.entity(Kind::User, &source(from), &object)
        }
    }

    fn slice(&self, entities: &[&Entity]) -> Slice {
        let link = |entity: &&Entity| {
            let from = entity.linked_to(self.uid).unwrap();
            let mut link = Link::observed(from.clone());
            link.target = Some((entity.id.clone(), LinkOrigin::Created));
            (entity.kind, link)
        };
        Slice {
            run: crate::sync::queue::tests::run("acme", "google"),
            seen: Vec::new(),
            links: entities.iter().map(link).collect(),
            parts: Vec::new(),
            entities: entities.iter().copied().cloned().collect(),
            members: Vec::new(),
            remembered: Vec::new(),
            changes: Vec::new(),
        }
    }

    /// Takes objects in, each with what is stored of it.
    fn takes(&self, entities: &[(&Entity, Option<&Entity>)]) -> Vec<usize> {
        let given: Vec<&Entity> = entities.iter().map(|(entity, _)| *entity).collect();
        let stored: Vec<_> = entities.iter().map(|(_, stored)| stored.cloned()).collect();
        self.take(&self.slice(&given), &stored)
    }

    /// From which source object the holder of an address comes; `stored` = what the store says.
    fn holder(&self, address: &str, stored: Option<&Entity>) -> Option<String> {
        let wanted = Wanted {
            source: source("asks"),
            email: address.to_owned(),
        };
        let mut found = [Found {
            holder: stored.cloned(),
            ..Found::default()
        }];
        self.correct(&[wanted], &mut found);
        let holder = found[0].holder.as_ref()?;
        Some(holder.linked_to(self.uid)?.to_string())
    }
}

#[test]
fn an_address_belongs_to_whom_it_was_planned_for_and_what_he_had_is_free() {
    let planned = rehearsal();
    let stored = planned.user("a", "s-a", "Old@x", 3);
    let moved = planned.user("a", "s-a", "New@x", 3);
    assert_eq!(
        planned.holder("old@x", Some(&stored)),
        Some("s-a".to_owned())
    );
    assert!(planned.takes(&[(&moved, Some(&stored))]).is_empty());
    assert_eq!(planned.holder("old@x", Some(&stored)), None);
    assert_eq!(planned.holder("new@x", None), Some("s-a".to_owned()));
    let heir = planned.user("b", "s-b", "old@x", 0);
    assert!(planned.takes(&[(&heir, None)]).is_empty());
    assert_eq!(
        planned.holder("OLD@x", Some(&stored)),
        Some("s-b".to_owned())
    );
    let id = |text: &str| EntityId::try_new(text).unwrap();
    let address = |id: &EntityId, stored, from: &str| {
        planned.address(Kind::User, id, stored, Some(&source(from)))
    };
    assert_eq!(
        address(&id("a"), Some(&stored), "a").as_deref(),
        Some("New@x")
    );
    assert_eq!(address(&id("b"), None, "s-b").as_deref(), Some("old@x"));
    assert_eq!(address(&id("c"), None, "s-b"), None);
}

#[test]
fn what_two_want_or_somebody_changed_meanwhile_conflicts_and_nothing_is_taken_in() {
    let planned = rehearsal();
    let (a, b) = (
        planned.user("a", "s-a", "one@x", 0),
        planned.user("b", "s-b", "ONE@x", 0),
    );
    assert_eq!(planned.takes(&[(&a, None), (&b, None)]), [1]);
    assert!(planned.link(Kind::User, &source("s-a")).is_none());
    assert!(planned.takes(&[(&a, None)]).is_empty());
    assert_eq!(planned.takes(&[(&b, None)]), [0]);
    let stored = planned.user("c", "s-c", "c@x", 4);
    let seen = planned.user("c", "s-c", "d@x", 3);
    assert_eq!(planned.takes(&[(&seen, Some(&stored))]), [0]);
    let twice = planned.user("c", "s-c", "d@x", 4);
    let both = [(&twice, Some(&stored)), (&twice, Some(&stored))];
    assert_eq!(planned.takes(&both), [1]);
    // Two adopt one object, one after the other.
    let (one, other) = (
        planned.user("c", "s-1", "c@x", 4),
        planned.user("c", "s-2", "c@x", 4),
    );
    assert!(planned.takes(&[(&one, Some(&stored))]).is_empty());
    assert_eq!(planned.takes(&[(&other, Some(&stored))]), [0]);
}

#[test]
fn addresses_can_be_swapped_within_a_slice() {
    let planned = rehearsal();
    let (a, b) = (
        planned.user("a", "s-a", "a@x", 1),
        planned.user("b", "s-b", "b@x", 1),
    );
    let (to_b, to_a) = (
        planned.user("a", "s-a", "b@x", 1),
        planned.user("b", "s-b", "a@x", 1),
    );
    assert!(
        planned
            .takes(&[(&to_b, Some(&a)), (&to_a, Some(&b))])
            .is_empty()
    );
    assert_eq!(planned.holder("a@x", Some(&a)), Some("s-b".to_owned()));
    assert_eq!(planned.holder("b@x", Some(&b)), Some("s-a".to_owned()));
}

#[test]
fn of_what_stays_as_it_was_nothing_is_kept() {
    let planned = rehearsal();
    let stored = planned.user("a", "s-a", "a@x", 1);
    let mut slice = planned.slice(&[&stored]);
    slice.links.clear();
    assert!(planned.take(&slice, &[Some(stored)]).is_empty());
    let kept = planned.planned();
    assert!(kept.users.is_empty() && kept.addresses.is_empty());
}

#[test]
fn links_come_in_pages_in_order_those_planned_in_place_of_those_stored() {
    let planned = rehearsal();
    let link = |from: &str, active: bool| Link {
        active,
        ..Link::observed(source(from))
    };
    let mut slice = planned.slice(&[]);
    for (from, active) in [("b", false), ("c", false), ("e", false), ("z", false)] {
        slice.links.push((Kind::User, link(from, active)));
    }
    planned.take(&slice, &[]);
    let stored = ["a", "b", "d", "f"].map(|from| link(from, true));
    for limit in 1..9 {
        let (mut after, mut all) = (None, Vec::new());
        loop {
            let later = |link: &&Link| after.as_ref().is_none_or(|after| link.source > *after);
            let page = stored.iter().filter(later).take(limit).cloned().collect();
            let page = planned.merge(Kind::User, after.as_ref(), limit, page);
            let Some(last) = page.last() else {
                break;
            };
            assert!(page.len() <= limit);
            after = Some(last.source.clone());
            all.extend(
                page.into_iter()
                    .map(|l| format!("{}{}", l.source, u8::from(l.active))),
            );
        }
        assert_eq!(all.concat(), "a1b0c0d1e0f1z0", "{limit}");
    }
    assert!(planned.merge(Kind::Group, None, 9, Vec::new()).is_empty());
}
