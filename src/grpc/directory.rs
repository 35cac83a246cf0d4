//! `DirectoryService`: the AppsCo directory.

mod batch;
mod deletion;
mod edit;
mod joining;
mod watch;

pub(super) use watch::show;

use super::{
    callers,
    fields::{Notes, request_key},
    from_proto, names, status, to_proto,
    tokens::{self, Asked},
    watching::{News, Streams},
};
use crate::{
    directory::Directory,
    integrations::Integrations,
    model::{CompanyId, Entity, Kind, PageRequest, Uid, Violation},
    proto::v1::{self, directory_service_server::DirectoryService},
    sync::Scope,
};
use std::{collections::HashMap, mem::take};
use tonic::{Request, Response, Status};

type Answered<T> = Result<Response<T>, Status>;

/// How callers are called where they are not told apart.
pub(super) const CALLER: &str = "caller";

/// The service.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) directory: Directory,
    pub(super) integrations: Integrations,
    pub(super) streams: Streams,
}

fn one(violation: Violation) -> Status {
    status::invalid(vec![violation])
}

/// Of what to list and which page, unless something is wrong with either.
fn both<T>(of: Option<T>, page: Option<Asked>, notes: Notes) -> Result<(T, Asked), Status> {
    of.zip(page).ok_or_else(|| status::invalid(notes.0))
}

/// The resource name of an integration, out of those of its company.
fn named(known: &HashMap<Uid, String>, uid: Uid) -> String {
    let name = known.get(&uid).cloned();
    name.unwrap_or_else(|| "a removed integration".to_owned())
}

impl Service {
    async fn group(&self, entity: &Entity) -> Result<v1::Group, Status> {
        let members = self
            .directory
            .member_count(&entity.company, &entity.id)
            .await
            .map_err(status::directory)?;
        Ok(to_proto::group(entity, members))
    }

    /// Resource names of the company's integrations.
    async fn integrations(&self, company: &CompanyId) -> Result<HashMap<Uid, String>, Status> {
        let all = PageRequest {
            size: 1000,
            token: None,
        };
        let listed = self
            .integrations
            .list(company, &all)
            .await
            .map_err(status::integrations)?;
        Ok(listed
            .items
            .iter()
            .map(|found| (found.uid, names::of_integration(found)))
            .collect())
    }
}

#[tonic::async_trait]
impl DirectoryService for Service {
    async fn get_user(&self, request: Request<v1::GetUserRequest>) -> Answered<v1::User> {
        let user = self.any(&request.into_inner().name, Kind::User).await?;
        Ok(Response::new(deletion::user(&user)))
    }

    async fn list_users(
        &self,
        request: Request<v1::ListUsersRequest>,
    ) -> Answered<v1::ListUsersResponse> {
        let mut request = request.into_inner();
        let asked = (take(&mut request.page_size), take(&mut request.page_token));
        let mut notes = Notes::default();
        let company = from_proto::company(&mut notes, "parent", &request.parent);
        let by = (request.filter.as_str(), request.order_by.as_str());
        let wanted = deletion::wanted(&mut notes, Kind::User, request.deleted, by);
        let page = tokens::page(&mut notes, "ListUsers", (asked.0, &asked.1), &request);
        let ((company, wanted), page) = both(company.zip(wanted), page, notes)?;
        let listed = self.list(&company, Kind::User, wanted, &page.page).await?;
        let users = listed.items.iter().map(deletion::user).collect();
        Ok(Response::new(v1::ListUsersResponse {
            users,
            next_page_token: page.next(&listed),
        }))
    }

    async fn create_user(&self, request: Request<v1::CreateUserRequest>) -> Answered<v1::User> {
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        let mut notes = Notes::default();
        let key = notes.take(request_key(&request_id, "CreateUser", &request));
        let company = from_proto::company(&mut notes, "parent", &request.parent);
        let new = from_proto::new_user(request.user_id, request.user, notes);
        let Some(company) = company else {
            return Err(status::invalid(new.violations(Kind::User)));
        };
        let created = self
            .directory
            .create_user(&company, new, &callers::name(), key.flatten())
            .await
            .map_err(status::directory)?;
        Ok(Response::new(to_proto::user(&created.value)))
    }

    async fn delete_user(&self, request: Request<v1::DeleteUserRequest>) -> Answered<v1::User> {
        let v1::DeleteUserRequest { name, etag } = request.into_inner();
        let deleted = self.delete(Kind::User, &name, &etag).await?;
        Ok(Response::new(deletion::user(&deleted)))
    }

    async fn undelete_user(&self, request: Request<v1::UndeleteUserRequest>) -> Answered<v1::User> {
        let back = self
            .undelete(Kind::User, &request.into_inner().name)
            .await?;
        Ok(Response::new(to_proto::user(&back)))
    }

    async fn batch_upsert_users(
        &self,
        request: Request<v1::BatchUpsertUsersRequest>,
    ) -> Answered<v1::BatchUpsertUsersResponse> {
        batch::upsert(&self.directory, request.into_inner()).await
    }

    async fn update_user(&self, request: Request<v1::UpdateUserRequest>) -> Answered<v1::User> {
        let user = edit::user(&self.directory, request.into_inner()).await?;
        Ok(Response::new(to_proto::user(&user)))
    }

    async fn get_group(&self, request: Request<v1::GetGroupRequest>) -> Answered<v1::Group> {
        let group = self.any(&request.into_inner().name, Kind::Group).await?;
        Ok(Response::new(self.any_group(&group).await?))
    }

    async fn list_groups(
        &self,
        request: Request<v1::ListGroupsRequest>,
    ) -> Answered<v1::ListGroupsResponse> {
        let mut request = request.into_inner();
        let asked = (take(&mut request.page_size), take(&mut request.page_token));
        let mut notes = Notes::default();
        let company = from_proto::company(&mut notes, "parent", &request.parent);
        let by = (request.filter.as_str(), request.order_by.as_str());
        let wanted = deletion::wanted(&mut notes, Kind::Group, request.deleted, by);
        let page = tokens::page(&mut notes, "ListGroups", (asked.0, &asked.1), &request);
        let ((company, wanted), page) = both(company.zip(wanted), page, notes)?;
        let listed = self.list(&company, Kind::Group, wanted, &page.page).await?;
        let mut groups = Vec::with_capacity(listed.items.len());
        for group in &listed.items {
            groups.push(self.any_group(group).await?);
        }
        Ok(Response::new(v1::ListGroupsResponse {
            groups,
            next_page_token: page.next(&listed),
        }))
    }

    async fn create_group(&self, request: Request<v1::CreateGroupRequest>) -> Answered<v1::Group> {
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        let mut notes = Notes::default();
        let key = notes.take(request_key(&request_id, "CreateGroup", &request));
        let company = from_proto::company(&mut notes, "parent", &request.parent);
        let new = from_proto::new_group(request.group_id, request.group, notes);
        let Some(company) = company else {
            return Err(status::invalid(new.violations(Kind::Group)));
        };
        let created = self
            .directory
            .create_group(&company, new, &callers::name(), key.flatten())
            .await
            .map_err(status::directory)?;
        Ok(Response::new(self.group(&created.value).await?))
    }

    async fn delete_group(&self, request: Request<v1::DeleteGroupRequest>) -> Answered<v1::Group> {
        let v1::DeleteGroupRequest { name, etag } = request.into_inner();
        let deleted = self.delete(Kind::Group, &name, &etag).await?;
        Ok(Response::new(self.any_group(&deleted).await?))
    }

    async fn undelete_group(
        &self,
        request: Request<v1::UndeleteGroupRequest>,
    ) -> Answered<v1::Group> {
        let back = self
            .undelete(Kind::Group, &request.into_inner().name)
            .await?;
        Ok(Response::new(self.group(&back).await?))
    }

    async fn update_group(&self, request: Request<v1::UpdateGroupRequest>) -> Answered<v1::Group> {
        let group = edit::group(&self.directory, request.into_inner()).await?;
        Ok(Response::new(self.group(&group).await?))
    }

    async fn add_member(&self, request: Request<v1::AddMemberRequest>) -> Answered<v1::Member> {
        Ok(Response::new(self.join(request.into_inner()).await?))
    }

    async fn remove_member(&self, request: Request<v1::RemoveMemberRequest>) -> Answered<()> {
        self.leave(&request.into_inner().name).await?;
        Ok(Response::new(()))
    }

    async fn list_members(
        &self,
        request: Request<v1::ListMembersRequest>,
    ) -> Answered<v1::ListMembersResponse> {
        let mut request = request.into_inner();
        let asked = (take(&mut request.page_size), take(&mut request.page_token));
        let mut notes = Notes::default();
        let group = notes.take(names::parse_entity("parent", &request.parent, Kind::Group));
        let page = tokens::page(&mut notes, "ListMembers", (asked.0, &asked.1), &request);
        let ((company, group), page) = both(group, page, notes)?;
        let listed = self
            .directory
            .members(&company, &group, &page.page)
            .await
            .map_err(status::directory)?;
        let known = self.integrations(&company).await?;
        let name = |uid: Uid| named(&known, uid);
        let members = listed
            .items
            .iter()
            .map(|(member, entity)| to_proto::member(&group, member, entity, &name));
        let members = members.collect();
        Ok(Response::new(v1::ListMembersResponse {
            members,
            next_page_token: page.next(&listed),
        }))
    }

    async fn list_user_groups(
        &self,
        request: Request<v1::ListUserGroupsRequest>,
    ) -> Answered<v1::ListUserGroupsResponse> {
        let mut request = request.into_inner();
        let asked = (take(&mut request.page_size), take(&mut request.page_token));
        let mut notes = Notes::default();
        let user = notes.take(names::parse_entity("parent", &request.parent, Kind::User));
        let page = tokens::page(&mut notes, "ListUserGroups", (asked.0, &asked.1), &request);
        let ((company, user), page) = both(user, page, notes)?;
        let listed = self
            .directory
            .groups_of(&company, Kind::User, &user, &page.page)
            .await
            .map_err(status::directory)?;
        let mut groups = Vec::with_capacity(listed.items.len());
        for group in &listed.items {
            groups.push(self.group(group).await?);
        }
        Ok(Response::new(v1::ListUserGroupsResponse {
            groups,
            next_page_token: page.next(&listed),
        }))
    }

    type WatchDirectoryStream = News;

    async fn watch_directory(
        &self,
        request: Request<v1::WatchDirectoryRequest>,
    ) -> Answered<Self::WatchDirectoryStream> {
        let v1::WatchDirectoryRequest { parent, position } = request.into_inner();
        let mut notes = Notes::default();
        let company = from_proto::company(&mut notes, "parent", &parent);
        let from = notes.take(watch::position(position).read());
        let (Some(company), Some(from)) = (company, from) else {
            return Err(status::invalid(notes.0));
        };
        let scope = Scope {
            changes: true,
            directory: true,
            ..Scope::default()
        };
        let news = self.streams.open(company, scope, from).await?;
        Ok(Response::new(news))
    }
}
