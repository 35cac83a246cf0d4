use super::*;
use crate::{
    model::{
        Action, Attributes, CompanyId, Condition, IntegrationId, Kind, Operator, Rule, RuleEvent,
        RuleId, RunMode, Time, Value,
    },
    rules::{Decision, RuleSet},
};

fn id(text: &str) -> SourceId {
    SourceId::try_new(text).unwrap()
}

fn user(name: &str, unit: Option<&str>) -> Object {
    let mut attributes = Attributes::default();
    attributes.set(Attribute::TITLE, Value::Text(name.to_owned()));
    if let Some(unit) = unit {
        attributes.set(Attribute::ORG_UNIT, Value::Text(unit.to_owned()));
    }
    Object {
        kind: Kind::User,
        id: id(name),
        attributes,
        member_count: None,
        defect: None,
    }
}

/// "a" holds Ann; "b" holds Bob, and more that could not be read; "all" holds everybody; "none" was not read.
fn knowledge() -> Knowledge {
    let group = |members: &[&str], everyone, unread: Option<&str>| Membership {
        members: members.iter().map(|member| id(member)).collect(),
        everyone,
        unread: unread.map(str::to_owned),
    };
    let mut knowledge = Knowledge::default();
    for (name, group) in [
        ("a", group(&["ann", "team"], false, None)),
        ("b", group(&["bob"], false, Some("503"))),
        ("all", group(&[], true, None)),
    ] {
        knowledge.groups.insert(name.to_owned(), group);
    }
    let unit = |id: &str, path: &str| (id.to_owned(), path.to_owned());
    knowledge.learn_units(Ok(vec![
        unit("id:0", "/"),
        unit("id:1", "/Staff"),
        unit("id:2", "/Staff/Sales"),
        unit("id:3", "/Staffing"),
    ]));
    knowledge
}

fn short(answer: &Answer) -> &str {
    match answer {
        Answer::Yes => "yes",
        Answer::No => "no",
        Answer::Unknown(_) => "?",
    }
}

fn condition(attribute: Attribute, operator: Operator, ids: &[&str]) -> Condition {
    Condition {
        attribute,
        operator,
        values: ids.iter().map(|id| (*id).to_owned()).collect(),
    }
}

fn ask(attribute: &Attribute, operator: Operator, ids: &[&str], object: &Object) -> Answer {
    let condition = condition(attribute.clone(), operator, ids);
    let test = super::super::condition::Test::compile(&condition).unwrap();
    test.ask(object, &knowledge())
}

fn judge(attribute: &Attribute, table: &[(&[&str], Object, &str)]) {
    for (ids, object, expected) in table {
        let answer = ask(attribute, Operator::MemberOf, ids, object);
        assert_eq!(short(&answer), *expected, "{ids:?} {}", object.id);
        let turned = match *expected {
            "yes" => "no",
            "no" => "yes",
            unknown => unknown,
        };
        let answer = ask(attribute, Operator::NotMemberOf, ids, object);
        assert_eq!(short(&answer), turned, "not {ids:?} {}", object.id);
    }
}

#[test]
fn who_is_in_any_of_the_groups_is_a_member_and_who_is_not_only_if_all_could_be_read() {
    let group = |name: &str| Object {
        kind: Kind::Group,
        ..user(name, None)
    };
    judge(
        &Attribute::GROUPS,
        &[
            (&["a"], user("ann", None), "yes"),
            (&["a"], user("bob", None), "no"),
            (&["b"], user("bob", None), "yes"),
            (&["b"], user("ann", None), "?"),
            (&["b", "a"], user("ann", None), "yes"),
            (&["a", "b"], user("cid", None), "?"),
            (&["none"], user("ann", None), "?"),
            (&["none", "a"], user("ann", None), "yes"),
            (&["A"], user("ann", None), "?"),
            (&["all"], user("cid", None), "yes"),
            (&["all"], group("cid"), "no"),
            (&["a"], group("team"), "yes"),
        ],
    );
}

#[test]
fn who_is_in_a_unit_or_in_one_within_it_is_a_member_and_where_nobody_knows_is_unknown() {
    judge(
        &Attribute::ORG_UNIT,
        &[
            (&["id:1"], user("u", Some("/Staff")), "yes"),
            (&["id:1"], user("u", Some("/STAFF/sales")), "yes"),
            (&["id:1"], user("u", Some("/Staffing")), "no"),
            (&["id:1"], user("u", Some("/")), "no"),
            (&["id:0"], user("u", Some("/Staff/Sales")), "yes"),
            (&["id:0"], user("u", Some("/")), "yes"),
            (&["id:2", "id:3"], user("u", Some("/Staffing")), "yes"),
            // Renamed since the units were listed.
            (&["id:1"], user("u", Some("/People")), "?"),
            (&["id:1"], user("u", None), "?"),
            // Deleted.
            (&["id:9"], user("u", Some("/Staff")), "?"),
            (&["id:9", "id:1"], user("u", Some("/Staff")), "yes"),
        ],
    );
    let mut unread = knowledge();
    unread.learn_units(Err("403".to_owned()));
    for knowledge in [unread, Knowledge::default()] {
        let answer = knowledge.within(
            &Attribute::ORG_UNIT,
            &["id:1".to_owned()],
            &user("u", Some("/Staff")),
        );
        assert_eq!(short(&answer), "?");
    }
}

fn rule(name: &str, position: u32, active: bool, conditions: Vec<Condition>) -> Rule {
    Rule {
        company: CompanyId::try_new("acme").unwrap(),
        integration: IntegrationId::try_new("google").unwrap(),
        id: RuleId::try_new(name).unwrap(),
        title: name.to_owned(),
        position,
        event: RuleEvent::Lookup,
        source_kind: Kind::User,
        conditions,
        action: Action::Add,
        target_kind: Kind::User,
        defaults: Attributes::default(),
        mappings: Vec::new(),
        run_mode: RunMode::Automatic,
        active,
        create_time: Time::UNIX_EPOCH,
        update_time: Time::UNIX_EPOCH,
    }
}

#[test]
fn what_is_plainly_not_met_settles_a_rule_and_what_is_not_known_leaves_open_who_decides() {
    let member = |group: &str| condition(Attribute::GROUPS, Operator::MemberOf, &[group]);
    let titled = |title: &str| condition(Attribute::TITLE, Operator::Equal, &[title]);
    let decide = |rules: Vec<Rule>, name: &str| {
        let set = RuleSet::compile(rules, &[]).unwrap();
        match set.decide(&user(name, None), &knowledge()) {
            Decision::By(rule) => rule.id.to_string(),
            Decision::LeftAlone { rule } => format!("left by {}", rule.id),
            Decision::OutOfScope => "out".to_owned(),
            Decision::Unknown(_) => "?".to_owned(),
        }
    };
    let first = |conditions| rule("one", 1, true, conditions);
    let second = |conditions| rule("two", 2, true, conditions);
    // False and unknown are false, in either order; true and unknown are unknown.
    assert_eq!(
        decide(vec![first(vec![titled("bob"), member("b")])], "ann"),
        "out"
    );
    assert_eq!(
        decide(vec![first(vec![member("b"), titled("bob")])], "ann"),
        "out"
    );
    assert_eq!(
        decide(vec![first(vec![member("b"), titled("ann")])], "ann"),
        "?"
    );
    // An unknown one in front leaves open who decides; behind the one that decides it does not matter.
    assert_eq!(
        decide(vec![first(vec![member("b")]), second(vec![])], "ann"),
        "?"
    );
    assert_eq!(
        decide(vec![first(vec![]), second(vec![member("b")])], "ann"),
        "one"
    );
    assert_eq!(
        decide(vec![first(vec![member("a")]), second(vec![])], "bob"),
        "two"
    );
    // One that is switched off may be the only one that is about it: then it is not out of scope.
    assert_eq!(
        decide(vec![rule("off", 1, false, vec![member("b")])], "ann"),
        "left by off"
    );
    assert_eq!(
        decide(vec![rule("off", 1, false, vec![member("a")])], "ann"),
        "left by off"
    );
}
