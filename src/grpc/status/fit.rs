//! A status is sent in headers, and clients take only so many bytes of those: 8 KiB those of Java, and of C for sure, 16 KiB ours.

use super::Failure;
use crate::model::Violation;

/// Bytes of headers for a status: what clients take less what else an answer carries.
const MOST: usize = 8 * 1024 - 768;
/// What a status is around its texts.
const FRAME: usize = 512;
/// What a violation is around its texts.
const EACH: usize = 12;
/// Bytes of a field's name, and of any other text.
const LONGEST_FIELD: usize = 200;
const LONGEST: usize = 500;
/// Where the rest of a message is.
const REST: &str = " and more: see the details";

/// Has the texts of a failure fit: long ones are cut, and if they are too many, it is said how many more there are. The message
/// yields first, since it says nothing that the details do not.
pub(super) fn fit(failure: &mut Failure) {
    for Violation { field, description } in &mut failure.violations {
        cut(field, LONGEST_FIELD);
        cut(description, LONGEST);
    }
    for (_, text) in &mut failure.preconditions {
        cut(text, LONGEST);
    }
    cut(&mut failure.resource, LONGEST);
    let details: usize = sizes(failure).sum();
    if around(failure) + details <= MOST {
        return;
    }
    cut(&mut failure.text, LONGEST);
    if details > 0 {
        failure.text.push_str(REST);
    }
    let mut room = MOST.saturating_sub(around(failure));
    let fitting = sizes(failure).take_while(|size| {
        let fits = *size <= room;
        room = room.saturating_sub(*size);
        fits
    });
    let fitting = fitting.count();
    let all = failure.violations.len();
    let more = |left: usize| format!("and {left} more");
    if fitting < all {
        failure.violations.truncate(fitting);
        failure
            .violations
            .push(Violation::new("", more(all - fitting)));
    }
    let (all, fitting) = (failure.preconditions.len(), fitting.saturating_sub(all));
    if fitting < all {
        failure.preconditions.truncate(fitting);
        let rest = ("MORE".to_owned(), more(all - fitting));
        failure.preconditions.push(rest);
    }
}

/// Bytes of headers that each detail takes.
fn sizes(failure: &Failure) -> impl Iterator<Item = usize> {
    let violations = failure.violations.iter();
    let violations = violations.map(|one| one.field.len() + one.description.len());
    let preconditions = failure.preconditions.iter();
    let preconditions = preconditions.map(|(code, text)| code.len() + text.len());
    violations
        .chain(preconditions)
        .map(|bytes| base64(bytes + EACH))
}

/// Bytes of headers that all else takes: the message is there by itself, in the details, and may be what is said of a resource.
fn around(failure: &Failure) -> usize {
    let text = &failure.text;
    let copies = if failure.resource.is_empty() { 1 } else { 2 };
    FRAME + percent(text) + base64(copies * text.len() + failure.resource.len())
}

fn base64(bytes: usize) -> usize {
    bytes.div_ceil(3) * 4
}

/// Bytes of a text as messages are sent: whatever is no plain sign takes three.
fn percent(text: &str) -> usize {
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"\"#%<>`?{}".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { 1 } else { 3 })
        .sum()
}

/// Cuts a text that is too long, between two characters.
fn cut(text: &mut String, most: usize) {
    if text.len() > most {
        text.truncate(text.floor_char_boundary(most));
        text.push('\u{2026}');
    }
}

#[cfg(test)]
mod tests {
    use super::super::{invalid, owned};
    use tonic::Status;
    use tonic_types::StatusExt as _;

    /// Bytes that a status takes in headers, as HTTP/2 counts them.
    fn size(status: &Status) -> usize {
        let http = status.clone().into_http::<String>();
        let headers = http.headers().iter();
        headers
            .map(|(name, value)| name.as_str().len() + value.len() + 32)
            .sum()
    }

    fn violations(count: usize, text: &str) -> Vec<crate::model::Violation> {
        (0..count)
            .map(|n| crate::model::Violation::new(format!("user.aliases[{n}]"), text))
            .collect()
    }

    #[test]
    fn as_much_is_said_as_fits_and_how_much_more_there_is() {
        let usual = "must be an e-mail address such as anna@example.com: Missing '@'.";
        for (count, text, least) in [
            (1, usual, 1),
            (20, usual, 20),
            (40, usual, 40),
            (500, usual, 40),
            (100_000, "must not be given", 60),
            (3, &*"\u{e9}".repeat(9_000), 2),
            (50, &*"? ".repeat(200), 5),
            (1000, "", 100),
        ] {
            let status = invalid(violations(count, text));
            assert!(size(&status) < 8192 - 256, "{count} {}", size(&status));
            let details = status.get_error_details();
            let named = &details.bad_request().unwrap().field_violations;
            let last = named.last().unwrap();
            let left = match last.description.strip_prefix("and ") {
                Some(left) => left.trim_end_matches(" more").parse().unwrap(),
                None => 0,
            };
            let fields = named.iter().filter(|one| !one.field.is_empty()).count();
            assert_eq!(fields + left, count, "{count} {text}");
            assert!(fields >= least, "{fields} of {count}: {status:?}");
            assert!(left == 0 || status.message().contains("more"), "{count}");
        }
    }

    #[test]
    fn what_must_be_done_first_fits_too() {
        let long = format!("title is kept up to date by companies/{}", "x".repeat(300));
        for count in [1, 100] {
            let status = owned(vec![long.clone(); count]);
            assert!(size(&status) < 8192 - 256, "{count} {}", size(&status));
            let details = status.get_error_details();
            let named = &details.precondition_failure().unwrap().violations;
            assert!(!named.is_empty());
            let says_more = named.last().unwrap().description.starts_with("and ");
            assert_eq!(says_more, count == 100);
        }
    }
}
