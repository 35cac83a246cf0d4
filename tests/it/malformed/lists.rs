//! Lists: how long a page is, where it begins, and what is on it.

use super::*;

#[rustfmt::skip]
pub(super) async fn cases(world: &mut World) -> Vec<Case> {
    let mut cases = Vec::new();
    let client = &mut world.integrations;
    let token = || "made-up".to_owned();
    send!(cases, "IntegrationService/ListSystems", client, list_systems, [
        ("a negative page of systems", v1::ListSystemsRequest { page_size: -1, ..v1::ListSystemsRequest::default() }, "page_size"),
        ("a made-up page of systems", v1::ListSystemsRequest { page_token: token(), ..v1::ListSystemsRequest::default() }, "page_token"),
    ]);
    let list = v1::ListIntegrationsRequest { parent: company(), ..v1::ListIntegrationsRequest::default() };
    send!(cases, "IntegrationService/ListIntegrations", client, list_integrations, [
        ("a negative page size", v1::ListIntegrationsRequest { page_size: -1, ..list.clone() }, "page_size"),
        ("a made-up page token", v1::ListIntegrationsRequest { page_size: 1, page_token: token(), ..list }, "page_token"),
    ]);
    let list = v1::ListRulesRequest { parent: integration(), ..v1::ListRulesRequest::default() };
    send!(cases, "IntegrationService/ListRules", client, list_rules, [
        ("a negative page of rules", v1::ListRulesRequest { page_size: -1, ..list.clone() }, "page_size"),
        ("a made-up page of rules", v1::ListRulesRequest { page_token: token(), ..list }, "page_token"),
    ]);
    let client = &mut world.directory;
    let list = v1::ListUsersRequest { parent: company(), ..v1::ListUsersRequest::default() };
    send!(cases, "DirectoryService/ListUsers", client, list_users, [
        ("a filter that is none", v1::ListUsersRequest { filter: "active".to_owned(), ..list.clone() }, "filter"),
        ("a filter of what can't be asked for", v1::ListUsersRequest { filter: "shoe_size = \"44\"".to_owned(), ..list.clone() }, "filter"),
        ("a made-up page of users", v1::ListUsersRequest { page_token: token(), ..list }, "page_token"),
    ]);
    let list = v1::ListGroupsRequest { parent: company(), ..v1::ListGroupsRequest::default() };
    send!(cases, "DirectoryService/ListGroups", client, list_groups, [
        ("a filter of groups by what they have not", v1::ListGroupsRequest { filter: "active = true".to_owned(), ..list.clone() }, "filter"),
        ("a negative page of groups", v1::ListGroupsRequest { page_size: -1, ..list }, "page_size"),
    ]);
    let list = |parent: &str, page_size| v1::ListMembersRequest { parent: parent.to_owned(), page_size, page_token: String::new() };
    send!(cases, "DirectoryService/ListMembers", client, list_members, [
        ("members of a user", list("companies/acme/users/u", 0), "parent"),
        ("a negative page of members", list("companies/acme/groups/g", -1), "page_size"),
    ]);
    let list = |parent: &str, page_size| v1::ListUserGroupsRequest { parent: parent.to_owned(), page_size, page_token: String::new() };
    send!(cases, "DirectoryService/ListUserGroups", client, list_user_groups, [
        ("groups of a group", list("companies/acme/groups/g", 0), "parent"),
        ("a negative page of somebody's groups", list("companies/acme/users/u", -1), "page_size"),
    ]);
    cases
}
