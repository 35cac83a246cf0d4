//! What wants more than it may have.

use super::{super::guard::MAX_OPERATORS, *};
use proptest::prelude::*;

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

/// What reads and makes texts, until there is nothing left to pay for it.
fn costly() -> Vec<String> {
    let repeated = |part: &str, times: usize| part.repeat(times);
    let mut corpus = Vec::new();
    let huge = format!(
        "'x'|replace('x', '{}')|replace('y', '{}')",
        repeated("y", 250),
        repeated("z", 250)
    );
    for filter in [
        "|lower",
        "|upper",
        "|trim",
        "|replace('e', 'ee')",
        "|split(' ')|first",
        "|last",
    ] {
        for times in [1, 2, 4, 8, 16] {
            let each = vec![format!("title{filter}"); times].join(" ~ ");
            corpus.push(format!("({each})|length"));
            corpus.push(format!("({huge}{})|length", filter.repeat(times.min(4))));
        }
    }
    corpus.push(format!(
        "phoneNumbers|join(' ')|length{}",
        repeated(" + (phoneNumbers|join(' ')|length)", 20)
    ));
    corpus.push(format!("(title{})|length", repeated(" ~ title", 60)));
    corpus.push(format!(
        "('z' in title{})",
        repeated(" or 'z' in title", 30)
    ));
    corpus.push(format!(
        "title == title{}",
        repeated(" and title == title ~ title", 20)
    ));
    corpus
}

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
    corpus.extend(costly());
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

/// An object as large as there may be.
fn large() -> Object {
    let mut object = ann();
    let text = "e".repeat(4096);
    object
        .attributes
        .set(Attribute::TITLE, Value::Text(text.clone()));
    object
        .attributes
        .set(Attribute::PHONE_NUMBERS, Value::List(vec![text; 100]));
    object
}

/// In a thread with the stack that the daemon's have.
fn in_a_small_stack<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = std::thread::Builder::new().stack_size(2 * 1024 * 1024);
    thread.spawn(work).unwrap().join().unwrap()
}

/// What an expression that was accepted spends on an object, as its environment counts it: more than it has if it ran out,
/// none if it failed otherwise.
fn spent(expression: &str, object: &Source) -> Option<u64> {
    let mut counting = environment();
    counting.add_filter("spent", |state: &State<'_, '_>, _: value::Value| {
        state.fuel_levels().map(|(spent, _)| spent)
    });
    let counted = format!("[({expression}), 0|spent]|last");
    let compiled = counting.compile_expression(&counted).unwrap();
    match compiled.eval(object.0.clone()) {
        Ok(spent) => u64::try_from(spent).ok(),
        Err(error) if error.kind() == ErrorKind::OutOfFuel => Some(FUEL + 1),
        Err(_) => None,
    }
}

/// Nothing here takes a tenth of it.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(120);

#[test]
fn everything_hostile_is_refused_or_ends_before_it_has_spent_more_than_it_has() {
    let (end, ended) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let large = large();
        let object = Source::of(&large);
        let all: Vec<_> = hostile()
            .into_iter()
            .filter(|expression| Expression::compile(expression).is_ok())
            .map(|expression| (spent(&expression, &object), expression))
            .collect();
        let _ = end.send(all);
    });
    let all = ended.recv_timeout(PATIENCE).expect("something hangs");
    for (spent, expression) in &all {
        // An environment's last look is the counter's own.
        assert!(spent.is_none_or(|spent| spent <= FUEL + 1), "{expression}");
    }
    let of = |least: u64, most: u64| {
        let spent = all.iter().filter_map(|(spent, _)| *spent);
        spent.filter(|spent| (least..=most).contains(spent)).count()
    };
    let (little, much, too_much) = (of(1, 1000), of(1001, FUEL), of(FUEL + 1, FUEL + 1));
    assert!(
        little > 5 && much > 2 && too_much > 5,
        "{little} {much} {too_much}"
    );
}

#[test]
fn nothing_hostile_aborts_or_makes_more_than_it_may() {
    let object = large();
    let (refused, computed, failed) = in_a_small_stack(move || {
        let source_object = Source::of(&object);
        let mut outcomes = (0, 0, 0);
        for source in hostile() {
            let Ok(compiled) = Expression::compile(&source) else {
                outcomes.0 += 1;
                continue;
            };
            drop(compiled.variables());
            for shape in [Shape::Text, Shape::YesNo, Shape::List] {
                match compiled.evaluate(&source_object, shape) {
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
    assert!(
        refused > 40 && computed > 3 && failed > 20,
        "{refused} {computed} {failed}"
    );
}

/// What may be repeated, with a beginning and an end: the longest chain that is let through is the deepest that parser,
/// compiler and evaluation ever see.
const CHAINS: &[(&str, &str, &str)] = &[
    ("1", "+1", ""),
    ("1", "~1", ""),
    ("1", "<1", ""),
    ("1", "==1", ""),
    ("1", " and 1", ""),
    ("", "1and ", "1"),
    ("", "1or ", "1"),
    ("", "1in ", "1"),
    ("", "1if 1 else ", "1"),
    ("", "title if title else ", "title"),
    ("", "not ", "1"),
    ("", "-", "1"),
    ("title", "|lower", ""),
    ("title", ".a", ""),
    ("title", "[0]", ""),
    ("[]", "+[1]", ""),
    ("[", "title,", "]"),
    ("{", "'a':1,", "}"),
];

#[test]
fn a_chain_of_any_length_is_refused_or_withstood() {
    let longest = in_a_small_stack(|| {
        let source = Source::of(&ann());
        let each = CHAINS.iter().map(|(begin, part, end)| {
            let mut longest = 0;
            for length in 1..=2 * MAX_OPERATORS + 1 {
                let chain = format!("{begin}{}{end}", part.repeat(length));
                if let Ok(compiled) = Expression::compile(&chain) {
                    drop(compiled.variables());
                    drop(compiled.evaluate(&source, Shape::Text));
                    longest = length;
                }
            }
            (*part, longest)
        });
        each.collect::<Vec<_>>()
    });
    for (part, longest) in longest {
        let within = 20..=2 * MAX_OPERATORS;
        assert!(within.contains(&longest), "{part}: {longest}");
    }
}

#[test]
fn what_filters_read_is_paid_for() {
    let names = |filters: &str| format!("[phoneNumbers{}]{filters}", ",phoneNumbers".repeat(50));
    let texts = |filter: &str| {
        let each = format!("title|{filter}");
        let all = vec![each; 20].join(" ~ ");
        format!("({all})|length")
    };
    let source = Source::of(&large());
    let why = |expression: &str| {
        let compiled = Expression::compile(expression).unwrap();
        compiled.evaluate(&source, Shape::Text).unwrap_err()
    };
    // A list is no text, so that none is made of a large one.
    for filter in ["|lower|length", "|split('z')|length", "|replace('e', 'f')"] {
        assert_eq!(why(&names(filter)), "invalid operation", "{filter}");
    }
    for filter in ["lower", "replace('e', 'ee')", "trim"] {
        assert_eq!(why(&texts(filter)), "takes too many steps", "{filter}");
    }
    let joined = format!("phoneNumbers|join('{}')", "x".repeat(900));
    assert!(why(&joined).contains("would be made"));
    let last = ["title|last"; 4].join(" ~ ");
    assert_eq!(why(&last), "takes too many steps");
}

proptest! {
    /// Any order of what an expression may be made of.
    #[test]
    fn no_sequence_of_tokens_aborts_or_makes_more_than_it_may(
        tokens in proptest::collection::vec(proptest::sample::select(vec![
            "title", "active", "phoneNumbers", "name", ".givenName", "'é'", "\"", "1", "9e9", "(", ")", "[", "]", "{", "}",
            ",", ":", "|", "|lower", "|first", "|split('e')", "|join(", "|replace('e',", " ~ ", "+", "-", "/", "//", "%",
            "==", "<", " in ", " and ", " or ", " not ", " if ", " else ", "\\", "\n", "none", "true", "=", ".", "\u{202e}",
        ]), 1..120),
    ) {
        if let Ok(compiled) = Expression::compile(&tokens.concat()) {
            let source = Source::of(&large());
            for shape in [Shape::Text, Shape::YesNo, Shape::List] {
                if let Ok(Some(value)) = compiled.evaluate(&source, shape) {
                    prop_assert!(value.text_len() <= (MAX_LIST + 1) * MAX_TEXT);
                }
            }
        }
    }
}
