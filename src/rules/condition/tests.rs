use super::*;

fn text(text: &str) -> Option<Value> {
    Some(Value::Text(text.to_owned()))
}

fn list(items: &[&str]) -> Option<Value> {
    let items = items.iter().map(|item| (*item).to_owned());
    Some(Value::List(items.collect()))
}

fn compile(operator: Operator, values: &[&str]) -> Result<Test, InvalidPattern> {
    Test::compile(&Condition {
        attribute: Attribute::TITLE,
        operator,
        values: values.iter().map(|value| (*value).to_owned()).collect(),
    })
}

type Row<'a> = (&'a [&'a str], Option<Value>, bool);

fn judge(operator: Operator, table: &[Row<'_>]) {
    for (values, value, met) in table {
        let mut attributes = Attributes::default();
        if let Some(value) = value {
            attributes.set(Attribute::TITLE, value.clone());
        }
        let test = compile(operator, values).unwrap();
        assert_eq!(
            test.is_met(&attributes),
            *met,
            "{operator:?} {values:?} {value:?}"
        );
    }
}

/// The same table, each answer turned round.
fn judge_negative(operator: Operator, table: &[Row<'_>]) {
    let turned = table
        .iter()
        .map(|(values, value, met)| (*values, value.clone(), !met));
    judge(operator, &turned.collect::<Vec<_>>());
}

#[test]
fn equal_wants_the_whole_text_or_a_whole_element_and_not_equal_neither() {
    let table: &[Row<'_>] = &[
        (&["Sales"], text("sALES"), true),
        (&["Sales"], text("Sales Europe"), false),
        (&["Support", "Sales"], text("sales"), true),
        (&["Caf\u{e9}"], text("CAFE\u{301}"), true),
        (&["ΟΔΟΣ"], text("οδος"), true),
        (&["b"], list(&["a", "B"]), true),
        (&["b"], list(&["a", "bc"]), false),
        (&["TRUE"], Some(Value::Bool(true)), true),
        (&["true"], Some(Value::Bool(false)), false),
        (&["Sales"], None, false),
    ];
    judge(Operator::Equal, table);
    judge_negative(Operator::NotEqual, table);
}

#[test]
fn contains_wants_a_part_of_a_text_or_a_whole_element_and_not_contains_neither() {
    let table: &[Row<'_>] = &[
        (&["ale"], text("Sales"), true),
        (&["Sales"], text("sales"), true),
        (&["x", "LES"], text("Sales"), true),
        (&["x", "y"], text("Sales"), false),
        (&["\u{c9}s"], text("cafe\u{301}s"), true),
        (&["b"], list(&["a", "B"]), true),
        (&["b"], list(&["a", "bc"]), false),
        (&["ale"], None, false),
    ];
    judge(Operator::Contains, table);
    judge_negative(Operator::NotContains, table);
}

#[test]
fn matches_searches_anywhere_without_case() {
    judge(
        Operator::Matches,
        &[
            (&["al.s"], text("SALES Europe"), true),
            (&["^al"], text("Sales"), false),
            (&["^sales$"], text("Sales"), true),
            (&["^sales$"], text("Sales Europe"), false),
            (&["x", "(north|south)-\\d+"], text("Team South-12"), true),
            (&["^\\S+$"], text("Sales"), true),
            (&["^\\S+$"], text("Sales Europe"), false),
            (&["caf\u{e9}"], text("CAFE\u{301}"), true),
            (&["οδος"], text("ΟΔΟΣ"), true),
            (&["^b"], list(&["a", "BC"]), true),
            (&["^b"], list(&["a", "cb"]), false),
            (&[".*"], None, false),
        ],
    );
}

#[test]
fn starts_with_looks_at_the_beginning_of_the_text_or_of_an_element() {
    judge(
        Operator::StartsWith,
        &[
            (&["SAL"], text("Sales"), true),
            (&["ales"], text("Sales"), false),
            (&["x", "sales"], text("Sales"), true),
            (&["Sales Europe"], text("Sales"), false),
            (&["\u{e9}t"], text("E\u{301}tude"), true),
            (&["b"], list(&["ab", "BC"]), true),
            (&["b"], list(&["ab", "cb"]), false),
            (&["s"], None, false),
        ],
    );
}

#[test]
fn ends_with_looks_at_the_end_of_the_text_or_of_an_element() {
    judge(
        Operator::EndsWith,
        &[
            (&["LES"], text("Sales"), true),
            (&["sale"], text("Sales"), false),
            (&["x", "sales"], text("Sales"), true),
            (&["f\u{e9}"], text("CAFE\u{301}"), true),
            (&["@b.example"], list(&["x@a.example", "x@B.example"]), true),
            (&["b"], list(&["ba", "bc"]), false),
            (&["s"], None, false),
        ],
    );
}

#[test]
fn an_expression_that_makes_no_sense_or_is_too_large_is_refused_in_the_parsers_words() {
    let deep = format!("{}a{}", "(".repeat(100), ")".repeat(100));
    let table = [
        ("sales(", "unclosed group"),
        ("[z-a]", "invalid character class range"),
        ("(a)\\1", "backreferences are not supported"),
        ("(?=a)", "look-around"),
        ("(\\w{1000}){1000}", "size limit"),
        (&deep, "nest"),
    ];
    for (pattern, words) in table {
        let values = ["fine".to_owned(), pattern.to_owned()];
        let wrong = check_patterns(&values).unwrap_err().to_string();
        assert!(wrong.contains(words), "{pattern}: {wrong}");
        assert!(compile(Operator::Matches, &["fine", pattern]).is_err());
    }
    assert_eq!(check_patterns(&["^sales".to_owned()]), Ok(()));
}
