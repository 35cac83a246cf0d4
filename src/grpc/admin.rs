//! `AdminService`: the daemon itself.

use super::{status, to_proto::time};
use crate::{
    proto::v1::{self, admin_service_server::AdminService, backup_response::Part},
    store::{BackupInfo, Spooled, Store},
};
use futures_util::{Stream, stream};
use std::{pin::Pin, sync::Arc};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

/// Backups that are downloaded at once: each takes its room on the disk until it is read.
const DOWNLOADS: usize = 2;

/// The service.
#[derive(Debug)]
pub(super) struct Service {
    store: Store,
    stopping: CancellationToken,
    downloads: Arc<Semaphore>,
}

impl Service {
    pub(super) fn new(store: Store, stopping: CancellationToken) -> Self {
        Self {
            store,
            stopping,
            downloads: Arc::new(Semaphore::new(DOWNLOADS)),
        }
    }
}

fn too_many_downloads() -> Status {
    let text = format!(
        "{DOWNLOADS} backups are being downloaded already, and take up room on the disk until they are: wait until one is done, or end one"
    );
    status::exhausted("downloads of backups".to_owned(), text)
}

/// Where a stream of a backup is.
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

#[tonic::async_trait]
impl AdminService for Service {
    type BackupStream = Pin<Box<dyn Stream<Item = Result<v1::BackupResponse, Status>> + Send>>;

    async fn backup(
        &self,
        _: Request<v1::BackupRequest>,
    ) -> Result<Response<Self::BackupStream>, Status> {
        let place = Arc::clone(&self.downloads).try_acquire_owned();
        let place = place.map_err(|_| too_many_downloads())?;
        let spooled = self.store.backup().await.map_err(status::store)?;
        let stopping = self.stopping.clone();
        // The place is left with the last part, or with the stream.
        let parts = stream::try_unfold((At::Header(spooled), place), move |(at, place)| {
            let stopping = stopping.clone();
            async move {
                if stopping.is_cancelled() {
                    return Err(status::stopping());
                }
                let next = part(at).await?;
                Ok(next.map(|(answer, at)| (answer, (at, place))))
            }
        });
        Ok(Response::new(Box::pin(parts)))
    }
}
