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
        ("(\\w{1000}){1000}", "take 256 KiB"),
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

/// What people look for in names, titles, addresses and paths.
const HONEST: &[&str] = &[
    "^sales",
    r"\b(senior|lead|principal|staff)\b.*\bengineer\b",
    r"^(north|south|east|west)-\d{2,4}$",
    r"^\d{4}-\d{2}-\d{2}$",
    r"^\+?\d{1,3}[ -]?(\(\d+\))?[\d -]{5,20}$",
    r"^[a-z0-9._%+-]+@([a-z0-9-]+\.)+[a-z]{2,}$",
    r"^[\w.+-]+@[\w-]+\.[\w.-]+$",
    r"^[^@]{1,64}@(acme|example)\.test$",
    r"^\w+\s+\w+$",
    r"^\w{1,3}-\d{4}$",
    r"^\p{Lu}\p{Ll}+$",
    r"^\p{L}+[ '-]\p{L}+([ '-]\p{L}+)?$",
    r"[\p{Greek}\p{Cyrillic}]",
    r"\p{Han}{2,4}",
    r"^/(Sales|Support)(/[^/]+)*$",
    r"^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.|$)){4}",
];

fn matching(values: &[&str]) -> Condition {
    Condition {
        attribute: Attribute::TITLE,
        operator: Operator::Matches,
        values: values.iter().map(|value| (*value).to_owned()).collect(),
    }
}

#[test]
fn what_people_look_for_is_never_too_large() {
    for pattern in HONEST {
        let values = [(*pattern).to_owned()];
        assert_eq!(check_patterns(&values), Ok(()), "{pattern}");
    }
    let addresses = |number| format!(r"^user{number}\.[a-z]+@example\.com$");
    let many: Vec<String> = (0..100).map(addresses).collect();
    assert_eq!(check_patterns(&many), Ok(()));
    let all: Vec<Condition> = HONEST.iter().map(|pattern| matching(&[pattern])).collect();
    assert_eq!(check_together(all.iter()), Ok(()));
    let ascii = [matching(&[HONEST[0], HONEST[1], HONEST[5]])];
    let often = ascii.iter().cycle().take(MAX_CONDITIONS);
    assert_eq!(check_together(often), Ok(()));
}

#[test]
fn what_is_too_large_is_told_what_takes_less() {
    let large = [r"^\w{20}$".to_owned()];
    let said = check_patterns(&large).unwrap_err().to_string();
    assert!(
        said.contains("256 KiB") && said.contains("[a-z0-9_]"),
        "{said}"
    );
    assert_eq!(check_patterns(&["^[a-z0-9_]{20}$".to_owned()]), Ok(()));
    // By itself each is small enough.
    let one = [matching(&[r"\w+ \w+ \w+"])];
    assert_eq!(check_patterns(&one[0].values), Ok(()));
    let together = |times| check_together(one.iter().cycle().take(times));
    assert_eq!(together(8), Ok(()));
    let said = together(40).unwrap_err().to_string();
    assert!(
        said.contains("2048 KiB") && said.contains("[a-z0-9_]"),
        "{said}"
    );
    let small = [matching(&["a"])];
    let many = check_together(small.iter().cycle().take(MAX_CONDITIONS + 1));
    let said = many.unwrap_err().to_string();
    assert!(
        said.contains("200 conditions") && said.contains("201"),
        "{said}"
    );
}
