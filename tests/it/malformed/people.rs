//! Users, groups and memberships.

use super::*;

fn named(user_name: &str) -> v1::User {
    v1::User {
        user_name: user_name.to_owned(),
        ..v1::User::default()
    }
}

#[rustfmt::skip]
pub(super) async fn cases(world: &mut World) -> Vec<Case> {
    let mut cases = Vec::new();
    let client = &mut world.directory;
    let good = || named("a@acme.test");
    let user = |user: v1::User| v1::CreateUserRequest { parent: company(), user: Some(user), ..v1::CreateUserRequest::default() };
    let id = |id: &str| v1::CreateUserRequest { user_id: id.to_owned(), ..user(good()) };
    send!(cases, "DirectoryService/CreateUser", client, create_user, [
        ("no user", v1::CreateUserRequest { user: None, ..user(good()) }, "user"),
        ("no address", user(named("")), "user.user_name"),
        ("an address without domain", user(named("somebody")), "user.user_name"),
        ("a bad user id", id("A"), "user_id"),
        ("a user id that stands for all", id("-"), "user_id"),
        ("a name without end", user(v1::User { given_name: "x".repeat(300), ..good() }), "user.given_name"),
        ("a bad request id of a user", v1::CreateUserRequest { request_id: "a b".to_owned(), ..user(good()) }, "request_id"),
    ]);
    let group = |email: &str, id: &str| v1::CreateGroupRequest { parent: company(), group: Some(v1::Group { email: email.to_owned(), ..v1::Group::default() }), group_id: id.to_owned(), ..v1::CreateGroupRequest::default() };
    send!(cases, "DirectoryService/CreateGroup", client, create_group, [
        ("a group without address", group("", ""), "group.email"),
        ("a bad group id", group("g@acme.test", "G"), "group_id"),
        ("a group id that stands for all", group("g@acme.test", "-"), "group_id"),
    ]);
    send!(cases, "DirectoryService/UpdateUser", client, update_user, [
        ("a user without name to change", v1::UpdateUserRequest { user: Some(good()), ..v1::UpdateUserRequest::default() }, "user.name"),
        ("no user to change", v1::UpdateUserRequest::default(), "user"),
    ]);
    send!(cases, "DirectoryService/UpdateGroup", client, update_group, [("no group to change", v1::UpdateGroupRequest::default(), "group")]);
    let batch = |users: Vec<v1::User>| v1::BatchUpsertUsersRequest { parent: company(), users, update_mask: None };
    send!(cases, "DirectoryService/BatchUpsertUsers", client, batch_upsert_users, [
        ("nobody at all", batch(Vec::new()), "users"),
        ("too many at once", batch(vec![good(); 501]), "users"),
        ("somebody twice", batch(vec![good(), named("A@acme.test")]), "users[1]"),
    ]);
    let team = "companies/acme/groups/g";
    send!(cases, "DirectoryService/AddMember", client, add_member, [
        ("an address as member", v1::AddMemberRequest { parent: team.to_owned(), member: "a@acme.test".to_owned() }, "member"),
        ("a member of another company", v1::AddMemberRequest { parent: team.to_owned(), member: "companies/other/users/u".to_owned() }, "member"),
    ]);
    send!(cases, "DirectoryService/RemoveMember", client, remove_member, [
        ("a member without kind", v1::RemoveMemberRequest { name: format!("{team}/members/u") }, "name"),
    ]);
    cases
}
