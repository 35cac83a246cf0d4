//! A source file read as far as the house needs it: the paths it names, its functions' lengths, which of it is test code.

use super::tokens::{Token, tokens};
use std::ops::Range;

/// One Rust file.
#[derive(Debug)]
pub(super) struct Source {
    /// Path from the top of the repository, with `/`.
    pub(super) path: String,
    pub(super) text: String,
    pub(super) tokens: Vec<Token>,
    /// The modules that the file stands in: `["sync", "runs"]` for `src/sync/runs.rs`.
    module: Vec<String>,
    /// Modules written inside the file, with the tokens between their braces.
    inline: Vec<(String, Range<usize>)>,
    /// Tokens that are compiled for tests only.
    test_only: Vec<Range<usize>>,
}

/// A path in the code, such as `["crate", "model", "Run"]`; `self` and `super` are resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CodePath {
    pub(super) parts: Vec<String>,
    pub(super) line: usize,
    /// Index of its first token.
    pub(super) token: usize,
}

impl CodePath {
    /// Whether it ends with these parts.
    pub(super) fn ends_with(&self, end: &[&str]) -> bool {
        self.parts.len() >= end.len()
            && self
                .parts
                .iter()
                .rev()
                .zip(end.iter().rev())
                .all(|(a, b)| a == b)
    }
}

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) line: usize,
    /// Lines with code between its braces.
    pub(super) code_lines: usize,
}

impl Source {
    pub(super) fn new(path: &str, text: &str) -> Self {
        let tokens = tokens(text);
        let inline = inline_modules(&tokens);
        let test_only = test_only(&tokens);
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            tokens,
            module: module(path),
            inline,
            test_only,
        }
    }

    /// The room that the file belongs to: its first module; none for a root such as `src/lib.rs`.
    pub(super) fn room(&self) -> Option<&str> {
        self.module.first().map(String::as_str)
    }

    /// Whether a token is compiled for tests only.
    pub(super) fn is_test_only(&self, token: usize) -> bool {
        self.test_only.iter().any(|range| range.contains(&token))
    }

    pub(super) fn word(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| token.text.as_str())
    }

    /// Names of the modules that the file declares without a body, and whether for tests only.
    pub(super) fn declared_modules(&self) -> Vec<(String, bool)> {
        (0..self.tokens.len())
            .filter(|at| self.word(*at) == "mod" && self.word(at + 2) == ";")
            .map(|at| (self.word(at + 1).to_owned(), self.is_test_only(at)))
            .collect()
    }

    /// Every path with `::` in it, and every name that a `use` brings in, groups taken apart.
    pub(super) fn paths(&self) -> Vec<CodePath> {
        let mut found = Vec::new();
        let mut at = 0;
        while at < self.tokens.len() {
            if self.begins_path(at) {
                at = self.path_tree(at, at, &[], &mut found);
            } else {
                at += 1;
            }
        }
        for path in &mut found {
            self.resolve(path);
        }
        found
    }

    fn begins_path(&self, at: usize) -> bool {
        let word = self.tokens.get(at).is_some_and(Token::is_word);
        let before = at.checked_sub(1).map_or("", |before| self.word(before));
        let follows = match before {
            "." => true,
            // `::tonic::Code` begins one; `Vec::<u8>::new` and `a::b` do not at their last name.
            "::" => at.checked_sub(2).is_some_and(|at| self.ends_a_path(at)),
            _ => false,
        };
        word && !follows && (self.word(at + 1) == "::" || before == "use")
    }

    /// Whether a `::` after token `at` goes on with a path, rather than beginning one.
    fn ends_a_path(&self, at: usize) -> bool {
        if self.word(at) == ">" {
            // Not the end of an arrow, `->` or `=>`.
            let before = at.checked_sub(1).map_or("", |before| self.word(before));
            return !matches!(before, "-" | "=");
        }
        self.tokens.get(at).is_some_and(Token::is_word) && self.word(at) != "use"
    }

    /// Reads one path, or the group it ends in, from token `at`; answers where it ends.
    fn path_tree(
        &self,
        start: usize,
        mut at: usize,
        prefix: &[String],
        found: &mut Vec<CodePath>,
    ) -> usize {
        let line = self.tokens.get(at).map_or(0, |token| token.line);
        let mut parts = prefix.to_vec();
        loop {
            match self.word(at) {
                "{" => return self.path_group(start, at + 1, &parts, found),
                "*" => parts.push("*".to_owned()),
                // `{self}` names the module itself.
                "self" if !parts.is_empty() => {}
                _ if self.tokens.get(at).is_some_and(Token::is_word) => {
                    parts.push(self.word(at).to_owned());
                }
                _ => break,
            }
            at += 1;
            if self.word(at) != "::" {
                break;
            }
            at += 1;
        }
        found.push(CodePath {
            parts,
            line,
            token: start,
        });
        at
    }

    /// The members of a group, from after its `{`; answers the token after its `}`.
    fn path_group(
        &self,
        start: usize,
        mut at: usize,
        prefix: &[String],
        found: &mut Vec<CodePath>,
    ) -> usize {
        while at < self.tokens.len() && self.word(at) != "}" {
            let begins = self.word(at) == "*" || self.tokens.get(at).is_some_and(Token::is_word);
            match self.word(at) {
                "as" => at += 2,
                _ if begins => at = self.path_tree(start, at, prefix, found),
                _ => at += 1,
            }
        }
        at + 1
    }

    fn resolve(&self, path: &mut CodePath) {
        let Some(first) = path.parts.first() else {
            return;
        };
        if first != "self" && first != "super" {
            return;
        }
        let mut module = self.module.clone();
        let inside = self
            .inline
            .iter()
            .filter(|(_, range)| range.contains(&path.token));
        module.extend(inside.map(|(name, _)| name.clone()));
        let climbs = path
            .parts
            .iter()
            .skip_while(|part| *part == "self")
            .take_while(|part| *part == "super")
            .count();
        module.truncate(module.len().saturating_sub(climbs));
        let rest = path
            .parts
            .iter()
            .skip_while(|part| *part == "self" || *part == "super")
            .cloned();
        path.parts = std::iter::once("crate".to_owned())
            .chain(module)
            .chain(rest)
            .collect();
    }

    /// Every function that has a body.
    pub(super) fn functions(&self) -> Vec<Function> {
        let named = (0..self.tokens.len()).filter(|at| {
            self.word(*at) == "fn" && self.tokens.get(at + 1).is_some_and(Token::is_word)
        });
        named.filter_map(|at| self.function(at)).collect()
    }

    fn function(&self, at: usize) -> Option<Function> {
        let mut depth = 0_usize;
        let open = (at..self.tokens.len()).find(|at| {
            match self.word(*at) {
                "(" | "[" => depth += 1,
                ")" | "]" => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0 && matches!(self.word(*at), "{" | ";")
        })?;
        if self.word(open) == ";" {
            return None;
        }
        let close = closing(&self.tokens, open);
        let first = self.tokens.get(open)?.line;
        let last = self
            .tokens
            .get(close)
            .map_or(usize::MAX, |token| token.line);
        let mut lines: Vec<usize> = self
            .tokens
            .iter()
            .take(close)
            .skip(open + 1)
            .flat_map(|token| token.line..=token.end_line)
            .filter(|line| *line > first && *line < last)
            .collect();
        lines.dedup();
        let line = self.tokens.get(at)?.line;
        Some(Function {
            name: self.word(at + 1).to_owned(),
            line,
            code_lines: lines.len(),
        })
    }
}

/// Index of the brace that closes the one at `open`, or of the end.
fn closing(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.text.as_str() {
            "{" => depth += 1,
            "}" => {
                depth -= 1;
                if depth == 0 {
                    return at;
                }
            }
            _ => {}
        }
    }
    tokens.len()
}

fn module(path: &str) -> Vec<String> {
    let inner = path
        .strip_prefix("src/")
        .or_else(|| path.strip_prefix("tests/it/"))
        .unwrap_or(path);
    let mut parts: Vec<String> = inner
        .trim_end_matches(".rs")
        .split('/')
        .map(str::to_owned)
        .collect();
    let is_root = matches!(path, "src/lib.rs" | "src/main.rs" | "tests/it/main.rs");
    if is_root || parts.last().is_some_and(|last| last == "mod") {
        parts.pop();
    }
    parts
}

fn inline_modules(tokens: &[Token]) -> Vec<(String, Range<usize>)> {
    let word = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
    (0..tokens.len())
        .filter(|at| word(*at) == "mod" && word(at + 2) == "{")
        .map(|at| (word(at + 1).to_owned(), at + 2..closing(tokens, at + 2)))
        .collect()
}

/// The items behind `#[cfg(test)]`.
fn test_only(tokens: &[Token]) -> Vec<Range<usize>> {
    let attribute = ["#", "[", "cfg", "(", "test", ")", "]"];
    let begins = |window: &[Token]| window.iter().map(|token| token.text.as_str()).eq(attribute);
    let starts = tokens
        .windows(attribute.len())
        .enumerate()
        .filter(|(_, window)| begins(window));
    starts
        .map(|(at, _)| {
            let end = tokens
                .iter()
                .enumerate()
                .skip(at)
                .find(|(_, token)| matches!(token.text.as_str(), "{" | ";"));
            match end {
                Some((open, token)) if token.text == "{" => at..closing(tokens, open) + 1,
                Some((end, _)) => at..end + 1,
                None => at..tokens.len(),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(path: &str, text: &str) -> Vec<String> {
        Source::new(path, text)
            .paths()
            .into_iter()
            .map(|path| path.parts.join("::"))
            .collect()
    }

    #[test]
    fn groups_are_taken_apart_and_generics_looked_into() {
        let text = "use crate::{model::{self, Run, page::*}, store as s};\n\
            pub fn f(x: Vec::<crate::sync::Door>) -> ::tonic::Code { x.y::<u8>(); use sled; }";
        let expected = [
            "crate::model",
            "crate::model::Run",
            "crate::model::page::*",
            "crate::store",
            "Vec",
            "crate::sync::Door",
            "tonic::Code",
            "sled",
        ];
        assert_eq!(paths("src/a.rs", text), expected);
    }

    #[test]
    fn climbing_out_of_a_room_is_seen() {
        assert_eq!(
            paths("src/a/b.rs", "use super::super::store::Store;"),
            ["crate::store::Store"]
        );
        assert_eq!(
            paths("src/a/mod.rs", "use super::store; use self::b::C;"),
            ["crate::store", "crate::a::b::C"]
        );
        assert_eq!(
            paths("src/a.rs", "mod tests { use super::*; }"),
            ["crate::a::*"]
        );
    }

    #[test]
    fn functions_are_measured_without_comments_and_blank_lines() {
        let text =
            "fn a(x: [u8; 2]) {\n x;\n\n // why\n if x {\n }\n}\ntrait T { fn b(); }\nfn c() {}\n";
        let found = Source::new("src/a.rs", text).functions();
        let lengths: Vec<_> = found
            .iter()
            .map(|f| (f.name.as_str(), f.line, f.code_lines))
            .collect();
        assert_eq!(lengths, [("a", 1, 3), ("c", 9, 0)]);
    }

    #[test]
    fn test_code_is_told_apart() {
        let source = Source::new(
            "src/a.rs",
            "a; #[cfg(test)] mod m; b; #[cfg(test)] mod n { c }",
        );
        let only: Vec<_> = (0..source.tokens.len())
            .filter(|at| source.is_test_only(*at))
            .collect();
        assert!(
            !only.contains(&0) && only.contains(&9) && !only.contains(&12) && only.contains(&24)
        );
        assert_eq!(source.declared_modules(), [("m".to_owned(), true)]);
    }
}
