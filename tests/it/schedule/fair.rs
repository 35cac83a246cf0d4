//! Whose turn it is when more is due at once than may run at once.

use super::bare::{Daemon, Home, add_to};
use provisiond::{
    connector::{
        AccessTokens, Answer, Connector, Coverage, Cursor, Domain, Error, OrgUnit, Page, Reader,
        SourceMember, Standing,
    },
    integrations::{ActsAs, Connectors, SystemSetup},
    model::{
        Clock, CompanyId, Kind, ManualClock, Object, PageRequest, SourceId, SyncInterval, SystemId,
        Time,
    },
    oauth::{AssertionOptions, Assertions},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::{Semaphore, mpsc};

/// A system in which nobody is, and whose listings wait until they are let go on, one by one.
#[derive(Debug, Clone)]
struct Held(Arc<Gate>);

#[derive(Debug)]
struct Gate {
    /// The customer of each listing that begins.
    begun: mpsc::UnboundedSender<String>,
    let_go: Semaphore,
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Connectors for Held {
    fn open(
        &self,
        _: &SystemId,
        customer: Option<&str>,
        _: ActsAs<'_>,
        _: Arc<dyn AccessTokens>,
    ) -> Result<Arc<dyn Connector>, Error> {
        let (gate, customer) = (self.clone(), customer.unwrap().to_owned());
        Ok(Arc::new(Source { gate, customer }))
    }
}

struct Source {
    gate: Held,
    customer: String,
}

fn nothing<T>() -> Page<T> {
    Page {
        items: Vec::new(),
        next: None,
        coverage: Coverage::Complete,
    }
}

impl Connector for Source {
    fn system(&self) -> SystemId {
        SystemId::try_new("google-workspace").unwrap()
    }

    fn check(&self) -> Answer<'_, Standing> {
        Box::pin(async { Err(Error::Rejected("nobody asks".to_owned())) })
    }

    fn reader(&self) -> Option<&dyn Reader> {
        Some(self)
    }
}

impl Reader for Source {
    fn page(&self, _: Kind, _: Option<Cursor>) -> Answer<'_, Page<Object>> {
        Box::pin(async {
            let gate = &self.gate.0;
            let now = gate.now.fetch_add(1, Ordering::SeqCst) + 1;
            gate.most.fetch_max(now, Ordering::SeqCst);
            gate.begun.send(self.customer.clone()).unwrap();
            gate.let_go.acquire().await.unwrap().forget();
            gate.now.fetch_sub(1, Ordering::SeqCst);
            Ok(nothing())
        })
    }

    fn members<'a>(&'a self, _: &'a SourceId, _: Option<Cursor>) -> Answer<'a, Page<SourceMember>> {
        Box::pin(async { Ok(nothing()) })
    }

    fn units(&self) -> Answer<'_, Vec<OrgUnit>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn domains(&self) -> Answer<'_, Vec<Domain>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn locate<'a>(&'a self, _: Kind, _: &'a str) -> Answer<'a, Option<SourceId>> {
        Box::pin(async { Ok(None) })
    }

    fn get<'a>(&'a self, _: Kind, _: &'a SourceId) -> Answer<'a, Option<Object>> {
        Box::pin(async { Ok(None) })
    }
}

/// Nobody asks it for a token.
fn setup(clock: &ManualClock) -> SystemSetup {
    let options = AssertionOptions {
        token_url: url::Url::parse("http://127.0.0.1:1/token").unwrap(),
        audience: "http://127.0.0.1:1/token".to_owned(),
        backoff: Duration::from_millis(1),
    };
    SystemSetup {
        id: SystemId::try_new("google-workspace").unwrap(),
        provider: None,
        assertions: Assertions::new(options, Arc::new(clock.clone())).unwrap(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_with_twenty_integrations_does_not_keep_another_waiting_with_its_one() {
    const MANY: usize = 20;
    let home = Home {
        dir: tempfile::tempdir().unwrap(),
        clock: ManualClock::default(),
        catch_up: None,
    };
    home.set(1_800_000_000);
    let (begun, mut beginning) = mpsc::unbounded_channel();
    let gate = Arc::new(Gate {
        begun,
        let_go: Semaphore::new(0),
        now: AtomicUsize::default(),
        most: AtomicUsize::default(),
    });
    let (systems, held) = (vec![setup(&home.clock)], Arc::new(Held(Arc::clone(&gate))));
    let daemon = Daemon::open(&home, 2, systems, held).await;
    let [many, one] = ["acme", "beta"].map(|company| CompanyId::try_new(company).unwrap());
    let daily = ("UTC", SyncInterval::Daily);
    for number in 0..MANY {
        add_to(&daemon, &many, daily, &format!("number-{number}")).await;
    }
    add_to(&daemon, &one, daily, "only").await;
    let midnight = home.clock.now() + Duration::from_secs(24 * 60 * 60);
    home.clock.set(midnight);
    // All of them have asked for a run before any is let go on.
    let mut changed = daemon.store.subscribe_due();
    let asked = async {
        loop {
            changed.mark_unchanged();
            let due = daemon.store.due(None, home.clock.now(), 1).await.unwrap();
            if due.is_empty() {
                return;
            }
            changed.changed().await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(30), asked)
        .await
        .unwrap();
    let mut order = Vec::new();
    for next in 0..=MANY {
        if next >= 2 {
            gate.let_go.add_permits(1);
        }
        let first = tokio::time::timeout(Duration::from_secs(30), beginning.recv()).await;
        order.push(first.unwrap().unwrap());
    }
    gate.let_go.add_permits(2);
    let of_one = order.iter().position(|customer| customer.contains("beta"));
    assert!(of_one.is_some_and(|at| at < 3), "{order:?}");
    assert_eq!(gate.most.load(Ordering::SeqCst), 2, "at once");
    let page = PageRequest {
        size: 100,
        token: None,
    };
    for (company, count) in [(&many, MANY), (&one, 1)] {
        let listed = daemon.store.runs(company, None, &page).await.unwrap();
        assert_eq!(listed.items.len(), count);
        let mut due = listed.items.iter().map(|run| run.scheduled_time);
        assert!(due.all(|due| due.is_some_and(|due: Time| due <= midnight)));
    }
    daemon.stop().await;
}
