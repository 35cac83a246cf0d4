//! Refuses, before the parser sees it, what would take parser or compiler too deep, and what could work for no object.

use super::InvalidExpression;

/// Bytes of an expression.
pub(super) const MAX_SOURCE: usize = 1024;
/// Brackets within brackets: each takes stack of the parser.
pub(super) const MAX_NESTING: usize = 16;
/// Operators, filters, look-ups and words: each may take stack of the compiler.
pub(super) const MAX_OPERATORS: usize = 64;
/// The filters that there are.
pub(super) const FILTERS: [&str; 10] = [
    "default", "first", "join", "last", "length", "lower", "replace", "split", "trim", "upper",
];
/// Words after which a bracket begins an operand.
const KEYWORDS: [&str; 6] = ["and", "or", "not", "in", "if", "else"];

/// What an expression is made of; what is between quotes is one text.
#[derive(Clone, Copy, PartialEq)]
enum Token<'a> {
    Word(&'a str),
    Number,
    Text,
    Sign(char),
}

/// The first token and what comes after it; none at the end.
fn token(source: &str) -> Option<(Token<'_>, &str)> {
    let source = source.trim_start();
    let first = source.chars().next()?;
    let begins_word = |c: char| c.is_alphabetic() || c == '_';
    let run = |within: &dyn Fn(char) -> bool| {
        let end = source.find(|c| !within(c)).unwrap_or(source.len());
        source.split_at(end)
    };
    if matches!(first, '"' | '\'') {
        return Some((Token::Text, after_text(source, first)));
    }
    if begins_word(first) {
        let (word, rest) = run(&|c| begins_word(c) || c.is_numeric());
        return Some((Token::Word(word), rest));
    }
    // Only its digits: a word may follow at once, as in `1or 2`.
    if first.is_numeric() {
        return Some((Token::Number, run(&char::is_numeric).1));
    }
    let (_, rest) = source.split_at(first.len_utf8());
    Some((Token::Sign(first), rest))
}

/// What comes after a text in quotes; nothing if it does not end.
fn after_text(source: &str, quote: char) -> &str {
    let mut rest = source.chars();
    rest.next();
    while let Some(next) = rest.next() {
        match next {
            '\\' => drop(rest.next()),
            end if end == quote => break,
            _ => {}
        }
    }
    rest.as_str()
}

/// Refuses what is too long, too deep, or calls what there is not.
pub(super) fn guard(source: &str) -> Result<(), InvalidExpression> {
    if source.trim().is_empty() || source.len() > MAX_SOURCE {
        return refused(format!(
            "must have 1 to {MAX_SOURCE} bytes, not all of them blanks"
        ));
    }
    let (mut depth, mut operators) = (0usize, 0usize);
    let (mut before, mut last) = (None, None);
    let mut rest = source;
    while let Some((next, after)) = token(rest) {
        exists(before, last, next)?;
        match next {
            Token::Sign('(' | '[' | '{') => depth += 1,
            Token::Sign(')' | ']' | '}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        let counts = !matches!(
            next,
            Token::Number | Token::Text | Token::Sign(')' | ']' | '}')
        );
        operators += usize::from(counts);
        if depth > MAX_NESTING {
            return refused(format!("brackets are nested more than {MAX_NESTING} deep"));
        }
        (before, last, rest) = (last, Some(next), after);
    }
    // A name is counted, too: each operator has two sides at most.
    if operators > 2 * MAX_OPERATORS {
        return refused(format!("has more than {MAX_OPERATORS} operators"));
    }
    Ok(())
}

fn refused(text: String) -> Result<(), InvalidExpression> {
    Err(InvalidExpression(text))
}

/// Refuses a token that stands, after the two before it, for something that there is not: it would fail each object.
fn exists(
    before: Option<Token<'_>>,
    last: Option<Token<'_>>,
    next: Token<'_>,
) -> Result<(), InvalidExpression> {
    let is_filter = |before| before == Some(Token::Sign('|'));
    match (last, next) {
        (_, Token::Sign('*')) => refused("there is no `*`".to_owned()),
        (Some(Token::Sign('|')), Token::Word(name)) if !FILTERS.contains(&name) => {
            let filters = FILTERS.join(", ");
            refused(format!("there is no filter `{name}`; those are: {filters}"))
        }
        (Some(Token::Sign('.' | '|')), Token::Word(_)) => Ok(()),
        (_, Token::Word("is")) => refused("there is no `is`: compare with `==`".to_owned()),
        (Some(Token::Word(name)), Token::Sign('('))
            if !is_filter(before) && !KEYWORDS.contains(&name) =>
        {
            refused(format!("`{name}` can't be called: only filters can"))
        }
        (Some(Token::Text | Token::Number | Token::Sign(')' | ']' | '}')), Token::Sign('(')) => {
            refused("a value can't be called: only filters can".to_owned())
        }
        _ => Ok(()),
    }
}
