//! The protocol's comments are its reference manual: every declaration in `proto/` has one, directly above it.

use super::Violations;

/// Statements that declare nothing a caller could ask about.
const NEED_NONE: &[&str] = &[
    "syntax",
    "package",
    "import",
    "option",
    "reserved",
    "extensions",
];

/// Reads one file line by line; one declaration stands on one line, or goes on over several.
pub(super) fn check(path: &str, text: &str, violations: &mut Violations) {
    let (mut commented, mut begins) = (false, true);
    for (line, content) in (1..).zip(text.lines()) {
        let content = content.trim();
        if content.starts_with("//") {
            commented = content.trim_start_matches('/').trim() != "";
            continue;
        }
        let code = without_comment(content);
        if code.is_empty() {
            commented = false;
            continue;
        }
        if begins && !commented && needs_comment(code) {
            let text = format!(
                "`{code}` has no comment above it: say what it means, its unit, its default, its limit"
            );
            violations.add(path, line, &text);
        }
        if code
            .split_once('{')
            .is_some_and(|(_, rest)| !matches!(rest.trim(), "" | "}" | "};"))
        {
            violations.add(
                path,
                line,
                "several declarations on one line: give each a line and a comment",
            );
        }
        begins = code.ends_with([';', '{', '}']);
        commented = false;
    }
}

fn needs_comment(code: &str) -> bool {
    let first = code
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .next()
        .unwrap_or_default();
    !first.is_empty() && !NEED_NONE.contains(&first)
}

/// The line without what follows a `//` outside quotes.
fn without_comment(line: &str) -> &str {
    let mut quoted = false;
    for (at, c) in line.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '/' if !quoted && line.get(at..).is_some_and(|rest| rest.starts_with("//")) => {
                return line.get(..at).unwrap_or_default().trim_end();
            }
            _ => {}
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "syntax = \"proto3\"; // https://example.com\n\n// A service.\nservice S {\n  // Asks.\n  rpc Ask(AskRequest)\n    returns (Answer);\n}\n\
        // An answer.\nmessage Answer {\n  reserved 1;\n  // Why.\n  enum Why {\n    // Not said.\n    WHY_UNSPECIFIED = 0;\n  }\n\
        \n  // How.\n  oneof how {\n    // In words.\n    string words = 2;\n  }\n}\n\n// Nothing.\nmessage Nothing {}\n";

    fn lines(text: &str) -> Vec<String> {
        let mut violations = Violations::default();
        check("a.proto", text, &mut violations);
        violations.0
    }

    #[test]
    fn a_commented_protocol_passes() {
        assert_eq!(lines(GOOD), Vec::<String>::new());
    }

    #[test]
    fn every_missing_comment_is_reported_where_it_is_missing() {
        for (at, content) in GOOD.lines().enumerate() {
            if content.trim().starts_with("//") {
                let without: Vec<&str> = GOOD
                    .lines()
                    .enumerate()
                    .filter(|(n, _)| *n != at)
                    .map(|(_, l)| l)
                    .collect();
                let found = lines(&without.join("\n"));
                assert_eq!(found.len(), 1, "without `{content}`: {found:?}");
                assert!(
                    found
                        .iter()
                        .all(|text| text.starts_with(&format!("a.proto:{}:", at + 1))),
                    "{found:?}"
                );
            }
        }
    }

    #[test]
    fn a_comment_with_a_blank_line_below_it_is_of_nothing() {
        assert_eq!(lines("// A.\n\nmessage A {}\n").len(), 1);
        assert_eq!(lines("//\nmessage A {}\n").len(), 1);
        assert_eq!(lines("// A.\nenum A { B = 0; }\n").len(), 1);
    }
}
