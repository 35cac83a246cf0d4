//! Names of something else, and `-` where it stands for nothing.

use super::*;

#[rustfmt::skip]
pub(super) async fn cases(world: &mut World) -> Vec<Case> {
    let mut cases = Vec::new();
    let client = &mut world.integrations;
    let all = || "companies/acme/integrations/-".to_owned();
    send!(cases, "IntegrationService/GetSystem", client, get_system, [
        ("a system's bare id", v1::GetSystemRequest { name: "google-workspace".to_owned() }, "name"),
    ]);
    send!(cases, "IntegrationService/GetIntegration", client, get_integration, [
        ("a name of something else", v1::GetIntegrationRequest { name: company() }, "name"),
        ("all integrations for one", v1::GetIntegrationRequest { name: all() }, "name"),
        ("an integration of all companies", v1::GetIntegrationRequest { name: "companies/-/integrations/google".to_owned() }, "name"),
    ]);
    send!(cases, "IntegrationService/DeleteIntegration", client, delete_integration, [
        ("all integrations to delete", v1::DeleteIntegrationRequest { name: all(), etag: String::new() }, "name"),
    ]);
    send!(cases, "IntegrationService/ActivateIntegration", client, activate_integration, [
        ("all integrations to activate", v1::ActivateIntegrationRequest { name: all(), etag: String::new() }, "name"),
    ]);
    send!(cases, "IntegrationService/DeactivateIntegration", client, deactivate_integration, [
        ("all integrations to deactivate", v1::DeactivateIntegrationRequest { name: all(), etag: String::new() }, "name"),
    ]);
    send!(cases, "IntegrationService/GetRule", client, get_rule, [
        ("all rules for one", v1::GetRuleRequest { name: format!("{}/rules/-", integration()) }, "name"),
    ]);
    send!(cases, "SyncService/GetRun", world.sync, get_run, [
        ("all runs for one", v1::GetRunRequest { name: format!("{}/runs/-", integration()) }, "name"),
    ]);
    send!(cases, "SyncService/CancelRun", world.sync, cancel_run, [
        ("all runs to cancel", v1::CancelRunRequest { name: format!("{}/runs/-", integration()) }, "name"),
    ]);
    let client = &mut world.directory;
    send!(cases, "DirectoryService/GetUser", client, get_user, [
        ("all users for one", v1::GetUserRequest { name: "companies/acme/users/-".to_owned() }, "name"),
    ]);
    send!(cases, "DirectoryService/DeleteUser", client, delete_user, [
        ("all users to delete", v1::DeleteUserRequest { name: "companies/acme/users/-".to_owned(), etag: String::new() }, "name"),
    ]);
    send!(cases, "DirectoryService/DeleteGroup", client, delete_group, [
        ("all groups to delete", v1::DeleteGroupRequest { name: "companies/acme/groups/-".to_owned(), etag: String::new() }, "name"),
    ]);
    cases
}
