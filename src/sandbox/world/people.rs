//! Invents users.

use std::collections::HashMap;

use super::super::wire::Id;
use super::World;
use super::names::{DEPARTMENTS, FAMILY, GIVEN};
use super::user::{Profile, User};

/// The moment from which everything generated counts: 2024-01-01, in milliseconds.
pub const EPOCH: i64 = 1_704_067_200_000;
const DAY: i64 = 24 * 3600 * 1000;
/// The missing half of a name of one word.
const NOTHING: &str = "\u{200b}";

/// A user with nothing special about it.
pub fn plain(id: Id, customer: usize, email: &str, given: &str, family: &str) -> User {
    User {
        id,
        customer,
        email: email.into(),
        given: given.to_owned(),
        family: family.to_owned(),
        aliases: Vec::new(),
        is_admin: false,
        is_delegated: false,
        resells: false,
        suspended: None,
        archived: None,
        org_unit: "/".into(),
        created: EPOCH,
        last_login: 0,
        profile: None,
        extra: serde_json::Map::new(),
        planted: serde_json::Map::new(),
        revision: 0,
        authorize_error: None,
    }
}

/// Adds so many ordinary users to a customer.
pub fn add(world: &mut World, customer: usize, count: usize) {
    let domains: Vec<Id> = world.customers[customer]
        .domains
        .iter()
        .filter(|domain| domain.alias_of.is_none())
        .map(|domain| domain.name.clone())
        .collect();
    let units: Vec<Id> = DEPARTMENTS
        .iter()
        .map(|(name, _)| format!("/Staff/{name}").into())
        .collect();
    let mut managers: Vec<Id> = Vec::new();
    let mut namesakes: HashMap<(usize, usize), u32> = HashMap::new();
    for index in 0..count {
        let user = person(
            world,
            customer,
            index,
            &domains,
            &units,
            &managers,
            &mut namesakes,
        );
        if managers.len() < count / 10 + 1 {
            managers.push(user.email.clone());
        }
        world.add_user(user);
    }
}

fn person(
    world: &mut World,
    customer: usize,
    index: usize,
    domains: &[Id],
    units: &[Id],
    managers: &[Id],
    namesakes: &mut HashMap<(usize, usize), u32>,
) -> User {
    let dice = &mut world.dice;
    let id = dice.user_id();
    let (given_at, family_at) = (dice.below(GIVEN.len()), dice.below(FAMILY.len()));
    let ((given, given_slug), (family, family_slug)) = (GIVEN[given_at], FAMILY[family_at]);
    let department = dice.below(DEPARTMENTS.len());
    let domain = match dice.below(10) {
        0 => domains.get(2),
        1 | 2 => domains.get(1),
        _ => None,
    }
    .unwrap_or(&domains[0]);
    let number = namesakes.entry((given_at, family_at)).or_insert(0);
    *number += 1;
    let suffix = if *number > 1 {
        number.to_string()
    } else {
        String::new()
    };
    let email = format!("{given_slug}.{family_slug}{suffix}@{domain}");
    let mut user = plain(id, customer, &email, given, family);
    if dice.percent(15) {
        let initial = &given_slug[..1];
        user.aliases
            .push(format!("{initial}{family_slug}.{index}@{domain}").into());
    }
    if dice.below(200) == 0 {
        user.family = NOTHING.to_owned();
    }
    user.created = EPOCH + i64::try_from(dice.below(700)).unwrap_or(0) * DAY;
    if dice.percent(90) {
        user.last_login = user.created + i64::try_from(dice.below(100)).unwrap_or(0) * DAY;
    }
    if dice.percent(5) {
        user.suspended = Some((user.created + DAY, "ADMIN"));
    } else if dice.percent(1) {
        user.archived = Some(user.created + 2 * DAY);
    }
    let (name, titles) = DEPARTMENTS[department];
    user.org_unit = match dice.below(20) {
        0 => "/".into(),
        1 => "/Contractors".into(),
        _ => units[department].clone(),
    };
    user.profile = Some(Profile {
        department: name,
        title: dice.pick(titles).copied().unwrap_or_default(),
        phone: u32::try_from(dice.below(10_000_000)).unwrap_or(0),
        manager: dice.pick(managers).cloned(),
        number: (!dice.percent(10)).then(|| u32::try_from(index + 1).unwrap_or(u32::MAX)),
    });
    user
}
