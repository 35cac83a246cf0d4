use super::*;
use crate::proto::v1::{MembershipCounters, ReasonCount, RuleCounters, RunError};
use std::collections::BTreeMap;

fn counters(considered: i64, added: i64, skipped: i64) -> Counters {
    Counters {
        considered,
        in_scope: considered,
        added,
        skipped,
        ..Default::default()
    }
}

fn run() -> Run {
    let by = |rule: &str, counters| RuleCounters {
        rule: rule.to_owned(),
        counters: Some(counters),
    };
    Run {
        state: State::Succeeded.into(),
        counters: Some(counters(1_050, 1_048, 2)),
        rule_counters: vec![
            by("u", counters(1_000, 999, 1)),
            by("g", counters(50, 49, 1)),
        ],
        memberships: Some(MembershipCounters {
            considered: 12_345,
            added: 12_340,
            pending: 5,
            ..Default::default()
        }),
        skipped_by_reason: vec![ReasonCount {
            reason: "OWNED_BY".to_owned(),
            count: 2,
        }],
        requests: Some(SystemRequests {
            by_method: BTreeMap::from([
                ("users.list".to_owned(), 2),
                ("members.list".to_owned(), 50),
            ]),
            retries: 3,
            throttled_time: None,
        }),
        ..Default::default()
    }
}

fn rules() -> Vec<Rule> {
    [("u", Kind::User), ("g", Kind::Group)]
        .map(|(name, kind)| Rule {
            name: name.to_owned(),
            source_kind: kind.into(),
            ..Default::default()
        })
        .to_vec()
}

#[test]
fn the_table_has_a_row_for_each_kind_and_hides_columns_that_hold_nothing() {
    let text = of_run(&run(), &rules());
    let table = "
                 read   added  updated  unchanged  skipped  failed  pending
  users         1,000     999        0          0        1       0        -
  groups           50      49        0          0        1       0        -
  memberships  12,345  12,340        -          0        0       0        5
";
    assert!(text.contains(table), "{text}");
}

#[test]
fn reasons_and_requests_are_told() {
    let text = of_run(&run(), &rules());
    assert!(text.contains("Skipped: 2 OWNED_BY"), "{text}");
    let requests =
        "Asked of Google: 52 requests (50 members.list, 2 users.list), 3 of them repeated\n";
    assert!(text.contains(requests), "{text}");
}

#[test]
fn only_a_run_that_succeeded_is_good_and_the_others_say_why() {
    assert!(judge(&run()).is_ok());
    let mut failed = run();
    failed.set_state(State::Failed);
    failed.error = Some(RunError {
        reason: "LISTING_INCOMPLETE".to_owned(),
        message: "Google stopped answering".to_owned(),
    });
    let text = judge(&failed).unwrap_err().to_string();
    assert!(
        text.contains("Google stopped answering (LISTING_INCOMPLETE)"),
        "{text}"
    );
    let mut partly = run();
    partly.set_state(State::SucceededWithFailures);
    assert!(judge(&partly).is_err());
}

#[test]
fn a_person_is_shown_with_work_and_groups() {
    let group = |name: &str| Group {
        display_name: name.to_owned(),
        ..Default::default()
    };
    let user = User {
        user_name: "ada@acme.test".to_owned(),
        display_name: "Ada Lovelace".to_owned(),
        department: "Research".to_owned(),
        active: Some(false),
        ..Default::default()
    };
    let arrived = Arrived {
        users: 1,
        groups: 2,
        memberships: 2,
        people: vec![Person {
            user,
            groups: vec![group("Engines"), group("Poets")],
        }],
    };
    let text = of_directory(&arrived, &run());
    assert!(
        text.contains("1 user, 2 groups and 2 memberships"),
        "{text}"
    );
    assert!(
        text.contains(
            "  Ada Lovelace <ada@acme.test>, Research, suspended, in Engines and 1 other group\n"
        ),
        "{text}"
    );
}

#[test]
fn more_memberships_than_were_read_are_explained() {
    let mut arrived = Arrived {
        users: 0,
        groups: 0,
        memberships: 12_340,
        people: Vec::new(),
    };
    let note = "stands for everybody";
    assert!(!of_directory(&arrived, &run()).contains(note));
    arrived.memberships += 1;
    assert!(of_directory(&arrived, &run()).contains(note));
}
