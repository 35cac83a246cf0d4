use super::*;
use crate::model::{Action, Attributes, Kind, RuleEvent, Time};

fn rule(id: &str, run_mode: RunMode) -> Rule {
    Rule {
        company: CompanyId::try_new("acme").unwrap(),
        integration: IntegrationId::try_new("google").unwrap(),
        id: RuleId::try_new(id).unwrap(),
        title: id.to_owned(),
        position: 1,
        event: RuleEvent::Lookup,
        source_kind: Kind::User,
        conditions: Vec::new(),
        action: Action::Add,
        target_kind: Kind::User,
        defaults: Attributes::default(),
        run_mode,
        active: true,
        create_time: Time::UNIX_EPOCH,
        update_time: Time::UNIX_EPOCH,
    }
}

#[test]
fn waiting_requests_merge_into_the_union_of_their_rules() {
    let rules = [
        rule("a", RunMode::Automatic),
        rule("b", RunMode::Automatic),
        rule("m", RunMode::Manual),
    ];
    let ids = |names: &[&str]| {
        names
            .iter()
            .map(|name| RuleId::try_new(name).unwrap())
            .collect::<Vec<_>>()
    };
    let table: &[(&[&str], &[&str], &[&str])] = &[
        (&[], &[], &[]),
        (&["a"], &["a"], &["a"]),
        (&["a"], &["m"], &["a", "m"]),
        (&[], &["a"], &[]),
        (&["b"], &[], &[]),
        (&[], &["m"], &["a", "b", "m"]),
    ];
    for (one, other, union) in table {
        assert_eq!(
            merge(&ids(one), &ids(other), &rules),
            ids(union),
            "{one:?} and {other:?}"
        );
    }
}
