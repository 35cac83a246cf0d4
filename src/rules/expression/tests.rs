use super::*;
use crate::model::{Attributes, Kind, SourceId};

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
    compiled.evaluate(&ann(), shape)
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

/// What wants functions that there are not, or numbers that are none.
const ODD: &[&str] = &[
    " ",
    "\0",
    "'x' * 1000000000",
    "[1] * 1000000000",
    "9 ** 9 ** 9 ** 9",
    "range(1000000000)",
    "range(100000)|join('x')",
    "'%1000000000d'|format(1)",
    "'x'|center(1000000000)",
    "'x'|indent(1000000000)",
    "{% for a in range(100000) %}{{ a }}{% endfor %}",
    "{{ title }}",
    "{# title #}",
    "title;title",
    "title\ntitle",
    "'unended",
    "\"\\",
    "self",
    "loop.index",
    "super()",
    "caller()",
    "title.__class__.__mro__",
    "namespace()",
    "cycler('a', 'b')",
    "include('x')",
    "title|map('lower')",
    "title|attr('x')",
    "title|tojson",
    "title is defined",
    "\u{202e}title\u{202c}",
    "ﬁnance",
    "1e999",
    "999999999999999999999999999999999999999999",
    "-9223372036854775808 // -1",
    "9223372036854775807 + 9223372036854775807 + 9223372036854775807",
    "1 % 0",
    "title[99999999999999:]",
    "title[::0]",
    "title[-9223372036854775808:9223372036854775807:-1]",
];

/// What wants stack, time or memory.
fn hostile() -> Vec<String> {
    let long = |part: &str, times: usize| part.repeat(times);
    let nested = |open: &str, close: &str, deep: usize| {
        format!("{}title{}", open.repeat(deep), close.repeat(deep))
    };
    let mut corpus = vec![
        String::new(),
        "title".repeat(205),
        nested("(", ")", 17),
        nested("(", ")", 500),
        nested("[", "]", 17),
        nested("[", "]", 500),
        nested("{'a':", "}", 17),
        nested("{'a':", "}", 150),
        nested("title[", "]", 100),
        nested("not ", "", 250),
        nested("-", "", 1000),
        nested("+", "", 1000),
        nested("not -", "", 200),
        nested("title if title else ", "", 50),
        nested("1 if (", ") else 2", 60),
        format!("1{}", long("+1", 511)),
        format!("1{}", long("~1", 511)),
        format!("title{}", long("|lower", 160)),
        format!("title{}", long(".a", 500)),
        format!("title{}", long("[0]", 300)),
        format!("title{}", long("()", 500)),
        format!("1{}", long(" and 1", 160)),
        format!("1{}", long(" or 1", 200)),
        format!("1{}", long("<1", 500)),
        format!("1{}", long(" in [1]", 140)),
        format!("[{}]", long("1,", 500)),
        format!("{{{}}}", long("1:1,", 250)),
        long("\u{1f600}", 256),
    ];
    corpus.extend(ODD.iter().map(|text| (*text).to_owned()));
    // Each round makes the text larger than the one before.
    let mut grown = "title|replace('e', 'eeeeeeeeeeeeeeee')".to_owned();
    while grown.len() < 900 {
        corpus.push(grown.clone());
        grown.push_str("|replace('e', 'eeeeeeeeeeeeeeee')");
    }
    let mut squared = "title".to_owned();
    while squared.len() < 300 {
        squared = format!("({squared}|replace('e', {squared}))");
        corpus.push(squared.clone());
    }
    let mut doubled = "[title]".to_owned();
    while doubled.len() < 400 {
        doubled = format!("({doubled} + {doubled})");
        corpus.push(format!("{doubled}|join({doubled}|join('x'))"));
    }
    corpus
}

/// In a thread with the stack that the daemon's have, and an object as large as there may be.
#[test]
fn nothing_hostile_aborts_or_makes_more_than_it_may() {
    let mut object = ann();
    let text = "e".repeat(4096);
    object
        .attributes
        .set(Attribute::TITLE, Value::Text(text.clone()));
    object
        .attributes
        .set(Attribute::PHONE_NUMBERS, Value::List(vec![text; 100]));
    let tried = std::thread::Builder::new()
        .stack_size(2 * 1024 * 1024)
        .spawn(move || {
            let mut outcomes = (0, 0, 0);
            for source in hostile() {
                let Ok(compiled) = Expression::compile(&source) else {
                    outcomes.0 += 1;
                    continue;
                };
                drop(compiled.variables());
                for shape in [Shape::Text, Shape::YesNo, Shape::List] {
                    match compiled.evaluate(&object, shape) {
                        Ok(Some(value)) => {
                            assert!(value.text_len() <= MAX_LIST * MAX_TEXT, "{source}");
                            outcomes.1 += 1;
                        }
                        Ok(None) => outcomes.1 += 1,
                        Err(why) => {
                            assert!(why.len() < 300, "{source}: {why}");
                            outcomes.2 += 1;
                        }
                    }
                }
            }
            outcomes
        });
    let (refused, computed, failed) = tried.unwrap().join().unwrap();
    assert!(
        refused > 40 && computed > 3 && failed > 20,
        "{refused} {computed} {failed}"
    );
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
