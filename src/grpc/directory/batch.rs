//! Adding and changing many users, each by itself.

use super::edit;
use crate::{
    directory::Directory,
    grpc::{callers, fields::Notes, from_proto, names, status, to_proto},
    model::{CompanyId, Entity, Kind, Violation, fold_email},
    proto::v1::{
        self, BatchUpsertUsersRequest, BatchUpsertUsersResponse, UpsertError,
        batch_upsert_users_response::{Result as Row, State},
    },
};
use futures_util::{StreamExt as _, stream};
use prost_types::FieldMask;
use std::collections::{HashMap, HashSet, hash_map::Entry};
use tonic::{Response, Status};

/// Most users of a request.
const MOST: usize = 500;
/// Users that are written at once: the store commits together what waits.
const AT_ONCE: usize = 32;

pub(super) async fn upsert(
    directory: &Directory,
    request: BatchUpsertUsersRequest,
) -> Result<Response<BatchUpsertUsersResponse>, Status> {
    let mut notes = Notes::default();
    let company = from_proto::company(&mut notes, "parent", &request.parent);
    if request.users.is_empty() || request.users.len() > MOST {
        let text = format!("must be 1 to {MOST} users");
        notes.0.push(Violation::new("users", text));
    }
    let mut seen = HashSet::new();
    for (at, user) in request.users.iter().enumerate() {
        let mut twice = !user.name.is_empty() && !seen.insert(user.name.clone());
        twice |= !user.user_name.is_empty() && !seen.insert(fold_email(&user.user_name));
        if twice {
            let text = "is in the request twice, by its name or its address";
            notes.0.push(Violation::new(format!("users[{at}]"), text));
        }
    }
    let (Some(company), []) = (company, notes.0.as_slice()) else {
        return Err(status::invalid(notes.0));
    };
    let mask = &request.update_mask;
    let before = meant_before(directory, &company, &request.users).await?;
    let results = stream::iter(request.users.into_iter().zip(before))
        .map(|(user, before)| row(directory, &company, (user, before), mask))
        .buffered(AT_ONCE)
        .collect()
        .await;
    Ok(Response::new(BatchUpsertUsersResponse { results }))
}

/// For each row the first one before it that means the same user: who is named by the one may have the address of the other.
async fn meant_before(
    directory: &Directory,
    company: &CompanyId,
    users: &[v1::User],
) -> Result<Vec<Option<usize>>, Status> {
    let named = users.iter().any(|user| !user.name.is_empty());
    let (mut first, mut before) = (HashMap::new(), Vec::with_capacity(users.len()));
    for (at, user) in users.iter().enumerate() {
        let id = if !user.name.is_empty() {
            let (of, id) = names::parse_entity("user.name", &user.name, Kind::User)
                .ok()
                .unzip();
            id.filter(|_| of.as_ref() == Some(company))
        } else if named {
            let holder = directory.by_email(company, &user.user_name).await;
            let holder = holder.map_err(status::directory)?;
            holder
                .filter(|holder| holder.kind == Kind::User)
                .map(|holder| holder.id)
        } else {
            // Nobody has two addresses.
            None
        };
        let same = id.and_then(|id| match first.entry(id) {
            Entry::Occupied(same) => Some(*same.get()),
            Entry::Vacant(new) => {
                new.insert(at);
                None
            }
        });
        before.push(same);
    }
    Ok(before)
}

async fn row(
    directory: &Directory,
    company: &CompanyId,
    (user, before): (v1::User, Option<usize>),
    mask: &Option<FieldMask>,
) -> Row {
    let done = match before {
        None => one(directory, company, user, mask).await,
        Some(before) => {
            let text = format!("means the same user as users[{before}], which is done first");
            Err(status::invalid(vec![Violation::new("user", text)]))
        }
    };
    let (state, user, error) = match done {
        Ok((state, entity)) => (state, Some(to_proto::user(&entity)), None),
        Err(status) => {
            let error = UpsertError {
                code: status::name(status.code()),
                message: status.message().to_owned(),
            };
            (State::Failed, None, Some(error))
        }
    };
    Row {
        state: state.into(),
        user,
        error,
    }
}

async fn one(
    directory: &Directory,
    company: &CompanyId,
    mut user: v1::User,
    mask: &Option<FieldMask>,
) -> Result<(State, Entity), Status> {
    let before = if user.name.is_empty() {
        let holder = directory.by_email(company, &user.user_name).await;
        holder.map_err(status::directory)?
    } else {
        let named = names::parse_entity("user.name", &user.name, Kind::User);
        let (of, id) = named.map_err(|violation| status::invalid(vec![violation]))?;
        if of != *company {
            let text = "must be of the company that is the parent";
            return Err(status::invalid(vec![Violation::new("user.name", text)]));
        }
        let found = directory.get(company, Kind::User, &id).await;
        Some(found.map_err(status::directory)?)
    };
    let Some(before) = before.filter(|before| before.kind == Kind::User) else {
        // A group that has the address is refused as it would be by itself.
        let new = from_proto::new_user(String::new(), Some(user), Notes::default());
        let made = directory
            .create_user(company, new, &callers::name(), None)
            .await;
        return Ok((State::Created, made.map_err(status::directory)?.value));
    };
    user.name = names::entity(company, Kind::User, &before.id);
    let request = v1::UpdateUserRequest {
        user: Some(user),
        update_mask: mask.clone(),
        validate_only: false,
    };
    let after = edit::user(directory, request).await?;
    let state = if after.revision == before.revision {
        State::Unchanged
    } else {
        State::Updated
    };
    Ok((state, after))
}
