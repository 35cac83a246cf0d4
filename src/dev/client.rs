//! The daemon's services, as any client has them.

use super::Error;
use crate::proto::v1::{
    Change, Group, ListChangesRequest, ListGroupsRequest, ListUserGroupsRequest, ListUsersRequest,
    Run, User, change::Outcome, directory_service_client::DirectoryServiceClient,
    integration_service_client::IntegrationServiceClient, sync_service_client::SyncServiceClient,
};
use std::{net::SocketAddr, time::Duration};
use tonic::transport::{Channel, Endpoint};

/// The company that the journey is about.
pub(super) const COMPANY: &str = "companies/acme";
/// Its integration.
pub(super) const INTEGRATION: &str = "companies/acme/integrations/google";
/// The system that the integration is made with.
pub(super) const SYSTEM: &str = "systems/google-workspace";

const PAGE: i32 = 1_000;
/// How many failures are shown.
const FAILURES: usize = 5;

/// One connection, three services.
pub(super) struct Client {
    /// Sets up.
    pub(super) integrations: IntegrationServiceClient<Channel>,
    /// Runs.
    pub(super) sync: SyncServiceClient<Channel>,
    /// Reads what arrived.
    pub(super) directory: DirectoryServiceClient<Channel>,
}

impl Client {
    /// Connects to the daemon.
    pub(super) async fn connect(address: SocketAddr) -> Result<Self, Error> {
        let endpoint = Endpoint::from_shared(format!("http://{address}"))?;
        let channel = endpoint
            .connect_timeout(Duration::from_secs(5))
            .connect()
            .await?;
        Ok(Self {
            integrations: IntegrationServiceClient::new(channel.clone()),
            sync: SyncServiceClient::new(channel.clone()),
            directory: DirectoryServiceClient::new(channel),
        })
    }

    /// Every user of the company.
    pub(super) async fn users(&mut self) -> Result<Vec<User>, Error> {
        let mut users = Vec::new();
        let mut request = ListUsersRequest {
            parent: COMPANY.to_owned(),
            page_size: PAGE,
            ..Default::default()
        };
        loop {
            let page = self.directory.list_users(request.clone()).await;
            let page = page.map_err(Error::call("ListUsers"))?.into_inner();
            users.extend(page.users);
            if page.next_page_token.is_empty() {
                return Ok(users);
            }
            request.page_token = page.next_page_token;
        }
    }

    /// Every group of the company.
    pub(super) async fn groups(&mut self) -> Result<Vec<Group>, Error> {
        let mut groups = Vec::new();
        let mut request = ListGroupsRequest {
            parent: COMPANY.to_owned(),
            page_size: PAGE,
            ..Default::default()
        };
        loop {
            let page = self.directory.list_groups(request.clone()).await;
            let page = page.map_err(Error::call("ListGroups"))?.into_inner();
            groups.extend(page.groups);
            if page.next_page_token.is_empty() {
                return Ok(groups);
            }
            request.page_token = page.next_page_token;
        }
    }

    /// The groups of one user; a page of them.
    pub(super) async fn groups_of(&mut self, user: &User) -> Result<Vec<Group>, Error> {
        let request = ListUserGroupsRequest {
            parent: user.name.clone(),
            page_size: PAGE,
            ..Default::default()
        };
        let page = self.directory.list_user_groups(request).await;
        Ok(page
            .map_err(Error::call("ListUserGroups"))?
            .into_inner()
            .groups)
    }
}

/// The first few objects for which a run did not work.
pub(super) async fn failures(client: &mut Client, run: &Run) -> Result<Vec<Change>, Error> {
    let mut failures = Vec::new();
    let counters = run.counters.unwrap_or_default();
    if counters.failed + counters.deferred == 0 {
        return Ok(failures);
    }
    let mut request = ListChangesRequest {
        parent: run.name.clone(),
        page_size: PAGE,
        outcomes: vec![Outcome::Failed.into(), Outcome::Deferred.into()],
        ..Default::default()
    };
    loop {
        let page = client.sync.list_changes(request.clone()).await;
        let page = page.map_err(Error::call("ListChanges"))?.into_inner();
        failures.extend(page.changes);
        if page.next_page_token.is_empty() || failures.len() >= FAILURES {
            failures.truncate(FAILURES);
            return Ok(failures);
        }
        request.page_token = page.next_page_token;
    }
}
