//! Those who watch the company, one its runs and one its directory, and go on where they were after each restart.

use crate::support::company;
use provisiond::{
    model::{Event, EventBody, Outcome},
    proto::v1::{
        self, directory_service_client::DirectoryServiceClient,
        sync_service_client::SyncServiceClient,
    },
};
use std::time::Duration;

/// What one of them was told.
#[derive(Debug, Default, Clone)]
struct Told {
    token: Option<String>,
    /// Sequences of the durable events, in order.
    seen: Vec<i64>,
}

#[derive(Debug, Default)]
pub struct Watching {
    runs: Told,
    directory: Told,
}

impl Watching {
    /// Watches until this sequence, or until the daemon is gone.
    pub async fn follow(self, grpc: String, last: i64) -> Self {
        let (runs, directory) = tokio::join!(
            runs(self.runs, grpc.clone(), last),
            directory(self.directory, grpc, last)
        );
        Self { runs, directory }
    }

    /// How much was told.
    pub fn counts(&self) -> (usize, usize) {
        (self.runs.seen.len(), self.directory.seen.len())
    }

    /// Checks that all was told; some of it since.
    pub fn saw_all(&self, all: &[Event], before: (usize, usize)) {
        let sequences = |wanted: &dyn Fn(&EventBody) -> bool| -> Vec<i64> {
            let events = all.iter().filter(|event| wanted(&event.body));
            events.map(|event| event.sequence.cast_signed()).collect()
        };
        let runs = |body: &EventBody| !matches!(body, EventBody::Directory(_));
        let directory = |body: &EventBody| match body {
            EventBody::Directory(_) => true,
            EventBody::Change { change, .. } => {
                change.outcome == Outcome::Applied && change.target.is_some()
            }
            _ => false,
        };
        assert_eq!(self.runs.seen, sequences(&runs));
        assert_eq!(self.directory.seen, sequences(&directory));
        let now = self.counts();
        assert!(before.0 > 0 && before.0 < now.0, "{before:?} {now:?}");
        assert!(before.1 > 0, "{before:?} {now:?}");
    }
}

async fn runs(mut told: Told, grpc: String, last: i64) -> Told {
    use v1::watch_runs_request::Position;
    let Ok(mut sync) = SyncServiceClient::connect(grpc).await else {
        return told;
    };
    let token = told.token.clone().map(Position::ResumeToken);
    let request = v1::WatchRunsRequest {
        parent: company(),
        position: token.or(Some(Position::AfterSequence(0))),
        include_changes: true,
    };
    let Ok(news) = sync.watch_runs(request).await else {
        return told;
    };
    let mut news = news.into_inner();
    while let Ok(Some(message)) = news.message().await {
        use v1::watch_runs_response::Event;
        if !matches!(
            message.event,
            Some(
                Event::RunSnapshot(_)
                    | Event::RunProgress(_)
                    | Event::RunThrottled(_)
                    | Event::Heartbeat(_)
            )
        ) {
            told.seen.push(message.sequence);
        }
        told.token = Some(message.resume_token);
        if message.sequence >= last {
            break;
        }
    }
    told
}

async fn directory(mut told: Told, grpc: String, last: i64) -> Told {
    use v1::watch_directory_request::Position;
    let Ok(mut directory) = DirectoryServiceClient::connect(grpc).await else {
        return told;
    };
    let token = told.token.clone().map(Position::ResumeToken);
    let request = v1::WatchDirectoryRequest {
        parent: company(),
        position: token.or(Some(Position::AfterSequence(0))),
    };
    let Ok(news) = directory.watch_directory(request).await else {
        return told;
    };
    let mut news = news.into_inner();
    // The last event may be none of the directory's: then only the heartbeat after it says that there is no more.
    let patience = Duration::from_secs(if last == i64::MAX { 3600 } else { 20 });
    while let Ok(Ok(Some(message))) = tokio::time::timeout(patience, news.message()).await {
        if matches!(
            message.event,
            Some(v1::watch_directory_response::Event::Change(_))
        ) {
            told.seen.push(message.sequence);
        }
        told.token = Some(message.resume_token);
        if message.sequence >= last {
            break;
        }
    }
    told
}
