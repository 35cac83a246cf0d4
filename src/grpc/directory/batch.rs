//! Adding and changing many users, each by itself.

use super::edit;
use crate::{
    directory::Directory,
    grpc::{callers, fields::Notes, from_proto, names, status, to_proto},
    model::{CompanyId, Entity, EntityId, Kind, Violation, fold_email},
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

/// Whom a row names, if anybody; or what is wrong with that.
type Named = Result<Option<(CompanyId, EntityId)>, Violation>;

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
    let (mut seen, mut named) = (HashSet::new(), Vec::new());
    for (at, user) in request.users.iter().enumerate() {
        let mut twice = !user.name.is_empty() && !seen.insert(user.name.clone());
        twice |= !user.user_name.is_empty() && !seen.insert(fold_email(&user.user_name));
        if twice {
            let text = "is in the request twice, by its name or its address";
            notes.0.push(Violation::new(format!("users[{at}]"), text));
        }
        named.push(name_of(user));
    }
    edit::check_mask(&mut notes, request.update_mask.as_ref());
    // A company that the caller may not touch refuses all, so all names are read before anything is written.
    let (Some(company), [], false) = (company, notes.0.as_slice(), callers::is_refused()) else {
        return Err(status::invalid(notes.0));
    };
    let mask = &request.update_mask;
    refuse_repeated(directory, &company, &request.users, &mut named).await?;
    let results = stream::iter(request.users.into_iter().zip(named))
        .map(|(user, named)| row(directory, &company, (user, named), mask))
        .buffered(AT_ONCE)
        .collect()
        .await;
    Ok(Response::new(BatchUpsertUsersResponse { results }))
}

fn name_of(user: &v1::User) -> Named {
    if user.name.is_empty() {
        return Ok(None);
    }
    names::parse_entity("user.name", &user.name, Kind::User).map(Some)
}

/// Refuses rows that mean the same user as one before them: who is named by the one may have the address of the other.
async fn refuse_repeated(
    directory: &Directory,
    company: &CompanyId,
    users: &[v1::User],
    named: &mut [Named],
) -> Result<(), Status> {
    // Nobody has two addresses.
    if users.iter().all(|user| user.name.is_empty()) {
        return Ok(());
    }
    let mut first = HashMap::new();
    for (at, (user, named)) in users.iter().zip(named).enumerate() {
        let id = match named {
            Ok(Some((of, id))) => Some(id.clone()).filter(|_| of == company),
            Ok(None) => {
                let holder = directory.by_email(company, &user.user_name).await;
                let holder = holder.map_err(status::directory)?;
                let user = holder.filter(|holder| holder.kind == Kind::User);
                user.map(|user| user.id)
            }
            Err(_) => None,
        };
        let Some(id) = id else { continue };
        match first.entry(id) {
            Entry::Occupied(same) => {
                let same: &usize = same.get();
                let text = format!("means the same user as users[{same}], which is done first");
                *named = Err(Violation::new("user", text));
            }
            Entry::Vacant(new) => drop(new.insert(at)),
        }
    }
    Ok(())
}

async fn row(
    directory: &Directory,
    company: &CompanyId,
    user: (v1::User, Named),
    mask: &Option<FieldMask>,
) -> Row {
    let (state, user, error) = match one(directory, company, user, mask).await {
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
    (mut user, named): (v1::User, Named),
    mask: &Option<FieldMask>,
) -> Result<(State, Entity), Status> {
    let before = match named.map_err(|violation| status::invalid(vec![violation]))? {
        None => {
            let holder = directory.by_email(company, &user.user_name).await;
            holder.map_err(status::directory)?
        }
        Some((of, _)) if of != *company => {
            let text = "must be of the company that is the parent";
            return Err(status::invalid(vec![Violation::new("user.name", text)]));
        }
        Some((_, id)) => {
            let found = directory.get(company, Kind::User, &id).await;
            Some(found.map_err(status::directory)?)
        }
    };
    let Some(before) = before.filter(|before| before.kind == Kind::User) else {
        if !user.etag.is_empty() {
            return Err(status::changed(&user.user_name));
        }
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
