//! `AdminService`: the daemon itself.

use super::{status, to_proto::time};
use crate::{
    model::{Clock, Time},
    proto::v1::{self, admin_service_server::AdminService, backup_response::Part},
    store::{BackupInfo, Spooled, Store},
};
use futures_util::{Stream, stream};
use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

/// Backups that are downloaded at once: each takes its room on the disk until it is read.
const DOWNLOADS: usize = 2;
/// A download of which nothing was taken for so long gives its place to another.
const PATIENCE: Duration = Duration::from_secs(60);

/// The service.
#[derive(Debug)]
pub(super) struct Service {
    store: Store,
    clock: Arc<dyn Clock>,
    stopping: CancellationToken,
    downloads: Downloads,
}

impl Service {
    pub(super) fn new(store: Store, clock: Arc<dyn Clock>, stopping: CancellationToken) -> Self {
        Self {
            store,
            clock,
            stopping,
            downloads: Downloads::default(),
        }
    }
}

fn too_many_downloads() -> Status {
    let text = format!(
        "{DOWNLOADS} backups are being downloaded already, and take up room on the disk until they are: wait until one is done, or end one"
    );
    status::exhausted("downloads of backups".to_owned(), text)
}

fn nobody_reads() -> Status {
    let seconds = PATIENCE.as_secs();
    status::unavailable(format!(
        "nothing of the backup was read for {seconds} s and more, and another took its place: call Backup again"
    ))
}

/// Where a stream of a backup is.
#[derive(Debug)]
enum At {
    Header(Spooled),
    Chunks(Spooled),
    End,
}

/// The next part, and where the stream is then.
async fn part(at: At) -> Result<Option<(v1::BackupResponse, At)>, Status> {
    let answer = |part| v1::BackupResponse { part: Some(part) };
    Ok(match at {
        At::Header(spooled) => {
            let header = Part::Header(header(&spooled.info));
            Some((answer(header), At::Chunks(spooled)))
        }
        At::Chunks(spooled) => {
            let summary = Part::Summary(summary(&spooled.info));
            match spooled.next().await.map_err(status::store)? {
                Some((bytes, rest)) => Some((answer(Part::Chunk(bytes)), At::Chunks(rest))),
                None => Some((answer(summary), At::End)),
            }
        }
        At::End => None,
    })
}

fn header(info: &BackupInfo) -> v1::BackupHeader {
    v1::BackupHeader {
        store_epoch: info.epoch.clone(),
        take_time: Some(time(info.take_time)),
        size_bytes: info.size.cast_signed(),
    }
}

fn summary(info: &BackupInfo) -> v1::BackupSummary {
    v1::BackupSummary {
        digest: info.digest.clone(),
        record_count: info.records.cast_signed(),
    }
}

/// A backup that is being downloaded. Its place is left with the last part, or with the stream.
#[derive(Debug)]
struct Download(Mutex<State>);

#[derive(Debug)]
struct State {
    /// None while it is being taken, while a part of it is read, and once it is over.
    at: Option<At>,
    /// When something was taken of it last.
    taken: Time,
    over: bool,
}

impl Download {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next part.
    async fn next(&self, clock: &dyn Clock) -> Result<Option<v1::BackupResponse>, Status> {
        let at = self.state().at.take().ok_or_else(nobody_reads)?;
        let next = part(at).await?;
        let mut state = self.state();
        state.taken = clock.now();
        let Some((answer, at)) = next else {
            return Ok(None);
        };
        state.over = matches!(at, At::End);
        state.at = Some(at);
        Ok(Some(answer))
    }
}

/// The downloads that are going on.
#[derive(Debug, Default)]
struct Downloads(Mutex<Vec<Weak<Download>>>);

impl Downloads {
    /// A place for one more. Those of which nothing was taken for long give theirs up, if there is none else.
    fn place(&self, now: Time) -> Result<Arc<Download>, Status> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = now.saturating_sub(PATIENCE).unwrap_or(Time::MIN);
        for none_else in [false, true] {
            all.retain(|download| {
                let Some(download) = download.upgrade() else {
                    return false;
                };
                let mut state = download.state();
                if none_else && state.at.is_some() && state.taken <= since {
                    (state.at, state.over) = (None, true);
                }
                !state.over
            });
            if all.len() < DOWNLOADS {
                let download = Arc::new(Download(Mutex::new(State {
                    at: None,
                    taken: now,
                    over: false,
                })));
                all.push(Arc::downgrade(&download));
                return Ok(download);
            }
        }
        Err(too_many_downloads())
    }
}

#[tonic::async_trait]
impl AdminService for Service {
    type BackupStream = Pin<Box<dyn Stream<Item = Result<v1::BackupResponse, Status>> + Send>>;

    async fn backup(
        &self,
        _: Request<v1::BackupRequest>,
    ) -> Result<Response<Self::BackupStream>, Status> {
        let download = self.downloads.place(self.clock.now())?;
        let spooled = self.store.backup().await.map_err(status::store)?;
        {
            let mut state = download.state();
            (state.at, state.taken) = (Some(At::Header(spooled)), self.clock.now());
        }
        let (stopping, clock) = (self.stopping.clone(), Arc::clone(&self.clock));
        let parts = stream::try_unfold(download, move |download| {
            let (stopping, clock) = (stopping.clone(), Arc::clone(&clock));
            async move {
                if stopping.is_cancelled() {
                    return Err(status::stopping());
                }
                let next = download.next(&*clock).await?;
                Ok(next.map(|answer| (answer, download)))
            }
        });
        Ok(Response::new(Box::pin(parts)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::ManualClock,
        store::{Options, SealingKey},
    };
    use futures_util::StreamExt;

    #[tokio::test]
    async fn a_download_of_which_nobody_reads_on_gives_its_place_to_another() {
        let home = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::default());
        let options = Options {
            path: home.path().join("data"),
            key: SealingKey::load_or_create(&home.path().join("key")).unwrap(),
            clock: clock.clone(),
        };
        let store = Store::open(options).await.unwrap();
        let service = Service::new(store, clock.clone(), CancellationToken::new());
        let backup = async || {
            let begun = service.backup(Request::new(v1::BackupRequest {})).await;
            begun.map(Response::into_inner)
        };
        let mut read = backup().await.unwrap();
        let mut left = backup().await.unwrap();
        assert!(left.next().await.unwrap().is_ok());
        // Whoever reads something now and then keeps it.
        for _ in 0..2 {
            let refused = backup().await.map(drop).unwrap_err();
            assert!(refused.message().contains("wait until one is done"));
            clock.advance(PATIENCE * 3 / 4);
            assert!(read.next().await.unwrap().is_ok());
        }
        let mut another = backup().await.unwrap();
        let ended = left.next().await.unwrap().unwrap_err();
        assert!(ended.message().contains("call Backup again"), "{ended}");
        assert!(left.next().await.is_none());
        assert!(backup().await.is_err(), "both places are taken again");
        for download in [&mut read, &mut another] {
            while let Some(part) = download.next().await {
                part.unwrap();
            }
        }
    }
}
