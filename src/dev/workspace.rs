//! Where the data lies while `provisiond dev` runs, and the configuration that leads the daemon there.

use super::{Error, google::Google};
use crate::config::Config;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process,
};

/// A directory of our own, removed with what is in it when this is dropped.
pub(super) struct Workspace {
    place: PathBuf,
    keeps_data: bool,
}

impl Workspace {
    /// Makes it among the temporary files, for this user alone.
    pub(super) fn create(flags: &[(String, String)]) -> Result<Self, Error> {
        let failed = |place: &Path, error| Error::Workspace {
            place: place.display().to_string(),
            error,
        };
        let top = std::env::temp_dir();
        // A name that exists is never used: it could be somebody else's.
        for attempt in 0..100 {
            let place = top.join(format!("provisiond-dev-{}-{attempt}", process::id()));
            match fs::DirBuilder::new().mode(0o700).create(&place) {
                Ok(()) => {
                    return Ok(Self {
                        place,
                        keeps_data: flags.iter().any(|(key, _)| key == "store.path"),
                    });
                }
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(failed(&top, error)),
            }
        }
        Err(failed(&top, std::io::ErrorKind::AlreadyExists.into()))
    }

    /// The daemon's configuration: the simulated Google in place of Google, then `ports`, then `flags` over all. Neither
    /// file nor environment is read, so that what is seen is the same everywhere.
    pub(super) fn config(
        &self,
        google: &Google,
        ports: &[(String, String)],
        flags: Vec<(String, String)>,
    ) -> Result<Config, Error> {
        let mut settings = google.settings();
        let secret = self.write_secret(google.client_secret())?;
        settings.push((
            "systems.google-workspace.client_secret_file".to_owned(),
            secret,
        ));
        if !self.keeps_data {
            let data = self.place.join("data").display().to_string();
            settings.push(("store.path".to_owned(), data));
        }
        settings.extend_from_slice(ports);
        settings.extend(flags);
        Ok(Config::load(None, [], settings)?)
    }

    fn write_secret(&self, secret: &str) -> Result<String, Error> {
        let path = self.place.join("client-secret");
        fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .and_then(|mut file| file.write_all(secret.as_bytes()))
            .map_err(|error| Error::Workspace {
                place: path.display().to_string(),
                error,
            })?;
        Ok(path.display().to_string())
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_behind() {
        let workspace = Workspace::create(&[]).unwrap();
        let secret = workspace.write_secret("hidden").unwrap();
        assert_eq!(fs::read_to_string(&secret).unwrap(), "hidden");
        let place = workspace.place.clone();
        drop(workspace);
        assert!(!place.exists());
    }
}
