//! Every method of our services, and requests to them made from bytes.

#![allow(clippy::unwrap_used, clippy::panic)]

use crate::support::World;
use prost::{
    Message as _,
    bytes::{Buf as _, BufMut as _},
};
use tonic::{
    Request, Status,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::http::uri::PathAndQuery,
    transport::{Channel, Endpoint},
};

pub const PACKAGE: &str = "appsco.provisioning.v1";

/// A request of which the first field is a resource name.
#[derive(Clone, PartialEq, prost::Message)]
struct Named {
    #[prost(string, tag = "1")]
    name: String,
}

/// A request of which the first field is a resource, the first field of which is its name.
#[derive(Clone, PartialEq, prost::Message)]
struct Holding {
    #[prost(message, optional, tag = "1")]
    resource: Option<Named>,
}

/// What a method is asked about.
pub enum About {
    /// No company at all.
    Nothing,
    /// All companies at once.
    All,
    /// What is named, under the company.
    Name(&'static str),
    /// The resource that is given, under the company.
    Resource(&'static str),
}

use About::{All, Name, Nothing, Resource};

const G: &str = "/integrations/google";
const RULE: &str = "/integrations/google/rules/users";
const RUN: &str = "/integrations/google/runs/01890a5d-ac96-774b-bcce-b302099a8057";
const USER: &str = "/users/01890a5d-ac96-774b-bcce-b302099a8057";
const GROUP: &str = "/groups/01890a5d-ac96-774b-bcce-b302099a8057";
const MEMBER: &str = "/groups/01890a5d-ac96-774b-bcce-b302099a8057/members/users-01890a5d-ac96-774b-bcce-b302099a8057";

/// A method: its path, the least role that may call it, and what it is asked about.
pub type Method = (&'static str, &'static str, About);

/// Each method, the least role that may call it, and what it is asked about.
pub const METHODS: &[Method] = &[
    ("AdminService/Backup", "admin", All),
    ("DirectoryService/GetUser", "viewer", Name(USER)),
    ("DirectoryService/ListUsers", "viewer", Name("")),
    ("DirectoryService/CreateUser", "admin", Name("")),
    ("DirectoryService/UpdateUser", "admin", Resource(USER)),
    ("DirectoryService/DeleteUser", "admin", Name(USER)),
    ("DirectoryService/UndeleteUser", "admin", Name(USER)),
    ("DirectoryService/BatchUpsertUsers", "admin", Name("")),
    ("DirectoryService/DeleteGroup", "admin", Name(GROUP)),
    ("DirectoryService/UndeleteGroup", "admin", Name(GROUP)),
    ("DirectoryService/GetGroup", "viewer", Name(GROUP)),
    ("DirectoryService/ListGroups", "viewer", Name("")),
    ("DirectoryService/CreateGroup", "admin", Name("")),
    ("DirectoryService/UpdateGroup", "admin", Resource(GROUP)),
    ("DirectoryService/ListMembers", "viewer", Name(GROUP)),
    ("DirectoryService/AddMember", "admin", Name(GROUP)),
    ("DirectoryService/RemoveMember", "admin", Name(MEMBER)),
    ("DirectoryService/WatchDirectory", "viewer", Name("")),
    ("DirectoryService/ListUserGroups", "viewer", Name(USER)),
    ("IntegrationService/ListSystems", "viewer", Nothing),
    ("IntegrationService/GetSystem", "viewer", Nothing),
    ("IntegrationService/CreateIntegration", "admin", Name("")),
    ("IntegrationService/GetIntegration", "viewer", Name(G)),
    ("IntegrationService/ListIntegrations", "viewer", Name("")),
    ("IntegrationService/UpdateIntegration", "admin", Resource(G)),
    ("IntegrationService/DeleteIntegration", "admin", Name(G)),
    ("IntegrationService/CheckIntegration", "viewer", Name(G)),
    ("IntegrationService/ListChoices", "viewer", Name(G)),
    ("IntegrationService/ActivateIntegration", "admin", Name(G)),
    ("IntegrationService/DeactivateIntegration", "admin", Name(G)),
    ("IntegrationService/BeginAuthorization", "admin", Name(G)),
    ("IntegrationService/CompleteAuthorization", "admin", Name(G)),
    ("IntegrationService/SetCredentials", "admin", Name(G)),
    ("IntegrationService/ListRuleTemplates", "viewer", Name(G)),
    ("IntegrationService/ApplyRuleTemplate", "admin", Name(G)),
    ("IntegrationService/CreateRule", "admin", Name(G)),
    ("IntegrationService/GetRule", "viewer", Name(RULE)),
    ("IntegrationService/ListRules", "viewer", Name(G)),
    ("IntegrationService/UpdateRule", "admin", Resource(RULE)),
    ("IntegrationService/DeleteRule", "admin", Name(RULE)),
    ("SyncService/StartRun", "operator", Name(G)),
    ("SyncService/ProvisionObject", "operator", Name(G)),
    ("SyncService/CancelRun", "operator", Name(RUN)),
    ("SyncService/GetRun", "viewer", Name(RUN)),
    ("SyncService/ListRuns", "viewer", Name(G)),
    ("SyncService/ListChanges", "viewer", Name(RUN)),
    ("SyncService/WatchRuns", "viewer", Name(G)),
];

/// Sends a method's request about a company; gives the status, OK too.
pub async fn call(
    channel: &Channel,
    (method, _, about): &Method,
    company: &str,
    bearer: Option<&str>,
) -> Status {
    let name = |rest: &str| format!("companies/{company}{rest}");
    let message = match about {
        Nothing | All => Vec::new(),
        Name(rest) | Resource(rest) => about.request(name(rest)),
    };
    send(channel, method, &message, bearer).await
}

impl About {
    /// Whether a company is named.
    pub fn is_named(&self) -> bool {
        !matches!(self, Nothing | All)
    }

    /// The bytes of a request about what is called so.
    pub fn request(&self, name: String) -> Vec<u8> {
        let named = Named { name };
        match self {
            Nothing | All | Name(_) => named.encode_to_vec(),
            Resource(_) => Holding {
                resource: Some(named),
            }
            .encode_to_vec(),
        }
    }
}

/// Sends these bytes as the request of a method; gives the status, OK too.
pub async fn send(channel: &Channel, method: &str, bytes: &[u8], bearer: Option<&str>) -> Status {
    let path = format!("/{PACKAGE}.{method}");
    match first(channel, &path, bytes, bearer).await {
        Ok(_) => Status::ok(""),
        Err(status) => status,
    }
}

/// Sends these bytes as the request of the method of a path; gives the first message of the answer. Of a stream the
/// beginning tells.
pub async fn first(
    channel: &Channel,
    path: &str,
    bytes: &[u8],
    bearer: Option<&str>,
) -> Result<impl Future<Output = Vec<u8>>, Status> {
    let mut request = Request::new(bytes.to_vec());
    if let Some(bearer) = bearer {
        let bearer = bearer.parse().unwrap();
        request.metadata_mut().insert("authorization", bearer);
    }
    let mut client = tonic::client::Grpc::new(channel.clone());
    client.ready().await.unwrap();
    let path = PathAndQuery::try_from(path).unwrap();
    let answer = client.server_streaming(request, path, AsItIs).await?;
    let mut messages = answer.into_inner();
    Ok(async move { messages.message().await.unwrap().unwrap_or_default() })
}

/// A connection of its own.
pub async fn channel(world: &World) -> Channel {
    let endpoint = Endpoint::from_shared(world.grpc.clone()).unwrap();
    endpoint.connect().await.unwrap()
}

/// Messages as their bytes.
#[derive(Default)]
struct AsItIs;

impl Codec for AsItIs {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for AsItIs {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, bytes: Vec<u8>, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put_slice(&bytes);
        Ok(())
    }
}

impl Decoder for AsItIs {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let length = from.remaining();
        Ok(Some(from.copy_to_bytes(length).to_vec()))
    }
}
