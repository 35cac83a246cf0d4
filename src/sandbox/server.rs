//! The listener: every request goes through one function, which adds latency and faults.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{ConnectInfo, Request};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use tokio::net::TcpListener;
use tokio::sync::{Notify, oneshot};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::Predicate;

use super::call::Call;
use super::connection::{Cut, Cuttable};
use super::error::ApiError;
use super::faults::{Fault, Status};
use super::log::Entry;
use super::reply::{Payload, Reply};
use super::state::State;
use super::{Options, control, directory, oauth};

/// The largest body that is read.
const MAX_BODY: usize = 4 * 1024 * 1024;

/// The state, shared by all requests.
#[derive(Debug, Clone)]
pub struct Shared(Arc<Mutex<State>>, Arc<Notify>);

impl Shared {
    /// Locks it; a panic elsewhere doesn't end the sandbox.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until no answers are held.
    async fn released(&self) {
        let mut controlled = std::pin::pin!(self.1.notified());
        loop {
            controlled.as_mut().enable();
            if !self.lock().faults.hold() {
                return;
            }
            controlled.as_mut().await;
            controlled.set(self.1.notified());
        }
    }
}

/// A running simulator; dropping it ends it.
#[derive(Debug)]
pub struct Sandbox {
    base_url: String,
    stop: Option<oneshot::Sender<()>>,
    down: Cut,
    task: tokio::task::JoinHandle<io::Result<()>>,
}

impl Sandbox {
    /// Invents the company and begins to listen.
    ///
    /// # Errors
    /// If the address can't be listened on.
    pub async fn start(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind(options.listen).await?;
        let base_url = format!("http://{}", listener.local_addr()?);
        let latency = options.latency;
        let at = base_url.clone();
        let state = tokio::task::spawn_blocking(move || {
            oauth::prepare_key();
            State::new(options, at)
        })
        .await
        .map_err(io::Error::other)?;
        let shared = Shared(Arc::new(Mutex::new(state)), Arc::default());
        let router = Router::new()
            .fallback(
                move |ConnectInfo(cut): ConnectInfo<Cut>, request: Request| {
                    let shared = shared.clone();
                    async move { answer(&shared, latency, &cut, request).await }
                },
            )
            .layer(CompressionLayer::new().compress_when(AgentWantsGzip));
        let down = Cut::default();
        let end = down.clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            let service = router.into_make_service_with_connect_info::<Cut>();
            tokio::select! {
                result = axum::serve(Cuttable::new(listener, end), service).into_future() => result,
                _ = stopped => Ok(()),
            }
        });
        Ok(Self {
            base_url,
            stop: Some(stop),
            down,
            task,
        })
    }

    /// `http://ADDRESS:PORT`, without a slash at the end.
    pub fn base_url(&self) -> String {
        self.base_url.clone()
    }

    /// Stops listening; open connections are cut at their next use.
    pub async fn stop(mut self) {
        if let Some(stop) = self.stop.take() {
            let _gone = stop.send(());
        }
        let _ended = (&mut self.task).await;
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.task.abort();
        self.down.cut();
    }
}

/// Runs a sandbox until `shutdown` is done. `on_ready` gets one line of JSON that says where it
/// listens and with what client.
///
/// # Errors
/// If the address can't be listened on.
pub async fn run(
    options: Options,
    on_ready: impl FnOnce(&str),
    shutdown: impl Future,
) -> io::Result<()> {
    let about = options.clone();
    let sandbox = Sandbox::start(options).await?;
    let ready = serde_json::json!({
        "listening": sandbox.base_url(),
        "client_id": about.client_id,
        "client_secret": about.client_secret,
        "admin": "admin@acme.test",
    });
    on_ready(&ready.to_string());
    shutdown.await;
    sandbox.stop().await;
    Ok(())
}

async fn answer(shared: &Shared, latency: Duration, cut: &Cut, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let call = Call::new(parts.method, &parts.uri, parts.headers, body);
    if call
        .segments
        .first()
        .is_some_and(|first| first == "sandbox")
    {
        let reply = control::answer(&mut shared.lock(), &call);
        shared.1.notify_waiters();
        return reply.into_response();
    }
    let id = oauth::identify(&call).unwrap_or_else(|| directory::identify(&call));
    let fault = shared.lock().faults.take(id, &call);
    let late = match &fault {
        Some(Fault::DelayMs(millis)) => Duration::from_millis(*millis),
        _ => Duration::ZERO,
    };
    if !(latency + late).is_zero() {
        tokio::time::sleep(latency + late).await;
    }
    let held = matches!(fault, Some(Fault::Hold | Fault::HoldThen503));
    let (reply, reset) = respond(&mut shared.lock(), id, &call, fault);
    if held {
        shared.released().await;
    }
    if reset {
        cut.cut();
    }
    // Clients fail on a compressed nothing.
    let gzip = wants_gzip(&call) && !matches!(reply.payload, Payload::Empty);
    let mut response = reply.into_response();
    if gzip {
        response.extensions_mut().insert(GzipWanted);
    }
    response
}

/// The answer, and whether the connection is cut instead of sending it.
fn respond(
    state: &mut State,
    id: &'static str,
    call: &Call,
    fault: Option<Fault>,
) -> (Reply, bool) {
    let account = oauth::account_of(state, call);
    let mut reset = false;
    let reply = match fault {
        Some(Fault::Status(status)) => status.reply(),
        Some(Fault::HoldThen503) => unavailable(),
        Some(Fault::Reset) => {
            reset = true;
            Reply::empty(500)
        }
        Some(Fault::ExpireToken) => {
            oauth::expire_bearer(state, call);
            ApiError::bad_token().into_reply()
        }
        Some(Fault::PageTokenExpired) => super::paging::bad_token().into_reply(),
        fault => {
            let after = matches!(fault, Some(Fault::ApplyThen503));
            reset = matches!(fault, Some(Fault::ApplyThenReset));
            let reply = match oauth::answer(state, id, call) {
                Some(reply) => reply,
                None => directory::answer(state, id, call, fault),
            };
            if after { unavailable() } else { reply }
        }
    };
    state.log.add(Entry {
        id,
        method: call.verb.to_string(),
        path: call.path.clone(),
        query: call.raw_query.clone(),
        status: if reset { 0 } else { reply.status },
        account,
        user_agent: call.header("user-agent").map(str::to_owned),
    });
    (reply, reset)
}

fn unavailable() -> Reply {
    let status = Status {
        code: 503,
        reason: None,
        message: None,
        domain: None,
        html: false,
        retry_after: None,
    };
    status.reply()
}

/// Google compresses only for agents that say so twice: in the header made for it and by the
/// word `gzip` in their name.
fn wants_gzip(call: &Call) -> bool {
    call.header("user-agent")
        .is_some_and(|agent| agent.contains("gzip"))
}

#[derive(Debug, Clone, Copy)]
struct GzipWanted;

#[derive(Debug, Clone, Copy)]
struct AgentWantsGzip;

impl Predicate for AgentWantsGzip {
    fn should_compress<B>(&self, response: &http::Response<B>) -> bool
    where
        B: axum::body::HttpBody,
    {
        response.extensions().get::<GzipWanted>().is_some()
    }
}
