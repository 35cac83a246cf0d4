//! Whom an integration reaches, before any rule is asked: the domains it is narrowed to, and those it never touches.

use super::condition::fold;
use std::collections::HashSet;

/// Domains and protected addresses of an integration, prepared to be asked for each object.
#[derive(Debug, Clone, Default)]
pub struct Reach {
    domains: HashSet<String>,
    protected: Vec<Vec<char>>,
}

impl Reach {
    /// Prepares the lists of an integration. No domain means all.
    pub fn new(domains: &[String], protected: &[String]) -> Self {
        Self {
            domains: domains.iter().map(|domain| fold(domain)).collect(),
            protected: protected
                .iter()
                .map(|pattern| fold(pattern).chars().collect())
                .collect(),
        }
    }

    /// Whether an object of this primary address is in one of the domains. Without an address it is in none.
    pub fn covers(&self, address: Option<&str>) -> bool {
        self.domains.is_empty()
            || address
                .and_then(|address| address.rsplit_once('@'))
                .is_some_and(|(_, domain)| self.domains.contains(&fold(domain)))
    }

    /// Whether this primary address is one that is never touched.
    pub fn protects(&self, address: Option<&str>) -> bool {
        let Some(address) = address.filter(|_| !self.protected.is_empty()) else {
            return false;
        };
        let address: Vec<char> = fold(address).chars().collect();
        self.protected
            .iter()
            .any(|pattern| matches(pattern, &address))
    }
}

/// Whether a text is of a pattern, in which `*` stands for any number of characters. Goes back to the last `*` only, so that
/// it takes at most pattern times text steps.
fn matches(pattern: &[char], text: &[char]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((at, from)) = star else {
                    return false;
                };
                star = Some((at, from + 1));
                (p, t) = (at + 1, from + 1);
            }
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn patterns_match_whole_addresses_without_regard_to_case() {
        let table = [
            ("boss@acme.test", "BOSS@Acme.Test", true),
            ("boss@acme.test", "xboss@acme.test", false),
            ("boss@acme.test", "boss@acme.test.org", false),
            ("svc-*@acme.test", "svc-@acme.test", true),
            ("svc-*@acme.test", "svc-backup@acme.test", true),
            ("svc-*@acme.test", "my-svc-x@acme.test", false),
            ("*@acme.test", "a@b@acme.test", true),
            ("*", "anybody@anywhere.test", true),
            ("a*b*c@x", "aXbYbZc@x", true),
            ("a*b*c@x", "aXcYb@x", false),
            ("É*@x.test", "é1@x.test", true),
        ];
        for (pattern, address, expected) in table {
            let reach = Reach::new(&[], &list(&[pattern]));
            assert_eq!(
                reach.protects(Some(address)),
                expected,
                "{pattern} {address}"
            );
        }
        assert!(!Reach::new(&[], &list(&["*"])).protects(None));
        assert!(!Reach::default().protects(Some("a@b")));
    }

    #[test]
    fn a_hostile_pattern_takes_no_time_to_speak_of() {
        let pattern = "*a".repeat(100) + "b";
        let reach = Reach::new(&[], &[pattern]);
        assert!(!reach.protects(Some(&"a".repeat(10_000))));
    }

    #[test]
    fn domains_are_compared_whole_and_none_means_all() {
        let reach = Reach::new(&list(&["Acme.test", "other.test"]), &[]);
        for address in ["a@acme.test", "A@ACME.TEST", "x@other.test"] {
            assert!(reach.covers(Some(address)), "{address}");
        }
        for address in ["a@sub.acme.test", "a@acme.test.org", "acme.test", ""] {
            assert!(!reach.covers(Some(address)), "{address}");
        }
        assert!(!reach.covers(None));
        assert!(Reach::default().covers(None));
    }
}
