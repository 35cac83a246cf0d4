//! What makes the lists of protected addresses and of domains valid.

use super::Checked;

/// Most entries of a list.
const MOST: usize = 100;
/// Longest address (RFC 5321) and domain name, in characters.
const LONGEST: usize = 254;

/// Entries without the blanks around them; refused are lists that are too long and entries that are not `sound`.
fn list(
    checked: &mut Checked,
    field: &str,
    entries: &[String],
    what: &str,
    sound: fn(&str) -> bool,
) -> Vec<String> {
    if entries.len() > MOST {
        checked.refuse(field, format!("must be at most {MOST}"));
        return Vec::new();
    }
    let entries: Vec<String> = entries.iter().map(|e| e.trim().to_owned()).collect();
    for (at, entry) in entries.iter().enumerate() {
        if !sound(entry) {
            checked.refuse(&format!("{field}[{at}]"), what);
        }
    }
    entries
}

/// Addresses, or patterns of addresses.
pub(super) fn protected(checked: &mut Checked, entries: &[String]) -> Vec<String> {
    let what = "must be an address, or a pattern with *, of 1 to 254 characters without blanks, such as svc-*@example.com";
    list(checked, "integration.protected", entries, what, |entry| {
        entry.contains(['@', '*'])
            && entry.chars().count() <= LONGEST
            && !entry.chars().any(|c| c.is_whitespace() || c.is_control())
    })
}

/// Names of domains.
pub(super) fn domains(checked: &mut Checked, entries: &[String]) -> Vec<String> {
    let what = "must be the name of a domain, such as example.com, without @ or *";
    list(checked, "integration.domains", entries, what, is_domain)
}

fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.chars().count() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    text.contains('.') && text.chars().count() <= LONGEST && text.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(make: fn(&mut Checked, &[String]) -> Vec<String>, entry: &str) -> bool {
        let mut checked = Checked(Vec::new());
        make(&mut checked, &["first".to_owned(), entry.to_owned()]);
        checked
            .0
            .iter()
            .any(|violation| violation.field.ends_with("[1]"))
    }

    #[test]
    fn a_protected_address_may_be_a_pattern_and_nothing_else() {
        for entry in ["a@b.c", " a@b.c ", "*", "svc-*", "*@b.c", "é@b.c"] {
            assert!(!wrong(protected, entry), "{entry}");
        }
        for entry in [
            "",
            " ",
            "boss",
            "a b@c",
            "a@\nb",
            &format!("{}@b", "x".repeat(254)),
        ] {
            assert!(wrong(protected, entry), "{entry:?}");
        }
    }

    #[test]
    fn a_domain_is_a_name_with_a_dot() {
        for entry in [
            "b.c",
            "Sub.Example.com",
            "xn--bcher-kva.example",
            "bücher.example",
        ] {
            assert!(!wrong(domains, entry), "{entry}");
        }
        for entry in [
            "", "com", "@b.c", "*.b.c", "b..c", ".b.c", "b.c.", "-b.c", "b-.c", "b c.d",
        ] {
            assert!(wrong(domains, entry), "{entry:?}");
        }
    }

    #[test]
    fn a_list_has_its_limit() {
        let mut checked = Checked(Vec::new());
        protected(&mut checked, &vec!["a@b.c".to_owned(); MOST]);
        assert_eq!(checked.0, []);
        domains(&mut checked, &vec!["b.c".to_owned(); MOST + 1]);
        assert_eq!(checked.0[0].field, "integration.domains");
    }
}
