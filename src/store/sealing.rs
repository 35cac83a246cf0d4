//! Sealing: secrets are stored encrypted (AES-256-GCM-SIV) under a key derived for their purpose (HKDF-SHA256) and bound to the row they
//! belong to, so that a sealed value moved to another row does not open.

use super::{Error, sentinel};
use crate::model::{Sealed, Secret};
use aws_lc_rs::{
    aead::{AES_256_GCM_SIV, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    hkdf,
};
use std::{
    fs,
    io::{ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

const KEY_LEN: usize = 32;
/// First byte of a sealed value: how it is sealed.
const FORMAT: u8 = 1;

/// What a secret is for: each purpose has a key of its own.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    RefreshToken,
    ServiceAccountKey,
    Authorization,
    KeyCheck,
}

impl Purpose {
    fn text(self) -> &'static [u8] {
        match self {
            Self::RefreshToken => b"provisiond refresh token",
            Self::ServiceAccountKey => b"provisiond service account key",
            Self::Authorization => b"provisiond pending authorization",
            Self::KeyCheck => b"provisiond key check",
        }
    }
}

/// The key that seals secrets (AES-256-GCM-SIV, key derived per purpose by HKDF, row key as additional data).
#[derive(Clone, Debug)]
pub struct SealingKey {
    key: Secret,
    file: PathBuf,
}

impl SealingKey {
    /// Reads the key file (64 hexadecimal digits), or makes one with mode 0600; directories above it are made as needed.
    ///
    /// # Errors
    /// `Unusable` if the file holds no key, `Io` if it can't be read or made.
    pub fn load_or_create(file: &Path) -> Result<Self, Error> {
        match read(file)? {
            Some(text) => Self::of(file, &text),
            None => Self::of(file, &create(file)?),
        }
    }

    /// The key of the store in a directory: made only together with the store.
    ///
    /// # Errors
    /// As of [`SealingKey::load`] if there is a store, else as of [`SealingKey::load_or_create`].
    pub fn of_store(file: &Path, store: &Path) -> Result<Self, Error> {
        match store.join(sentinel::FILE).exists() {
            true => Self::load(file),
            false => Self::load_or_create(file),
        }
    }

    /// Reads the key file, which must be there.
    ///
    /// # Errors
    /// `Unusable` if there is none or it holds no key, `Io` if it can't be read.
    pub fn load(file: &Path) -> Result<Self, Error> {
        let text = read(file)?.ok_or_else(|| {
            Error::Unusable(format!(
                "there is no sealing key file {}, and without the key that the store was made with its secrets can't be read: put that file \
                 there, or set sealing.key_file to where it is",
                file.display()
            ))
        })?;
        Self::of(file, &text)
    }

    fn of(file: &Path, text: &str) -> Result<Self, Error> {
        let key = Secret::new(text.trim().to_owned());
        if bytes(&key).is_none() {
            return Err(Error::Unusable(format!(
                "the sealing key file {} does not hold 64 hexadecimal digits: put the right file there",
                file.display()
            )));
        }
        let file = fs::canonicalize(file).map_err(|error| failed("find", file, &error))?;
        Ok(Self { key, file })
    }

    /// Where the key is kept.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// Seals a secret for a purpose and a row.
    pub(super) fn seal(
        &self,
        purpose: Purpose,
        row: &[u8],
        secret: &[u8],
    ) -> Result<Sealed, Error> {
        let failed = |_| Error::Io("a secret can't be sealed".to_owned());
        let mut text = secret.to_vec();
        let nonce = self
            .derive(purpose)?
            .seal_in_place_append_tag(Aad::from(row), &mut text)
            .map_err(failed)?;
        let mut sealed = vec![FORMAT];
        sealed.extend_from_slice(nonce.as_ref());
        sealed.extend_from_slice(&text);
        Ok(Sealed(sealed))
    }

    /// Opens what was sealed for a purpose and a row; none if key, purpose or row are others, or it was tampered with.
    pub(super) fn open(
        &self,
        purpose: Purpose,
        row: &[u8],
        sealed: &[u8],
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        let Some((&FORMAT, rest)) = sealed.split_first() else {
            return Ok(None);
        };
        let Some((nonce, text)) = rest.split_at_checked(NONCE_LEN) else {
            return Ok(None);
        };
        let Ok(nonce) = Nonce::try_assume_unique_for_key(nonce) else {
            return Ok(None);
        };
        let mut text = Zeroizing::new(text.to_vec());
        let opened = self
            .derive(purpose)?
            .open_in_place(nonce, Aad::from(row), &mut text)
            .map(|clear| clear.len());
        Ok(opened.ok().map(|length| {
            text.truncate(length);
            text
        }))
    }

    /// Opens a text.
    pub(super) fn open_text(
        &self,
        purpose: Purpose,
        row: &[u8],
        sealed: &[u8],
    ) -> Result<Secret, Error> {
        let bad = || Error::unreadable("a sealed secret");
        let clear = self.open(purpose, row, sealed)?.ok_or_else(bad)?;
        let text = std::str::from_utf8(&clear).map_err(|_| bad())?;
        Ok(Secret::new(text.to_owned()))
    }

    fn derive(&self, purpose: Purpose) -> Result<RandomizedNonceKey, Error> {
        let failed = |_| Error::Io("a sealing key can't be derived".to_owned());
        let master = bytes(&self.key)
            .ok_or_else(|| Error::Unusable("the sealing key is not a key".to_owned()))?;
        let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, b"provisiond store").extract(&*master);
        let mut derived = Zeroizing::new([0; KEY_LEN]);
        prk.expand(&[purpose.text()], hkdf::HKDF_SHA256)
            .and_then(|okm| okm.fill(derived.as_mut()))
            .map_err(failed)?;
        RandomizedNonceKey::new(&AES_256_GCM_SIV, derived.as_ref()).map_err(failed)
    }
}

/// The bytes that 64 hexadecimal digits stand for.
fn bytes(key: &Secret) -> Option<Zeroizing<[u8; KEY_LEN]>> {
    let digits = key.expose().as_bytes();
    if digits.len() != 2 * KEY_LEN {
        return None;
    }
    let mut key = Zeroizing::new([0; KEY_LEN]);
    for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
        let high = char::from(pair[0]).to_digit(16)?;
        let low = char::from(pair[1]).to_digit(16)?;
        *byte = u8::try_from(high * 16 + low).ok()?;
    }
    Some(key)
}

/// The text of a key file; none if there is no such file.
fn read(file: &Path) -> Result<Option<Zeroizing<String>>, Error> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(Some(Zeroizing::new(text))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", file, &error)),
    }
}

fn create(file: &Path) -> Result<Zeroizing<String>, Error> {
    let failed = |error: std::io::Error| failed("make", file, &error);
    let parent = match file.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(parent)
        .map_err(failed)?;
    let mut key = Zeroizing::new([0; KEY_LEN]);
    aws_lc_rs::rand::fill(key.as_mut())
        .map_err(|_| Error::Io("no random bytes for a sealing key".to_owned()))?;
    let mut text = Zeroizing::new(String::with_capacity(2 * KEY_LEN + 1));
    for byte in key.iter() {
        for digit in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(u32::from(digit), 16));
        }
    }
    text.push('\n');
    let mut out = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .map_err(failed)?;
    out.write_all(text.as_bytes()).map_err(failed)?;
    out.sync_all().map_err(failed)?;
    fs::File::open(parent)
        .and_then(|dir| dir.sync_all())
        .map_err(failed)?;
    Ok(text)
}

fn failed(doing: &str, file: &Path, error: &std::io::Error) -> Error {
    Error::io(
        &format!("can't {doing} the sealing key file {}", file.display()),
        error,
    )
}
