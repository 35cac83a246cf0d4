//! Changing users and groups: the message sent is laid over the one kept, as the mask says, and what differs is checked.

use super::one;
use crate::{
    directory::{Directory, New},
    grpc::{
        callers,
        fields::Notes,
        from_proto,
        mask::{self, Row, fixed, output, settable},
        names, status, to_proto,
    },
    model::{Entity, Kind},
    proto::v1,
};
use prost_types::FieldMask;
use tonic::Status;

/// Why a name can't be in a mask.
const NAMED: &str = "never changes: it tells which one is meant";

/// What may become of the fields of a user.
const USER: &[Row<v1::User>] = &[
    output!(delete_time),
    output!(expire_time),
    settable!(user_name),
    settable!(given_name),
    settable!(family_name),
    settable!(display_name),
    settable!(active),
    settable!(aliases),
    settable!(phone_numbers),
    settable!(title),
    settable!(department),
    settable!(organization),
    settable!(employee_number),
    settable!(cost_center),
    settable!(manager),
    fixed!(name, NAMED),
    output!(uid),
    output!(owners),
    output!(last_writer),
    output!(etag),
    output!(create_time),
    output!(update_time),
];

/// What may become of the fields of a group.
const GROUP: &[Row<v1::Group>] = &[
    output!(delete_time),
    output!(expire_time),
    settable!(email),
    settable!(display_name),
    settable!(description),
    settable!(aliases),
    fixed!(name, NAMED),
    output!(uid),
    output!(member_count),
    output!(owners),
    output!(last_writer),
    output!(etag),
    output!(create_time),
    output!(update_time),
];

/// Notes what the mask of a user must not name.
pub(super) fn check_mask(notes: &mut Notes, mask: Option<&FieldMask>) {
    mask::check(notes, USER, mask);
}

/// Changes a user.
pub(super) async fn user(
    directory: &Directory,
    request: v1::UpdateUserRequest,
) -> Result<Entity, Status> {
    let v1::UpdateUserRequest {
        user,
        update_mask,
        validate_only,
    } = request;
    let directory = &directory.keeping(!validate_only);
    let sent = user.ok_or_else(|| missing("user"))?;
    let named = ("user.name", sent.name.as_str(), sent.etag.as_str());
    let seen = seen(directory, Kind::User, named).await?;
    let kept = to_proto::user(&seen);
    let read = |user, notes| from_proto::new_user(String::new(), Some(user), notes);
    let shown = read(kept.clone(), Notes::default());
    let (mut notes, mut wanted) = (Notes::default(), kept);
    // Whoever only sends back what he read says nothing.
    let deactivates = sent.active == Some(false) && mask::names(update_mask.as_ref(), "active");
    mask::lay_over(&mut notes, ("user", USER), update_mask, sent, &mut wanted);
    write(directory, (seen, deactivates), &shown, read(wanted, notes)).await
}

/// Changes a group.
pub(super) async fn group(
    directory: &Directory,
    request: v1::UpdateGroupRequest,
) -> Result<Entity, Status> {
    let v1::UpdateGroupRequest {
        group,
        update_mask,
        validate_only,
    } = request;
    let directory = &directory.keeping(!validate_only);
    let sent = group.ok_or_else(|| missing("group"))?;
    let named = ("group.name", sent.name.as_str(), sent.etag.as_str());
    let seen = seen(directory, Kind::Group, named).await?;
    let kept = to_proto::group(&seen, 0);
    let read = |group, notes| from_proto::new_group(String::new(), Some(group), notes);
    let shown = read(kept.clone(), Notes::default());
    let (mut notes, mut wanted) = (Notes::default(), kept);
    mask::lay_over(&mut notes, ("group", GROUP), update_mask, sent, &mut wanted);
    write(directory, (seen, false), &shown, read(wanted, notes)).await
}

fn missing(field: &str) -> Status {
    one(crate::model::Violation::new(field, "must be given"))
}

/// The object as it is now, if it still has the etag that was given.
async fn seen(
    directory: &Directory,
    kind: Kind,
    (field, name, etag): (&str, &str, &str),
) -> Result<Entity, Status> {
    let (company, id) = names::parse_entity(field, name, kind).map_err(one)?;
    let seen = directory.get(&company, kind, &id).await;
    let seen = seen.map_err(status::directory)?;
    if !etag.is_empty() && etag != to_proto::entity_etag(&seen) {
        return Err(status::changed(name));
    }
    Ok(seen)
}

/// Writes what is wanted, and whether the caller says that it is to be inactive; attributes that messages do not show stay as they
/// are.
async fn write(
    directory: &Directory,
    (seen, deactivates): (Entity, bool),
    shown: &New,
    mut wanted: New,
) -> Result<Entity, Status> {
    for (attribute, value) in seen.attributes.iter() {
        if shown.attributes.get(attribute).is_none() {
            wanted.attributes.set(attribute.clone(), value.clone());
        }
    }
    let by = callers::name();
    let updated = directory.update(seen, wanted, deactivates, &by).await;
    updated.map_err(status::directory)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grpc::mask::tests::comment_names_all;

    #[test]
    fn the_protocol_names_every_field_of_the_directory_that_an_update_may_change() {
        comment_names_all("UpdateUserRequest", USER);
        comment_names_all("UpdateGroupRequest", GROUP);
    }
}
