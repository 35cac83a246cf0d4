//! Invents the world: one company of the size asked for, a second one, and a private account.
//!
//! Primary customer: domains `acme.test` (primary), `acme-labs.test`, `eu.acme.test`, and
//! `acme-corp.test`, another name of the primary. Accounts `admin@` (super administrator),
//! `delegated@` (delegated administrator) and `nonadmin@acme.test` are among its users. Second
//! customer: `other.test` with `admin@other.test`. Private account: `somebody@gmail.test`.

use std::collections::BTreeMap;

use super::super::wire::{Id, outside_id};
use super::group::{Group, Kind, Member, Role};
use super::names::{DEPARTMENTS, GROUP_SORTS, GROUP_TOPICS, UNITS};
use super::people::{EPOCH, add, plain};
use super::{Consumer, Customer, Domain, World};

/// Makes the world of a seed and sizes.
pub fn world(seed: u64, users: usize, groups: usize, memberships: usize) -> World {
    let mut world = World::empty(seed);
    let acme = customer(
        &mut world,
        "Acme",
        &[
            ("acme.test", None),
            ("acme-labs.test", None),
            ("eu.acme.test", None),
            ("acme-corp.test", Some("acme.test")),
        ],
    );
    let other = customer(&mut world, "Other", &[("other.test", None)]);
    let id = world.dice.user_id();
    world.consumers.push(Consumer {
        id,
        email: "somebody@gmail.test".into(),
        name: "Some Body".to_owned(),
    });
    account(
        &mut world,
        acme,
        "admin@acme.test",
        "Ada",
        "Admin",
        |user| user.is_admin = true,
    );
    account(
        &mut world,
        acme,
        "delegated@acme.test",
        "Dee",
        "Delegated",
        |user| {
            user.is_delegated = true;
        },
    );
    account(
        &mut world,
        acme,
        "nonadmin@acme.test",
        "Nora",
        "Nonadmin",
        |_| {},
    );
    account(
        &mut world,
        other,
        "admin@other.test",
        "Otto",
        "Other",
        |user| user.is_admin = true,
    );
    // The second company comes first, so that its ids don't depend on the first one's size.
    add(&mut world, other, 8);
    let partners = group(&mut world, other, "partners@other.test", "Partners");
    fill_plain(&mut world, &partners, other, 5);
    add(&mut world, acme, users.saturating_sub(3));
    Groups::new(&mut world, acme, groups, memberships).make(&partners);
    world
}

fn customer(world: &mut World, name: &str, domains: &[(&str, Option<&str>)]) -> usize {
    let id = world.dice.customer_id();
    let departments = DEPARTMENTS.iter().map(|(name, _)| format!("/Staff/{name}"));
    world.customers.push(Customer {
        id,
        organization: name.to_owned(),
        domains: domains
            .iter()
            .enumerate()
            .map(|(index, (name, alias_of))| Domain {
                name: (*name).into(),
                primary: index == 0,
                alias_of: alias_of.map(Into::into),
            })
            .collect(),
        org_units: UNITS
            .iter()
            .map(|unit| (*unit).to_owned())
            .chain(departments)
            .map(Into::into)
            .collect(),
        users: BTreeMap::new(),
        groups: BTreeMap::new(),
        created: EPOCH,
    });
    world.customers.len() - 1
}

fn account(
    world: &mut World,
    customer: usize,
    email: &str,
    given: &str,
    family: &str,
    set: impl FnOnce(&mut super::user::User),
) {
    let id = world.dice.user_id();
    let mut user = plain(id, customer, email, given, family);
    user.last_login = EPOCH;
    set(&mut user);
    world.add_user(user);
}

fn group(world: &mut World, customer: usize, email: &str, name: &str) -> Id {
    let id = world.dice.group_id();
    world.add_group(Group {
        id: id.clone(),
        customer,
        email: email.into(),
        name: name.to_owned(),
        description: String::new(),
        aliases: Vec::new(),
        admin_created: true,
        external_ids: Vec::new(),
        members: BTreeMap::new(),
        planted: serde_json::Map::new(),
        revision: 0,
    });
    id
}

fn member(id: Id, kind: Kind, email: Option<Id>, role: Role) -> Member {
    Member {
        id,
        kind,
        email,
        role,
        delivery: "ALL_MAIL",
        planted: None,
        revision: 0,
    }
}

fn fill_plain(world: &mut World, group: &str, customer: usize, count: usize) {
    let users: Vec<(Id, Id)> = listed(world, customer);
    for (email, id) in users.into_iter().take(count) {
        world.add_member(group, member(id, Kind::User, Some(email), Role::Member));
    }
}

fn listed(world: &World, customer: usize) -> Vec<(Id, Id)> {
    world.customers[customer]
        .users
        .iter()
        .map(|(email, id)| (email.clone(), id.clone()))
        .collect()
}

/// Makes the groups of the primary customer.
struct Groups<'a> {
    world: &'a mut World,
    customer: usize,
    users: Vec<(Id, Id)>,
    sizes: Vec<usize>,
}

impl<'a> Groups<'a> {
    fn new(world: &'a mut World, customer: usize, groups: usize, memberships: usize) -> Self {
        let users = listed(world, customer);
        let sizes = sizes(groups, memberships, users.len());
        Self {
            world,
            customer,
            users,
            sizes,
        }
    }

    fn make(&mut self, outside: &Id) {
        let mut ids: Vec<Id> = Vec::new();
        for index in 0..self.sizes.len() {
            let id = self.one(index);
            ids.push(id);
        }
        for index in 0..ids.len() {
            self.fill(index, &ids, outside);
        }
    }

    fn one(&mut self, index: usize) -> Id {
        if index == 0 {
            return group(self.world, self.customer, "everyone@acme.test", "Everyone");
        }
        let topic = GROUP_TOPICS[index % GROUP_TOPICS.len()];
        let sort = GROUP_SORTS[(index / GROUP_TOPICS.len()) % GROUP_SORTS.len()];
        let domain = if index % 7 == 3 {
            "acme-labs.test"
        } else {
            "acme.test"
        };
        let email = format!("group-{index:05}@{domain}");
        let id = group(
            self.world,
            self.customer,
            &email,
            &format!("{topic} {sort}"),
        );
        let aliased = self.world.dice.percent(10);
        if let Some(group) = self.world.groups.get_mut(&id) {
            group.description = format!("{sort} of {topic}, number {index}");
            group.admin_created = !index.is_multiple_of(5);
        }
        if aliased {
            let alias = format!("list-{index:05}@{domain}").into();
            self.world.readdress_group(&id, &email.into(), vec![alias]);
        }
        id
    }

    fn fill(&mut self, index: usize, ids: &[Id], outside: &Id) {
        let group = &ids[index];
        let mut left = self.sizes[index];
        if index == 0 && left > 0 {
            let id = self.world.customers[self.customer].id.clone();
            self.world
                .add_member(group, member(id, Kind::Customer, None, Role::Member));
            return;
        }
        if index == 1 && left > 2 {
            self.nest(group, outside);
            left -= 1;
        }
        // A group holds only groups that come after it, so no circle arises.
        if index % 4 == 1 && left > 2 && index + 1 < ids.len() {
            let step = 1 + self.world.dice.below(ids.len() - index - 1);
            self.nest(group, &ids[index + step]);
            left -= 1;
        }
        if index % 6 == 2 && left > 2 {
            let email = format!("guest.{index}@partner.example");
            let role = Role::Member;
            self.world.add_member(
                group,
                member(outside_id(&email), Kind::User, Some(email.into()), role),
            );
            left -= 1;
        }
        let count = self.users.len();
        let start = self.world.dice.below(count);
        for step in 0..left.min(count) {
            let (email, id) = self.users[(start + step * self.stride()) % count].clone();
            let role = match step {
                0 => Role::Owner,
                1 if index.is_multiple_of(3) => Role::Manager,
                _ => Role::Member,
            };
            self.world
                .add_member(group, member(id, Kind::User, Some(email), role));
        }
    }

    fn nest(&mut self, group: &str, inner: &Id) {
        let Some(email) = self
            .world
            .groups
            .get(inner)
            .map(|inner| inner.email.clone())
        else {
            return;
        };
        let inner = member(inner.clone(), Kind::Group, Some(email), Role::Member);
        self.world.add_member(group, inner);
    }

    /// A step that has no divisor in common with the number of users: no user comes twice.
    fn stride(&self) -> usize {
        let count = self.users.len();
        [7919, 104_729, 13, 1]
            .into_iter()
            .find(|prime| !count.is_multiple_of(*prime))
            .unwrap_or(1)
    }
}

/// Sizes that add up to about the memberships asked for: a few large groups, many small ones, one
/// in ten empty.
fn sizes(groups: usize, memberships: usize, users: usize) -> Vec<usize> {
    let empty = |index: usize| index % 10 == 9;
    let mut sizes = vec![0; groups];
    if let Some(first) = sizes.first_mut() {
        *first = usize::from(memberships > 0);
    }
    let mut left = memberships.saturating_sub(1);
    // Each round shares what the last one could not place, because a group was full.
    for _ in 0..20 {
        let open: Vec<usize> = (1..groups)
            .filter(|index| !empty(*index) && sizes[*index] < users)
            .collect();
        let weight: f64 = open.iter().map(|index| 1.0 / share(*index)).sum();
        if left == 0 || open.is_empty() {
            break;
        }
        let round = left;
        for index in open {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss
            )]
            let wanted = (round as f64 / share(index) / weight).ceil() as usize;
            let given = wanted.min(users - sizes[index]).min(left);
            sizes[index] += given;
            left -= given;
        }
    }
    sizes
}

#[expect(clippy::cast_precision_loss)]
fn share(index: usize) -> f64 {
    (index + 1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_company_of_the_size_asked_for() {
        let (one, two) = (world(5, 500, 30, 2500), world(5, 500, 30, 2500));
        let ids = |world: &World| world.customers[0].users.clone();
        assert_eq!(ids(&one), ids(&two));
        assert_ne!(ids(&one), ids(&world(6, 500, 30, 2500)));
        assert_eq!(one.customers[0].users.len(), 500);
        assert_eq!(one.customers[0].groups.len(), 30);
        let sizes: Vec<usize> = one.customers[0]
            .groups
            .values()
            .map(|id| one.groups[id].members.len())
            .collect();
        let total: usize = sizes.iter().sum();
        assert!((2400..=2500).contains(&total), "{total}");
        assert!(sizes.iter().any(|size| *size > 200), "{sizes:?}");
        assert!(sizes.contains(&0));
        for group in one.groups.values() {
            for member in group
                .members
                .values()
                .filter(|member| member.kind == Kind::Group)
            {
                assert!(!one.contains_group(&member.id, &group.id), "no circles");
            }
        }
    }

    #[test]
    fn the_smallest_company_has_its_accounts() {
        let world = world(1, 0, 0, 0);
        assert_eq!(world.customers[0].users.len(), 3);
        assert_eq!(world.customers[0].groups.len(), 0);
    }
}
