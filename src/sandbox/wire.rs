//! How Google writes ids, etags and times.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// An id, an address or another short text that many places hold.
pub type Id = std::sync::Arc<str>;

/// A small generator of numbers (SplitMix64) whose sequence never changes between versions.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Starts the sequence of that seed.
    pub fn new(seed: u64) -> Self {
        Self(seed ^ 0x9e37_79b9_7f4a_7c15)
    }

    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below a bound; 0 for bound 0.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = bound.max(1) as u64;
        usize::try_from(self.next() % bound).unwrap_or(0)
    }

    /// True in so many of a hundred cases.
    pub fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    /// One of several.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        of.get(self.below(of.len()))
    }

    /// 21 digits, as users have.
    pub fn user_id(&mut self) -> Id {
        let high = self.next() % 10_000_000_000;
        let low = self.next() % 10_000_000_000;
        format!("1{high:010}{low:010}").into()
    }

    /// 15 characters that begin with 0, as groups have.
    pub fn group_id(&mut self) -> Id {
        let mut id = String::from("0");
        for _ in 0..14 {
            id.push(base36(self.below(36)));
        }
        id.into()
    }

    /// `C0` and 7 characters, as customers have.
    pub fn customer_id(&mut self) -> Id {
        let mut id = String::from("C0");
        for _ in 0..7 {
            id.push(base36(self.below(36)));
        }
        id.into()
    }
}

fn base36(digit: usize) -> char {
    char::from_digit(u32::try_from(digit).unwrap_or(0), 36).unwrap_or('0')
}

/// 21 digits for an address outside every company here, always the same.
pub fn outside_id(address: &str) -> Id {
    let hash = blake3::hash(address.as_bytes());
    let mut seed = [0u8; 8];
    seed.copy_from_slice(&hash.as_bytes()[..8]);
    Dice::new(u64::from_le_bytes(seed)).user_id()
}

/// `"<43 characters>/<27 characters>"`, quotes included.
pub fn etag(kind: &str, id: &str, revision: u64) -> String {
    let family = blake3::hash(kind.as_bytes());
    let own = blake3::hash(format!("{kind}\n{id}\n{revision}").as_bytes());
    format!(
        "\"{}/{}\"",
        URL_SAFE_NO_PAD.encode(family.as_bytes()),
        URL_SAFE_NO_PAD.encode(&own.as_bytes()[..20])
    )
}

/// RFC 3339 with milliseconds, from milliseconds since 1970.
pub fn time(millis: i64) -> String {
    jiff::Timestamp::from_millisecond(millis)
        .map(|time| format!("{time:.3}"))
        .unwrap_or_default()
}

/// A secret of so many random bytes, in URL-safe letters.
pub fn random(bytes: usize) -> String {
    let mut buffer = vec![0u8; bytes];
    rand::fill(buffer.as_mut_slice());
    URL_SAFE_NO_PAD.encode(buffer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_etags_and_times_look_like_googles() {
        let mut dice = Dice::new(7);
        assert_eq!(dice.user_id().len(), 21);
        assert!(dice.user_id().chars().all(|c| c.is_ascii_digit()));
        let group = dice.group_id();
        assert!(group.len() == 15 && group.starts_with('0'));
        let etag = etag("user", "1", 2);
        assert_eq!(etag.len(), 2 + 43 + 1 + 27, "{etag}");
        assert_eq!(time(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(time(1_633_875_501_000), "2021-10-10T14:18:21.000Z");
        assert_eq!(outside_id("a@b"), outside_id("a@b"));
    }
}
