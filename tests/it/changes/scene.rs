//! A small company whose people are known by name, and what tests do to it between two runs.

use crate::support::{World, integration, sums_hold};
use provisiond::{
    proto::v1::{self, Change, Run, run::State},
    sandbox::Options,
};
use reqwest::Method;
use serde_json::{Value, json};

/// The three special accounts of the sandbox.
pub const SPECIAL: i64 = 3;
/// Records that a run writes in which nothing is new: it is queued, begins, goes on to the next phase and ends; each is told.
pub const OF_A_RUN: u64 = 8;

/// A company with nobody but the special accounts.
pub fn nobody() -> Options {
    Options {
        users: 3,
        groups: 0,
        memberships: Some(0),
        ..Options::default()
    }
}

/// Address of somebody of the company.
pub fn at(name: &str) -> String {
    format!("{name}@acme.test")
}

/// Ann, Bob, Cid and Dan, all members of the group "team", as they are after a first run.
pub async fn team() -> World {
    let mut world = World::ready(nobody()).await;
    world.group("team").await;
    for name in ["ann", "bob", "cid", "dan"] {
        world.person(name).await;
        world.join("team", name).await;
    }
    let run = world.sync().await;
    assert_eq!(run.counters.unwrap().added, SPECIAL + 5, "{run:?}");
    world
}

/// What the scenes do with a world.
pub trait Scene {
    async fn control(&self, verb: Method, path: &str, body: Value) -> Value;
    async fn person(&self, name: &str) -> String;
    async fn group(&self, name: &str) -> String;
    async fn join(&self, group: &str, name: &str);
    async fn edit(&self, key: &str, values: Value);
    async fn delete(&self, path: &str);
    async fn rule(&mut self, rule: v1::Rule);
    async fn rule_of(&mut self, attribute: &str, operator: v1::Operator, value: &str);
    async fn choice(&mut self, kind: v1::Kind, attribute: &str, detail: &str) -> String;
    async fn sync(&mut self) -> Run;
    async fn user(&mut self, name: &str) -> v1::User;
    async fn team_members(&mut self) -> Vec<String>;
    async fn only_change(&mut self, run: &Run) -> Change;
}

impl Scene for World {
    async fn control(&self, verb: Method, path: &str, body: Value) -> Value {
        self.google.control(verb, path, body).await
    }

    /// Makes a user; gives its id.
    async fn person(&self, name: &str) -> String {
        let body = json!({
            "primaryEmail": at(name),
            "name": {"givenName": name, "familyName": "Person"},
        });
        let made = self.control(Method::POST, "users", body).await;
        made["id"].as_str().unwrap().to_owned()
    }

    /// Makes a group; gives its id.
    async fn group(&self, name: &str) -> String {
        let body = json!({"email": at(name), "name": name});
        let made = self.control(Method::POST, "groups", body).await;
        made["id"].as_str().unwrap().to_owned()
    }

    async fn join(&self, group: &str, name: &str) {
        let path = format!("groups/{}/members", at(group));
        let body = json!({"email": at(name), "role": "MEMBER"});
        self.control(Method::POST, &path, body).await;
    }

    /// Changes a user as an admin of Google would.
    async fn edit(&self, key: &str, values: Value) {
        let path = format!("users/{key}");
        self.control(Method::PATCH, &path, values).await;
    }

    async fn delete(&self, path: &str) {
        self.control(Method::DELETE, path, Value::Null).await;
    }

    async fn rule(&mut self, rule: v1::Rule) {
        let rule = v1::Rule {
            title: "People".to_owned(),
            event: v1::Event::Lookup.into(),
            source_kind: v1::Kind::User.into(),
            action: v1::Action::Add.into(),
            target_kind: v1::Kind::User.into(),
            ..rule
        };
        let request = v1::CreateRuleRequest {
            parent: integration(),
            rule: Some(rule),
            ..v1::CreateRuleRequest::default()
        };
        self.integrations.create_rule(request).await.unwrap();
    }

    /// A rule for users with one condition.
    async fn rule_of(&mut self, attribute: &str, operator: v1::Operator, value: &str) {
        let condition = v1::Condition {
            attribute: attribute.to_owned(),
            operator: operator.into(),
            values: vec![value.to_owned()],
        };
        self.rule(v1::Rule {
            conditions: vec![condition],
            ..v1::Rule::default()
        })
        .await;
    }

    /// The id that ListChoices tells of the group of this address, or the unit of this path.
    async fn choice(&mut self, kind: v1::Kind, attribute: &str, detail: &str) -> String {
        let mut page_token = String::new();
        loop {
            let request = v1::ListChoicesRequest {
                parent: integration(),
                kind: kind.into(),
                attribute: attribute.to_owned(),
                page_token,
            };
            let page = self.integrations.list_choices(request).await.unwrap();
            let page = page.into_inner();
            let mut found = page.choices.into_iter();
            if let Some(choice) = found.find(|choice| choice.detail == detail) {
                return choice.value;
            }
            assert!(!page.next_page_token.is_empty(), "no {detail}");
            page_token = page.next_page_token;
        }
    }

    /// A run that ends well, and whose sums hold.
    async fn sync(&mut self) -> Run {
        let run = self.run().await;
        assert_eq!(run.state(), State::Succeeded, "{run:?}");
        sums_hold(&run);
        run
    }

    /// The only user of that address.
    async fn user(&mut self, name: &str) -> v1::User {
        let mut found = self.users().await;
        found.retain(|user| user.user_name == at(name));
        assert_eq!(found.len(), 1, "{name}");
        found.remove(0)
    }

    /// Addresses of the members of "team", sorted.
    async fn team_members(&mut self) -> Vec<String> {
        let groups = self.groups().await;
        let team = groups.iter().find(|group| group.email == at("team"));
        let members = self.members(&team.unwrap().name).await;
        let mut all: Vec<String> = members.into_iter().map(|member| member.email).collect();
        all.sort();
        all
    }

    /// The one outcome that the run recorded.
    async fn only_change(&mut self, run: &Run) -> Change {
        let mut changes = self.changes(&run.name).await;
        assert_eq!(changes.len(), 1, "{changes:?}");
        changes.remove(0)
    }
}

/// Code of the reason of a change.
pub fn code(change: &Change) -> &str {
    change.reason.as_ref().map_or("", |reason| &reason.code)
}

/// Addresses of these people.
pub fn all(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| at(name)).collect()
}
