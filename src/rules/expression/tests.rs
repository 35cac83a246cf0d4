use super::{
    guard::{FILTERS, MAX_NESTING, MAX_OPERATORS, MAX_SOURCE},
    *,
};
use crate::model::{Attributes, Kind, SourceId};

mod hostile;

fn ann() -> Object {
    let mut attributes = Attributes::default();
    let text = |text: &str| Value::Text(text.to_owned());
    for (attribute, value) in [
        (Attribute::USER_NAME, text("ann.lee@acme.test")),
        (Attribute::GIVEN_NAME, text("Ann")),
        (Attribute::FAMILY_NAME, text("Lee")),
        (Attribute::TITLE, text("Engineer")),
        (Attribute::ORG_UNIT, text("/Staff/Sales")),
        (Attribute::ACTIVE, Value::Bool(true)),
        (
            Attribute::PHONE_NUMBERS,
            Value::List(vec!["+47 1".to_owned(), "+47 2".to_owned()]),
        ),
    ] {
        attributes.set(attribute, value);
    }
    Object {
        kind: Kind::User,
        id: SourceId::try_new("1").unwrap(),
        attributes,
        member_count: None,
        defect: None,
    }
}

fn evaluate(source: &str, shape: Shape) -> Result<Option<Value>, String> {
    let compiled = Expression::compile(source).map_err(|error| error.to_string())?;
    compiled.evaluate(&Source::of(&ann()), shape)
}

#[test]
fn an_expression_is_what_it_says() {
    let table = [
        ("title", "Engineer"),
        ("name.familyName ~ ', ' ~ name.givenName", "Lee, Ann"),
        ("department or 'Unknown'", "Unknown"),
        ("department|default('x')", "x"),
        ("title if active else 'Gone'", "Engineer"),
        ("userName|split('@')|first", "ann.lee"),
        ("orgUnit|split('/')|last|upper", "SALES"),
        ("phoneNumbers|join('; ')", "+47 1; +47 2"),
        ("phoneNumbers|length", "2"),
        ("title|replace('Eng', 'Gin')|lower", "ginineer"),
        ("'  x '|trim", "x"),
        ("'é' ~ \"ø\" ~ '\\''", "éø'"),
        ("'Sales' if 'Sales' in orgUnit else ''", "Sales"),
        ("not active and 'a' or 'b'", "b"),
        ("title[0:3]", "Eng"),
        ("1 + 2", "3"),
    ];
    for (source, expected) in table {
        let value = evaluate(source, Shape::Text);
        assert_eq!(
            value,
            Ok(Some(Value::Text(expected.to_owned()))),
            "{source}"
        );
    }
    for blank in ["department", "''", "'  '", "none", "aliases|first"] {
        assert_eq!(evaluate(blank, Shape::Text), Ok(None), "{blank}");
    }
    let yes = |source| evaluate(source, Shape::YesNo);
    assert_eq!(
        yes("active and title == 'Engineer'"),
        Ok(Some(Value::Bool(true)))
    );
    assert_eq!(
        yes("false if '/Staff' in orgUnit else active"),
        Ok(Some(Value::Bool(false)))
    );
    assert_eq!(yes("isAdmin"), Ok(None));
    let two = Value::List(vec!["+47 1".to_owned(), "x".to_owned()]);
    assert_eq!(
        evaluate("[phoneNumbers|first, 'x', '']", Shape::List),
        Ok(Some(two))
    );
    assert_eq!(evaluate("aliases", Shape::List), Ok(None));
}

#[test]
fn what_is_of_another_shape_or_names_nothing_is_said_without_what_was_seen() {
    let table = [
        ("active", Shape::Text),
        ("phoneNumbers", Shape::Text),
        ("name", Shape::Text),
        ("title", Shape::YesNo),
        ("'true'", Shape::YesNo),
        ("title", Shape::List),
        ("[1, 2]", Shape::List),
        ("[title, [title]]", Shape::List),
        ("nothing", Shape::Text),
        ("title.x.y", Shape::Text),
        ("title|nothing", Shape::Text),
        ("title()", Shape::Text),
        ("title.upper()", Shape::Text),
        ("title + 1", Shape::Text),
        ("1 / 0", Shape::Text),
        ("title|first|join('x')|length|split", Shape::Text),
    ];
    for (source, shape) in table {
        let why = evaluate(source, shape).unwrap_err();
        assert!(
            !why.contains("Engineer") && !why.is_empty(),
            "{source}: {why}"
        );
    }
}

#[test]
fn the_attributes_that_it_names_are_told_whole() {
    let compiled = Expression::compile("name.givenName ~ title if active else nothing").unwrap();
    let names: Vec<String> = compiled.variables().into_iter().collect();
    assert_eq!(names, ["active", "name.givenName", "nothing", "title"]);
}

#[test]
fn an_expression_may_be_as_long_and_as_deep_as_is_said_and_no_more() {
    let deep = |depth: usize| format!("{}1{}", "(".repeat(depth), ")".repeat(depth));
    assert!(Expression::compile(&deep(MAX_NESTING)).is_ok());
    let refused = Expression::compile(&deep(MAX_NESTING + 1)).unwrap_err();
    assert!(refused.to_string().contains("16"), "{refused}");
    let long = |parts: usize| format!("title{}", " ~ title".repeat(parts));
    assert!(Expression::compile(&long(MAX_OPERATORS - 1)).is_ok());
    let refused = Expression::compile(&long(MAX_OPERATORS + 1)).unwrap_err();
    assert!(refused.to_string().contains("64"), "{refused}");
    let text = |length: usize| format!("'{}'", "x".repeat(length - 2));
    assert!(Expression::compile(&text(MAX_SOURCE)).is_ok());
    assert!(Expression::compile(&text(MAX_SOURCE + 1)).is_err());
    // What looks like more within a text is none.
    assert!(Expression::compile("'((((((((((((((((((((* * *'").is_ok());
}

#[test]
fn what_could_work_for_no_object_is_refused_with_its_reason_and_place() {
    let table = [
        (
            "title ~",
            "end of input, expected expression, at character 7",
        ),
        ("'é' ~ @", "unexpected character, at character 7"),
        (
            "title title",
            "unexpected input after expression, at character 7",
        ),
        ("title if active else title|nothing", "no filter `nothing`"),
        ("title | reverse", "those are: default, first"),
        ("title is defined", "compare with `==`"),
        ("range(9)", "`range` can't be called"),
        ("title.upper()", "`upper` can't be called"),
        ("title|first()()", "a value can't be called"),
        ("'a'('b')", "a value can't be called"),
        ("2 * 3", "no `*`"),
    ];
    for (source, expected) in table {
        let why = Expression::compile(source).unwrap_err().to_string();
        assert!(why.contains(expected), "{source}: {why}");
    }
    for fine in [
        "not (active)",
        "title if(active)else('x')",
        "(title)|default ('x')",
        "'is|nothing(*'",
    ] {
        assert!(Expression::compile(fine).is_ok(), "{fine}");
    }
}

#[test]
fn the_filters_that_are_let_through_are_those_that_there_are() {
    let arguments = |name: &str| match name {
        "replace" => "('a', 'b')",
        "split" | "join" | "default" => "('a')",
        _ => "",
    };
    for name in FILTERS {
        let computed = evaluate(&format!("title|{name}{}", arguments(name)), Shape::Text);
        let known = |why: &String| why.starts_with("is sequence");
        assert!(
            computed.as_ref().err().is_none_or(known),
            "{name}: {computed:?}"
        );
    }
}
