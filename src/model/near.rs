//! The known text that somebody probably meant.

/// Characters of a text that are compared: what is known is shorter.
const LONGEST: usize = 100;

/// The known text nearest to this one, without regard to case; none if nothing is known.
pub fn nearest<'a>(text: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let text: String = text.chars().take(LONGEST).collect();
    let text = text.to_lowercase();
    known
        .into_iter()
        .min_by_key(|candidate| distance(&text, &candidate.to_lowercase()))
}

/// How many characters must be inserted, removed or replaced to get from one text to the other (Levenshtein).
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (line, left) in from.chars().enumerate() {
        let mut diagonal = line;
        let mut last = line + 1;
        if let Some(first) = row.first_mut() {
            *first = last;
        }
        for (cell, right) in row.iter_mut().skip(1).zip(&to) {
            let replaced = diagonal + usize::from(left != *right);
            diagonal = *cell;
            last = replaced.min(diagonal + 1).min(last + 1);
            *cell = last;
        }
    }
    row.last().copied().unwrap_or_default()
}
