//! Rust source as tokens: without comments, with each literal as one token, so that what is searched for is never found
//! inside a text.

/// One token, and the lines (from 1) on which it begins and ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) text: String,
    pub(super) line: usize,
    pub(super) end_line: usize,
}

impl Token {
    /// A name or keyword (or a number, which no caller confuses with one).
    pub(super) fn is_word(&self) -> bool {
        self.text
            .starts_with(|c: char| c.is_alphanumeric() || c == '_')
    }
}

/// What every literal in quotes is read as.
const LITERAL: &str = "\"\"";

/// The tokens of `source`: words, `::`, literals as `""`, lifetimes left out, and all else by the character.
pub(super) fn tokens(source: &str) -> Vec<Token> {
    let mut scanner = Scanner {
        chars: source.chars().collect(),
        at: 0,
        line: 1,
        found: Vec::new(),
    };
    while let Some(c) = scanner.peek(0) {
        scanner.step(c);
    }
    scanner.found
}

struct Scanner {
    chars: Vec<char>,
    at: usize,
    line: usize,
    found: Vec<Token>,
}

impl Scanner {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn bump(&mut self) {
        if self.peek(0) == Some('\n') {
            self.line += 1;
        }
        self.at += 1;
    }

    fn bump_by(&mut self, count: usize) {
        for _ in 0..count {
            self.bump();
        }
    }

    fn push(&mut self, text: &str, line: usize) {
        self.found.push(Token {
            text: text.to_owned(),
            line,
            end_line: self.line,
        });
    }

    fn step(&mut self, c: char) {
        match (c, self.peek(1)) {
            ('/', Some('/')) => {
                while self.peek(0).is_some_and(|c| c != '\n') {
                    self.bump();
                }
            }
            ('/', Some('*')) => self.block_comment(),
            ('"', _) => self.quoted(0),
            ('\'', _) => self.quote(),
            (':', Some(':')) => {
                let line = self.line;
                self.bump_by(2);
                self.push("::", line);
            }
            _ if c.is_whitespace() => self.bump(),
            _ if c.is_alphanumeric() || c == '_' => self.word(),
            _ => {
                let line = self.line;
                self.bump();
                self.push(&c.to_string(), line);
            }
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        while let Some(c) = self.peek(0) {
            match (c, self.peek(1)) {
                ('/', Some('*')) => depth += 1,
                ('*', Some('/')) => depth -= 1,
                _ => {
                    self.bump();
                    continue;
                }
            }
            self.bump_by(2);
            if depth == 0 {
                return;
            }
        }
    }

    /// A text in double quotes, the reader standing `prefix` characters before the first quote.
    fn quoted(&mut self, prefix: usize) {
        let line = self.line;
        self.bump_by(prefix + 1);
        while let Some(c) = self.peek(0) {
            self.bump_by(if c == '\\' { 2 } else { 1 });
            if c == '"' {
                break;
            }
        }
        self.push(LITERAL, line);
    }

    /// A raw text, the reader standing `prefix` characters before its first `#` or quote.
    fn raw(&mut self, prefix: usize, hashes: usize) {
        let line = self.line;
        self.bump_by(prefix + hashes + 1);
        while let Some(c) = self.peek(0) {
            self.bump();
            if c == '"' && (0..hashes).all(|ahead| self.peek(ahead) == Some('#')) {
                self.bump_by(hashes);
                break;
            }
        }
        self.push(LITERAL, line);
    }

    /// A character, or a lifetime.
    fn quote(&mut self) {
        let line = self.line;
        if self.peek(1) == Some('\\') {
            self.bump_by(3);
            while self.peek(0).is_some_and(|c| c != '\'') {
                self.bump();
            }
            self.bump();
            self.push(LITERAL, line);
        } else if self.peek(2) == Some('\'') {
            self.bump_by(3);
            self.push(LITERAL, line);
        } else {
            self.bump();
            while self
                .peek(0)
                .is_some_and(|c| c.is_alphanumeric() || c == '_')
            {
                self.bump();
            }
        }
    }

    fn word(&mut self) {
        let length = (0..)
            .take_while(|ahead| {
                self.peek(*ahead)
                    .is_some_and(|c| c.is_alphanumeric() || c == '_')
            })
            .count();
        let word: String = self.chars.iter().skip(self.at).take(length).collect();
        let hashes = (length..)
            .take_while(|ahead| self.peek(*ahead) == Some('#'))
            .count();
        let quote_after = self.peek(length + hashes) == Some('"');
        match word.as_str() {
            "r" | "br" | "cr" if quote_after => self.raw(length, hashes),
            "b" | "c" if quote_after && hashes == 0 => self.quoted(length),
            "b" if self.peek(length) == Some('\'') => self.bump_by(length),
            // A raw name, `r#type`, is its name.
            "r" if hashes == 1 => self.bump_by(2),
            _ => {
                let line = self.line;
                self.bump_by(length);
                self.push(&word, line);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(source: &str) -> Vec<String> {
        tokens(source).into_iter().map(|token| token.text).collect()
    }

    #[test]
    fn comments_vanish_and_literals_become_one_token() {
        let source =
            "a /* b /* c */ d */ e // f\n\"g \\\" h\" 'i' '\\'' b'x' r#\"j \" k\"# 'l: m::n r#type";
        assert_eq!(
            texts(source),
            [
                "a", "e", LITERAL, LITERAL, LITERAL, LITERAL, LITERAL, ":", "m", "::", "n", "type"
            ]
        );
    }

    #[test]
    fn a_token_knows_its_lines() {
        let found = tokens("a\n\"b\nc\"\nd");
        let lines: Vec<_> = found
            .iter()
            .map(|token| (token.line, token.end_line))
            .collect();
        assert_eq!(lines, [(1, 1), (2, 3), (4, 4)]);
    }
}
