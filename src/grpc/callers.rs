//! Who calls, and what he may do: one gate before every method of every service.
//!
//! Without configured callers everybody may do everything (the configuration then keeps the listener on loopback). Else:
//! health is open to all, reflection to every caller, and each method of ours needs a role (`NEEDS`). The company is
//! checked before the role, and where names are taken apart (`names.rs`), so that no method can forget it: to who may
//! not touch the company, the name can't be read, and whatever the method makes of that is replaced by the refusal.

use super::status;
use crate::model::{Caller, Companies, CompanyId, Role, TokenHash};
use futures_util::future::{BoxFuture, Either};
use http::{Request, Response, header::AUTHORIZATION};
use rustls::{
    client::verify_server_name,
    pki_types::{CertificateDer, ServerName},
    server::ParsedCertificate,
};
use std::{
    convert::Infallible,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
};
use tonic::{
    Status,
    body::Body,
    transport::server::{TcpConnectInfo, TlsConnectInfo},
};
use tower::{Layer, Service};

const PACKAGE: &str = "/appsco.provisioning.v1.";
/// Open to everybody: it tells nothing of any company.
const HEALTH: &str = "/grpc.health.v1.Health/";
/// Open to every caller.
const REFLECTION: &str = "/grpc.reflection.";

/// The service that is about all companies at once: who may touch only some may call none of it.
const OF_ALL: &str = "AdminService";

/// The role that each method needs. A method that is not here is refused.
const NEEDS: &[(Role, &str, &[&str])] = &[
    (
        Role::Viewer,
        "IntegrationService",
        &[
            "ListSystems",
            "GetSystem",
            "GetIntegration",
            "ListIntegrations",
            "CheckIntegration",
            "ListChoices",
            "ListRuleTemplates",
            "GetRule",
            "ListRules",
        ],
    ),
    (
        Role::Admin,
        "IntegrationService",
        &[
            "CreateIntegration",
            "UpdateIntegration",
            "DeleteIntegration",
            "ActivateIntegration",
            "DeactivateIntegration",
            "BeginAuthorization",
            "CompleteAuthorization",
            "SetCredentials",
            "ApplyRuleTemplate",
            "CreateRule",
            "UpdateRule",
            "DeleteRule",
        ],
    ),
    (
        Role::Viewer,
        "SyncService",
        &["GetRun", "ListRuns", "ListChanges", "WatchRuns"],
    ),
    (
        Role::Operator,
        "SyncService",
        &["StartRun", "ProvisionObject", "CancelRun"],
    ),
    (
        Role::Viewer,
        "DirectoryService",
        &[
            "GetUser",
            "ListUsers",
            "GetGroup",
            "ListGroups",
            "ListMembers",
            "ListUserGroups",
            "WatchDirectory",
        ],
    ),
    (
        Role::Admin,
        "DirectoryService",
        &[
            "CreateUser",
            "UpdateUser",
            "DeleteUser",
            "UndeleteUser",
            "BatchUpsertUsers",
            "CreateGroup",
            "UpdateGroup",
            "DeleteGroup",
            "UndeleteGroup",
            "AddMember",
            "RemoveMember",
        ],
    ),
    (Role::Admin, OF_ALL, &["Backup"]),
];

/// The role that the method of a path needs, and whether it is about all companies.
fn needed(path: &str) -> Option<(Role, bool)> {
    let (of, method) = path.strip_prefix(PACKAGE)?.split_once('/')?;
    let mut rows = NEEDS.iter();
    let row = rows.find(|(_, service, methods)| *service == of && methods.contains(&method));
    row.map(|(role, service, _)| (*role, *service == OF_ALL))
}

/// What is known of the caller while his request is handled.
#[derive(Debug)]
struct Asking {
    /// None = callers are not told apart.
    caller: Option<Arc<Caller>>,
    /// The role that he would need, if he has it not.
    lacks: Option<Role>,
    /// What he named of a company that he may not touch.
    foreign: OnceLock<String>,
}

tokio::task_local! {
    static CURRENT: Arc<Asking>;
}

/// Whether the caller may read and touch what is named, which is the company's. Outside a request nobody may.
pub(super) fn may_touch(company: &CompanyId, name: &str) -> bool {
    let judged = CURRENT.try_with(|asking| {
        let Some(caller) = &asking.caller else {
            return true;
        };
        if caller.companies.hold(company) {
            return asking.lacks.is_none();
        }
        asking.foreign.get_or_init(|| name.to_owned());
        false
    });
    judged.unwrap_or(cfg!(test))
}

/// Whether what is asked will be refused, whatever the method answers: then it must write nothing.
pub(super) fn is_refused() -> bool {
    CURRENT.try_with(|asking| asking.refuses()).unwrap_or(false)
}

/// How the caller is called.
pub(super) fn name() -> String {
    let named = CURRENT.try_with(|asking| asking.caller.as_ref().map(|caller| caller.name.clone()));
    let named = named.ok().flatten();
    named.unwrap_or_else(|| super::directory::CALLER.to_owned())
}

impl Asking {
    fn refuses(&self) -> bool {
        self.lacks.is_some() || self.foreign.get().is_some()
    }

    /// The refusal of what was asked, whatever the method answered.
    fn refusal(&self) -> Option<Status> {
        let foreign = self.foreign.get().cloned().map(status::not_found);
        foreign.or_else(|| self.lacks.map(status::lacks_role))
    }
}

/// Lets callers through to the methods that they may call.
#[derive(Debug, Clone)]
pub(super) struct Gate {
    callers: Arc<[Arc<Caller>]>,
}

impl Gate {
    pub(super) fn new(callers: Vec<Caller>) -> Self {
        Self {
            callers: callers.into_iter().map(Arc::new).collect(),
        }
    }

    /// Who calls, and whether his role is enough; the refusal of who is not known and of what does not exist.
    fn judge(&self, request: &Request<Body>) -> Result<Asking, Status> {
        let path = request.uri().path();
        let asking = |caller, lacks| Asking {
            caller,
            lacks,
            foreign: OnceLock::new(),
        };
        if self.callers.is_empty() || path.starts_with(HEALTH) {
            return Ok(asking(None, None));
        }
        let caller = self.known(request)?;
        tracing::Span::current().record("caller", &caller.name);
        if path.starts_with(REFLECTION) {
            return Ok(asking(Some(caller), None));
        }
        let (role, all) = needed(path).ok_or_else(status::unimplemented)?;
        let lacks = (caller.role < role).then_some(role);
        // Such a method takes no name apart, so nothing would keep it from being done.
        match lacks {
            Some(role) if all => return Err(status::lacks_role(role)),
            None if all && caller.companies != Companies::All => {
                return Err(status::lacks_companies());
            }
            _ => {}
        }
        Ok(asking(Some(caller), lacks))
    }

    /// The caller, by his token, else by his certificate.
    fn known(&self, request: &Request<Body>) -> Result<Arc<Caller>, Status> {
        let found = match request.headers().get(AUTHORIZATION) {
            Some(given) => given.to_str().ok().and_then(|given| self.by_token(given)),
            None => self.by_certificate(request),
        };
        found.ok_or_else(status::unknown_caller)
    }

    fn by_token(&self, given: &str) -> Option<Arc<Caller>> {
        let (scheme, token) = given.split_once(' ')?;
        let given =
            TokenHash::of(token.trim()).filter(|_| scheme.eq_ignore_ascii_case("bearer"))?;
        let his = |caller: &&Arc<Caller>| {
            let token = caller.token.as_ref();
            token.is_some_and(|token| token.matches(&given))
        };
        self.callers.iter().find(his).cloned()
    }

    /// The certificate was verified when the connection was made.
    fn by_certificate(&self, request: &Request<Body>) -> Option<Arc<Caller>> {
        let info = request
            .extensions()
            .get::<TlsConnectInfo<TcpConnectInfo>>()?;
        let shown = info.peer_certs()?;
        let certificate: &CertificateDer<'_> = shown.first()?;
        let certificate = ParsedCertificate::try_from(certificate).ok()?;
        let his = |caller: &&Arc<Caller>| {
            let name = caller.certificate.as_deref();
            let name = name.and_then(|name| ServerName::try_from(name).ok());
            name.is_some_and(|name| verify_server_name(&certificate, &name).is_ok())
        };
        self.callers.iter().find(his).cloned()
    }
}

impl<S> Layer<S> for Gate {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Self::Service {
        let gate = self.clone();
        Guarded { inner, gate }
    }
}

/// A handler behind the gate.
#[derive(Debug, Clone)]
pub(super) struct Guarded<S> {
    inner: S,
    gate: Gate,
}

impl<S> Service<Request<Body>> for Guarded<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Either<
        std::future::Ready<Result<Response<Body>, Infallible>>,
        BoxFuture<'static, Result<Response<Body>, Infallible>>,
    >;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let asking = match self.gate.judge(&request) {
            Ok(asking) => Arc::new(asking),
            Err(refused) => return Either::Left(std::future::ready(Ok(refused.into_http()))),
        };
        // Nobody behind the gate has a use for it.
        request.headers_mut().remove(AUTHORIZATION);
        let handled = CURRENT.scope(Arc::clone(&asking), self.inner.call(request));
        Either::Right(Box::pin(async move {
            let answer = handled.await?;
            Ok(asking.refusal().map_or(answer, Status::into_http))
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost::Message as _;
    use prost_types::FileDescriptorSet;
    use std::collections::BTreeSet;

    #[test]
    fn every_method_says_which_role_it_needs() {
        let set = FileDescriptorSet::decode(crate::proto::DESCRIPTOR).unwrap();
        let mut there = BTreeSet::new();
        for file in set.file.iter().filter(|file| !file.service.is_empty()) {
            for service in &file.service {
                for method in &service.method {
                    there.insert(format!("{PACKAGE}{}/{}", service.name(), method.name()));
                }
            }
        }
        assert!(there.len() > 20, "{there:?}");
        for path in &there {
            assert!(needed(path).is_some(), "{path} is missing in NEEDS");
        }
        let rows = NEEDS.iter().flat_map(|(_, service, methods)| {
            methods
                .iter()
                .map(move |method| format!("{PACKAGE}{service}/{method}"))
        });
        let rows: Vec<String> = rows.collect();
        let known: BTreeSet<String> = rows.iter().cloned().collect();
        assert_eq!(known.len(), rows.len(), "a method is in NEEDS twice");
        assert_eq!(known, there, "NEEDS has methods that do not exist");
    }
}
