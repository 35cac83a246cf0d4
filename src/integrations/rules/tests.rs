use super::*;

pub(in crate::integrations) fn integration() -> Integration {
    Integration {
        title: "Main".to_owned(),
        active: false,
        ..Integration::example("main")
    }
}

pub(in crate::integrations) fn new(kind: Kind) -> NewRule {
    NewRule {
        title: "Sales".to_owned(),
        event: Some(RuleEvent::Lookup),
        source_kind: Some(kind),
        action: Some(Action::Add),
        target_kind: Some(kind),
        active: true,
        ..NewRule::default()
    }
}

fn when(attribute: &str, values: &[&str]) -> NewCondition {
    NewCondition {
        attribute: attribute.to_owned(),
        operator: Some(Operator::Equal),
        values: values.iter().map(|value| (*value).to_owned()).collect(),
    }
}

fn fields(new: NewRule) -> Vec<String> {
    match new.check(&integration(), Time::UNIX_EPOCH) {
        Ok(_) => Vec::new(),
        Err(error) => error.violations().iter().map(|v| v.field.clone()).collect(),
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

#[test]
fn a_rule_keeps_what_was_asked_for() {
    let asked = NewRule {
        id: RuleId::try_new("sales").ok(),
        position: 3,
        conditions: vec![when("department", &["Sales"]), when("active", &["True"])],
        defaults: vec![
            ("title".to_owned(), text("Rep")),
            ("active".to_owned(), Value::Bool(true)),
        ],
        run_mode: RunMode::Manual,
        ..new(Kind::User)
    };
    let rule = asked.check(&integration(), Time::UNIX_EPOCH).unwrap();
    assert_eq!(rule.id.as_str(), "sales");
    assert_eq!(
        (rule.position, rule.run_mode, rule.conditions.len()),
        (3, RunMode::Manual, 2)
    );
    assert_eq!(rule.defaults.text(&Attribute::TITLE), Some("Rep"));
    assert_eq!(rule.defaults.bool(&Attribute::ACTIVE), Some(true));
    assert_eq!(fields(new(Kind::Group)), Vec::<String>::new());
}

#[test]
fn each_wrong_field_is_named() {
    type Spoil = fn(&mut NewRule);
    let table: [(Spoil, &str); 9] = [
        (|rule| rule.title = String::new(), "rule.title"),
        (|rule| rule.position = 1_000_001, "rule.position"),
        (|rule| rule.event = None, "rule.event"),
        (|rule| rule.action = None, "rule.action"),
        (|rule| rule.action = Some(Action::Modify), "rule.action"),
        (|rule| rule.source_kind = None, "rule.source_kind"),
        (|rule| rule.target_kind = None, "rule.target_kind"),
        (
            |rule| rule.target_kind = Some(Kind::Group),
            "rule.target_kind",
        ),
        (
            |rule| rule.source_kind = Some(Kind::Group),
            "rule.target_kind",
        ),
    ];
    for (spoil, expected) in table {
        let mut asked = new(Kind::User);
        spoil(&mut asked);
        assert_eq!(fields(asked.clone()), [expected], "{asked:?}");
    }
}

#[test]
fn each_wrong_condition_is_named() {
    let (many, long) = (vec!["x"; 101], "x".repeat(257));
    let without_operator = NewCondition {
        operator: None,
        ..when("department", &["x"])
    };
    let table = [
        (vec![when("shoeSize", &["9"])], "[0].attribute"),
        (vec![when("department", &[])], "[0].values"),
        (vec![when("department", &many)], "[0].values"),
        (vec![when("department", &[" "])], "[0].values"),
        (vec![when("department", &[&long])], "[0].values"),
        (
            vec![when("department", &["x"]), when("active", &["yes"])],
            "[1].values",
        ),
        (vec![without_operator], "[0].operator"),
        (vec![when("department", &["x"]); 21], ""),
    ];
    for (conditions, expected) in table {
        let found = fields(NewRule {
            conditions,
            ..new(Kind::User)
        });
        assert_eq!(found, [format!("rule.conditions{expected}")]);
    }
}

#[test]
fn each_wrong_default_is_named() {
    let long = "x".repeat(257);
    let list = |count: usize| Value::List(vec!["x".to_owned(); count]);
    let table = [
        ("userName", text("a@example.com")),
        ("shoeSize", text("9")),
        ("title", Value::Bool(true)),
        ("active", text("true")),
        ("phoneNumbers", text("1")),
        ("phoneNumbers", list(0)),
        ("phoneNumbers", list(51)),
        ("title", text("")),
        ("title", text(&long)),
    ];
    for (name, value) in table {
        let defaults = vec![(name.to_owned(), value)];
        let found = fields(NewRule {
            defaults,
            ..new(Kind::User)
        });
        assert_eq!(found, [format!("rule.defaults[{name}]")]);
    }
    let defaults = vec![("title".to_owned(), text("x")); 21];
    assert_eq!(
        fields(NewRule {
            defaults,
            ..new(Kind::User)
        }),
        ["rule.defaults"]
    );
}

#[test]
fn all_wrong_fields_are_named_at_once_with_those_that_the_edge_found() {
    let asked = NewRule {
        title: String::new(),
        event: None,
        conditions: vec![when("shoeSize", &[])],
        bad: vec![
            Violation::new("rule.event", "there is no event 7"),
            Violation::new("parent", "is no resource name"),
        ],
        ..new(Kind::User)
    };
    let mut found = fields(asked);
    found.sort();
    assert_eq!(
        found,
        [
            "parent",
            "rule.conditions[0].attribute",
            "rule.conditions[0].values",
            "rule.event",
            "rule.title"
        ]
    );
}

#[test]
fn a_group_takes_a_groups_attributes_only() {
    let asked = NewRule {
        defaults: vec![
            ("department".to_owned(), text("x")),
            ("description".to_owned(), text("y")),
        ],
        ..new(Kind::Group)
    };
    assert_eq!(fields(asked), ["rule.defaults[department]"]);
}
