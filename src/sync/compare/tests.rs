use super::*;
use crate::connector::{MemberKind, SourceMember};
use crate::model::Fingerprint;

fn id(text: &str) -> SourceId {
    SourceId::try_new(text).unwrap()
}

fn entity(text: &str) -> EntityId {
    EntityId::try_new(&format!("e-{text}")).unwrap()
}

/// Memberships applied before, and those listed now, all of them linked.
fn compared(before: &[&str], now: &[&str], limit: u32) -> Joining {
    compared_without(&[], before, now, limit)
}

/// The same if these were deleted in the directory.
fn compared_without(gone: &[(&str, bool)], before: &[&str], now: &[&str], limit: u32) -> Joining {
    let applied = |source: &&str| AppliedMember {
        kind: Kind::User,
        source: id(source),
        state: MemberState::Applied(entity(source)),
    };
    let member = |source: &&str| {
        let member = SourceMember {
            kind: MemberKind::User,
            id: id(source),
            email: None,
        };
        (member, Standing::Linked(Kind::User))
    };
    let listing = Listing {
        members: now.iter().map(member).collect(),
        fingerprint: Fingerprint(1),
    };
    let targets = now
        .iter()
        .map(|s| (id(s), (Kind::User, (*s).to_owned(), Some(entity(s)))))
        .collect();
    let gone = gone.iter();
    let gone = gone
        .map(|(id, kept)| ((Kind::User, entity(id)), *kept))
        .collect();
    let terms = Terms {
        uid: Uid::generate(),
        limit,
        gone: &gone,
    };
    compare(
        terms,
        &entity("group"),
        &listing,
        before.iter().map(applied).collect(),
        &targets,
    )
}

#[test]
fn who_joined_is_added_and_who_left_is_taken_away() {
    let joining = compared(&["a", "b", "c"], &["b", "c", "d"], 50);
    let writes: Vec<(String, bool)> = joining
        .steps
        .iter()
        .filter_map(|step| step.write.as_ref())
        .map(|w| (w.member.to_string(), w.add))
        .collect();
    assert_eq!(
        writes,
        [("e-a".to_owned(), false), ("e-d".to_owned(), true)]
    );
    let c = joining.counters;
    assert_eq!(
        (c.considered, c.unchanged, c.added, c.removed),
        (4, 2, 1, 1)
    );
}

#[test]
fn the_same_members_need_no_step() {
    assert!(compared(&["a", "b"], &["a", "b"], 50).steps.is_empty());
}

#[test]
fn a_loss_above_the_limit_is_held_and_nothing_of_it_forgotten() {
    let joining = compared(&["a", "b", "c"], &["a", "d"], 50);
    assert_eq!(
        joining.held.as_ref().map(|reason| reason.code.as_str()),
        Some("MEMBER_LOSS_LIMIT")
    );
    assert!(
        joining
            .steps
            .iter()
            .all(|step| matches!(step.memory, Memory::Keep(_))),
        "who joined is still added"
    );
    let c = joining.counters;
    assert_eq!(
        c.considered,
        c.unchanged + c.added + c.removed + c.pending + c.skipped + c.failed
    );
    assert_eq!((c.added, c.removed, c.skipped), (1, 0, 2));
}

#[test]
fn a_limit_of_one_hundred_percent_lets_all_leave() {
    let joining = compared(&["a", "b"], &[], 100);
    assert!(joining.held.is_none() && !joining.remains);
    assert_eq!(joining.counters.removed, 2);
}

#[test]
fn a_member_made_again_at_the_source_keeps_the_membership() {
    let before = vec![AppliedMember {
        kind: Kind::User,
        source: id("old"),
        state: MemberState::Applied(entity("x")),
    }];
    let member = SourceMember {
        kind: MemberKind::User,
        id: id("new"),
        email: None,
    };
    let listing = Listing {
        members: vec![(member, Standing::Linked(Kind::User))],
        fingerprint: Fingerprint(1),
    };
    let targets = [(id("new"), (Kind::User, "x".to_owned(), Some(entity("x"))))]
        .into_iter()
        .collect();
    let joining = compare(
        Terms {
            uid: Uid::generate(),
            limit: 0,
            gone: &Gone::new(),
        },
        &entity("group"),
        &listing,
        before,
        &targets,
    );
    assert!(joining.held.is_none() && joining.left.is_empty());
    assert!(
        joining
            .steps
            .iter()
            .filter_map(|step| step.write.as_ref())
            .all(|write| write.add)
    );
}

#[test]
fn who_was_deleted_neither_joins_nor_leaves_but_is_remembered() {
    let gone = [("a", true), ("d", true), ("f", false)];
    let (before, now) = (["a", "b", "c"], ["b", "c", "d", "e", "f"]);
    let joining = compared_without(&gone, &before, &now, 50);
    assert_eq!(joining.joined, ["e"]);
    assert!(joining.left.is_empty() && joining.held.is_none());
    // Of who can be had back it is kept for then; who is gone for good is only remembered.
    let steps = joining.steps.iter();
    let written: Vec<_> = steps.filter_map(|step| step.write.as_ref()).collect();
    let mut written: Vec<_> = written
        .iter()
        .map(|w| (w.member.to_string(), w.add))
        .collect();
    written.sort();
    let expected = [("e-a", false), ("e-d", true), ("e-e", true)];
    assert_eq!(written, expected.map(|(id, add)| (id.to_owned(), add)));
    assert_eq!(joining.steps.len(), 4);
    assert_eq!(joining.steps.iter().filter(|step| step.told).count(), 1);
    let c = joining.counters;
    assert_eq!(
        (c.considered, c.unchanged, c.added, c.removed),
        (5, 4, 1, 0)
    );
}

#[test]
fn a_loss_is_what_the_group_loses_of_what_it_has() {
    let before = ["a", "b", "c"];
    let gone = [("a", true), ("b", false)];
    assert!(compared_without(&gone, &before, &[], 99).held.is_some());
    assert!(
        compared_without(&gone[..1], &before, &["c"], 50)
            .held
            .is_none()
    );
}
