//! What goes wrong at Google costs what it touches and nothing else; what was not seen is never taken for absent.

#![allow(clippy::unwrap_used, clippy::panic)]

mod incomplete;
mod stopped;

use crate::support::{World, sums_hold};
use provisiond::{
    proto::v1::{Change, Run, change::Outcome, run::State},
    sandbox::Options,
};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const USERS: &str = "directory.users.list";
const GROUPS: &str = "directory.groups.list";
const MEMBERS: &str = "directory.members.list";

/// Three pages of users, one of groups.
fn three_pages() -> Options {
    Options {
        users: 1100,
        groups: 12,
        memberships: Some(600),
        ..Options::default()
    }
}

fn rows(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Plants a rule that hits requests of a method: so many, after so many.
async fn hit(world: &World, method: &str, after: u64, times: u64, fault: Value) {
    let rule = json!({"method": method, "after": after, "times": times, "fault": fault});
    world.google.fault(rule).await;
}

fn status(code: u16) -> Value {
    json!({"status": {"code": code}})
}

async fn no_more_faults(world: &World) {
    let google = &world.google;
    google.control(Method::DELETE, "faults", Value::Null).await;
}

/// How often a run says that it made a request.
fn requests(run: &Run, method: &str) -> i64 {
    let counts = &run.requests.as_ref().unwrap().by_method;
    counts.get(method).copied().unwrap_or_default()
}

/// What a run did not do, with reasons: (label of the source, outcome, code), sorted.
fn not_done(changes: &[Change]) -> Vec<(String, Outcome, String)> {
    let of = |change: &Change| {
        let reason = change.reason.clone().unwrap_or_default();
        assert!(!reason.text.is_empty(), "{change:?}");
        let label = change.source.clone().unwrap_or_default().label;
        (label, change.outcome(), reason.code)
    };
    let left = changes
        .iter()
        .filter(|change| change.outcome() != Outcome::Applied);
    let mut left: Vec<_> = left.map(of).collect();
    left.sort();
    left
}

/// What Google has, read without the daemon's code.
struct Company {
    state: Value,
    bad: BTreeSet<String>,
    forbidden: String,
}

/// What should come of the memberships of one group: addresses provisioned, waiting, left out.
#[derive(Default)]
struct Fate {
    joined: BTreeSet<String>,
    listed: i64,
    waiting: i64,
    outside: i64,
}

impl Company {
    /// Spoils two plain users who are members of something, and picks a nested group that has members.
    async fn spoil(world: &World) -> Self {
        let state = world.google.state().await;
        let groups = rows(&state["groups"]);
        let has_members = |group: &Value| !rows(&state["members"][text(&group["id"])]).is_empty();
        let members = || {
            groups
                .iter()
                .flat_map(|g| rows(&state["members"][text(&g["id"])]))
        };
        let nested: BTreeSet<&str> = members()
            .filter(|member| member["type"] == "GROUP")
            .map(|member| text(&member["id"]))
            .collect();
        let forbidden = groups
            .iter()
            .find(|group| nested.contains(text(&group["id"])) && has_members(group))
            .unwrap();
        let special = ["admin@", "delegated@", "nonadmin@"];
        let known: BTreeSet<&str> = rows(&state["users"])
            .iter()
            .map(|u| text(&u["id"]))
            .collect();
        let plain: BTreeSet<&str> = members()
            .filter(|member| {
                !special
                    .iter()
                    .any(|name| text(&member["email"]).starts_with(name))
            })
            .map(|member| text(&member["id"]))
            .filter(|id| known.contains(id))
            .collect();
        let bad: BTreeSet<String> = plain.into_iter().take(2).map(str::to_owned).collect();
        let spoilt = [
            json!({"primaryEmail": "no address"}),
            json!({"name": {"givenName": "x".repeat(400), "familyName": "y", "fullName": "z"}}),
        ];
        for (id, values) in bad.iter().zip(spoilt) {
            world.google.patch_user(id, values).await;
        }
        let forbidden = text(&forbidden["id"]).to_owned();
        let state = world.google.state().await;
        Self {
            state,
            bad,
            forbidden,
        }
    }

    fn groups(&self) -> &[Value] {
        rows(&self.state["groups"])
    }

    fn members(&self, group: &Value) -> &[Value] {
        rows(&self.state["members"][text(&group["id"])])
    }

    fn good_users(&self) -> impl Iterator<Item = &Value> {
        let good = |user: &&Value| !self.bad.contains(text(&user["id"]));
        rows(&self.state["users"]).iter().filter(good)
    }

    fn fate(&self, group: &Value) -> Fate {
        let mut fate = Fate::default();
        if group["id"] == self.forbidden.as_str() {
            return fate;
        }
        let users = self
            .good_users()
            .map(|user| (text(&user["id"]), text(&user["primaryEmail"])));
        let all = self
            .groups()
            .iter()
            .map(|group| (text(&group["id"]), text(&group["email"])));
        let address: BTreeMap<&str, &str> = users.chain(all).collect();
        for member in self.members(group) {
            fate.listed += 1;
            let id = text(&member["id"]);
            if member["type"] == "CUSTOMER" {
                let active = self
                    .good_users()
                    .filter(|u| u["suspended"] != true && u["archived"] != true);
                fate.joined
                    .extend(active.map(|user| text(&user["primaryEmail"]).to_lowercase()));
            } else if let Some(address) = address.get(id) {
                fate.joined.insert(address.to_lowercase());
            } else if self.bad.contains(id) {
                fate.waiting += 1;
            } else {
                fate.outside += 1;
            }
        }
        fate
    }

    /// Everything that a run must say it did not do.
    fn not_done(&self) -> Vec<(String, Outcome, String)> {
        let users = rows(&self.state["users"]).iter();
        let bad = users.filter(|user| self.bad.contains(text(&user["id"])));
        let mut expected: Vec<_> = bad
            .map(|user| {
                (
                    text(&user["primaryEmail"]).to_owned(),
                    Outcome::Failed,
                    "INVALID_DATA",
                )
            })
            .collect();
        for group in self.groups() {
            let label = text(&group["email"]).to_owned();
            if group["id"] == self.forbidden.as_str() {
                expected.push((label, Outcome::Skipped, "MEMBERS_FORBIDDEN"));
            } else if self.fate(group).outside > 0 {
                expected.push((label, Outcome::Skipped, "EXTERNAL"));
            }
        }
        let mut expected: Vec<_> = expected
            .into_iter()
            .map(|(label, outcome, code)| (label, outcome, code.to_owned()))
            .collect();
        expected.sort();
        expected
    }

    /// Everything else must have arrived.
    async fn check_directory(&self, world: &mut World) {
        let users: BTreeSet<String> = world
            .users()
            .await
            .into_iter()
            .map(|u| u.user_name)
            .collect();
        let expected = self
            .good_users()
            .map(|user| text(&user["primaryEmail"]).to_lowercase());
        assert_eq!(users, expected.collect());
        let by_email: BTreeMap<String, &Value> = self
            .groups()
            .iter()
            .map(|group| (text(&group["email"]).to_lowercase(), group))
            .collect();
        let groups = world.groups().await;
        assert_eq!(groups.len(), by_email.len());
        for group in groups {
            let members = world.members(&group.name).await.into_iter();
            let members: BTreeSet<String> = members.map(|member| member.email).collect();
            let expected = self.fate(by_email[&group.email]).joined;
            assert_eq!(members, expected, "{}", group.email);
        }
    }

    fn check_counters(&self, run: &Run) {
        sums_hold(run);
        let (users, groups) = (rows(&self.state["users"]).len(), self.groups().len());
        let total = run.counters.unwrap();
        assert_eq!(usize::try_from(total.considered), Ok(users + groups));
        assert_eq!(usize::try_from(total.added), Ok(users + groups - 2));
        assert_eq!((total.failed, total.deferred, total.skipped), (2, 0, 0));
        let fates: Vec<Fate> = self.groups().iter().map(|group| self.fate(group)).collect();
        let sum = |of: fn(&Fate) -> i64| fates.iter().map(of).sum::<i64>();
        let forbidden = self
            .groups()
            .iter()
            .find(|g| g["id"] == self.forbidden.as_str());
        let forbidden = i64::try_from(self.members(forbidden.unwrap()).len()).unwrap();
        let (waiting, outside) = (sum(|fate| fate.waiting), sum(|fate| fate.outside));
        let members = run.memberships.unwrap();
        assert!(waiting > 0 && outside > 0, "the company shows both");
        assert_eq!(members.considered, sum(|fate| fate.listed) + forbidden);
        assert_eq!(
            (members.pending, members.skipped),
            (waiting, outside + forbidden)
        );
        assert_eq!(
            (members.removed, members.failed, members.unchanged),
            (0, 0, 0)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_costs_what_it_touches_and_nothing_else() {
    let mut world = World::ready(three_pages()).await;
    let company = Company::spoil(&world).await;
    // Users: 503, page 1, page 1 again, 401, page 2, page 3.
    hit(&world, USERS, 0, 1, status(503)).await;
    hit(&world, USERS, 1, 1, json!("repeat_page")).await;
    hit(&world, USERS, 3, 1, json!("expire_token")).await;
    hit(&world, GROUPS, 0, 1, status(503)).await;
    hit(&world, MEMBERS, 0, 1, status(503)).await;
    let path = format!("{}/members", company.forbidden);
    let forbidden =
        json!({"method": MEMBERS, "path_contains": path, "times": 9, "fault": status(403)});
    world.google.fault(forbidden).await;
    world.google.forget_requests().await;
    let run = world.run().await;
    assert_eq!(run.state(), State::SucceededWithFailures, "{run:?}");
    assert!(run.error.is_none());
    assert_eq!(
        not_done(&world.changes(&run.name).await),
        company.not_done()
    );
    company.check_counters(&run);
    company.check_directory(&mut world).await;
    assert_eq!((requests(&run, USERS), requests(&run, GROUPS)), (6, 2));
    assert_eq!(run.requests.as_ref().unwrap().retries, 4, "{run:?}");
    let tokens = &world.google.requests().await["oauth.token"];
    assert_eq!(*tokens, 2, "one to begin with, one when that expired");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_at_fault_completes_itself_once_it_is_put_right() {
    let options = Options {
        users: 60,
        memberships: Some(120),
        ..three_pages()
    };
    let mut world = World::ready(options).await;
    let company = Company::spoil(&world).await;
    let path = format!("{}/members", company.forbidden);
    let forbidden =
        json!({"method": MEMBERS, "path_contains": path, "times": 9, "fault": status(403)});
    world.google.fault(forbidden).await;
    let run = world.run().await;
    assert_eq!(run.state(), State::SucceededWithFailures, "{run:?}");
    no_more_faults(&world).await;
    let good = json!({"givenName": "Put", "familyName": "Right", "fullName": "Put Right"});
    for (number, id) in company.bad.iter().enumerate() {
        let values = json!({"primaryEmail": format!("right-{number}@acme.test"), "name": good});
        world.google.patch_user(id, values).await;
    }
    let state = world.google.state().await;
    let healed = Company {
        state,
        bad: BTreeSet::new(),
        forbidden: String::new(),
    };
    let run = world.run().await;
    assert_eq!(run.state(), State::Succeeded, "{run:?}");
    sums_hold(&run);
    assert_eq!(run.counters.unwrap().added, 2, "{run:?}");
    healed.check_directory(&mut world).await;
}
