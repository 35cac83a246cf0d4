//! Changes that keep the index right: addresses, listings, memberships from both ends.

use super::super::wire::Id;
use super::group::{Group, Kind, Member};
use super::user::User;
use super::{Deleted, Owner, World, domain_of, local_of};

impl World {
    /// Adds a user. Its addresses must be free.
    pub fn add_user(&mut self, user: User) {
        let owner = Owner::User(user.id.clone());
        self.addresses.insert(user.email.clone(), owner.clone());
        for alias in &user.aliases {
            self.addresses.insert(alias.clone(), owner.clone());
        }
        if let Some(customer) = self.customers.get_mut(user.customer) {
            customer.users.insert(user.email.clone(), user.id.clone());
        }
        self.users.insert(user.id.clone(), user);
    }

    /// Takes a user out, with its memberships.
    pub fn take_user(&mut self, id: &str) -> Option<(User, Vec<(Id, Member)>)> {
        let user = self.users.remove(id)?;
        self.addresses.remove(&user.email);
        for alias in &user.aliases {
            self.addresses.remove(alias);
        }
        if let Some(customer) = self.customers.get_mut(user.customer) {
            customer.users.remove(&user.email);
        }
        let memberships = self.leave_all(id, &user.email);
        Some((user, memberships))
    }

    /// Deletes a user for 20 days.
    pub fn delete_user(&mut self, id: &str, now: i64) -> bool {
        let Some((user, memberships)) = self.take_user(id) else {
            return false;
        };
        self.touch();
        self.deleted.insert(
            user.id.clone(),
            Deleted {
                user,
                at: now,
                memberships,
            },
        );
        true
    }

    /// Gives a user other addresses. They must be free, or its own.
    pub fn readdress_user(&mut self, id: &str, email: &Id, aliases: Vec<Id>) {
        let Some(user) = self.users.get_mut(id) else {
            return;
        };
        let old = std::mem::replace(&mut user.email, email.clone());
        let old_aliases = std::mem::replace(&mut user.aliases, aliases.clone());
        let (id, customer) = (user.id.clone(), user.customer);
        self.addresses.remove(&old);
        for alias in &old_aliases {
            self.addresses.remove(alias);
        }
        for address in aliases.into_iter().chain([email.clone()]) {
            self.addresses.insert(address, Owner::User(id.clone()));
        }
        if let Some(customer) = self.customers.get_mut(customer) {
            customer.users.remove(&old);
            customer.users.insert(email.clone(), id.clone());
        }
        self.readdress_memberships(&id, &old, email);
    }

    /// Adds a group without members. Its addresses must be free.
    pub fn add_group(&mut self, group: Group) {
        let owner = Owner::Group(group.id.clone());
        self.addresses.insert(group.email.clone(), owner.clone());
        for alias in &group.aliases {
            self.addresses.insert(alias.clone(), owner.clone());
        }
        if let Some(customer) = self.customers.get_mut(group.customer) {
            customer
                .groups
                .insert(group.email.clone(), group.id.clone());
        }
        self.groups.insert(group.id.clone(), group);
    }

    /// Deletes a group, with its memberships in both directions.
    pub fn delete_group(&mut self, id: &str) -> bool {
        let Some(group) = self.groups.remove(id) else {
            return false;
        };
        self.addresses.remove(&group.email);
        for alias in &group.aliases {
            self.addresses.remove(alias);
        }
        if let Some(customer) = self.customers.get_mut(group.customer) {
            customer.groups.remove(&group.email);
        }
        for member in group.members.values() {
            if let Some(groups) = self.member_of.get_mut(&member.id) {
                groups.retain(|other| **other != *id);
            }
        }
        self.leave_all(id, &group.email);
        self.touch();
        true
    }

    /// Gives a group other addresses. They must be free, or its own.
    pub fn readdress_group(&mut self, id: &str, email: &Id, aliases: Vec<Id>) {
        let Some(group) = self.groups.get_mut(id) else {
            return;
        };
        let old = std::mem::replace(&mut group.email, email.clone());
        let old_aliases = std::mem::replace(&mut group.aliases, aliases.clone());
        let (id, customer) = (group.id.clone(), group.customer);
        self.addresses.remove(&old);
        for alias in &old_aliases {
            self.addresses.remove(alias);
        }
        for address in aliases.into_iter().chain([email.clone()]) {
            self.addresses.insert(address, Owner::Group(id.clone()));
        }
        if let Some(customer) = self.customers.get_mut(customer) {
            customer.groups.remove(&old);
            customer.groups.insert(email.clone(), id.clone());
        }
        self.readdress_memberships(&id, &old, email);
    }

    /// Adds a membership; false if there was one.
    pub fn add_member(&mut self, group: &str, member: Member) -> bool {
        let Some(group) = self.groups.get_mut(group) else {
            return false;
        };
        let key = member.sort_key();
        if group.members.contains_key(&key) {
            return false;
        }
        self.member_of
            .entry(member.id.clone())
            .or_default()
            .push(group.id.clone());
        group.members.insert(key, member);
        true
    }

    /// Removes a membership by its place in the listing.
    pub fn remove_member(&mut self, group: &str, key: &str) -> bool {
        let Some(member) = self
            .groups
            .get_mut(group)
            .and_then(|group| group.members.remove(key))
        else {
            return false;
        };
        if let Some(groups) = self.member_of.get_mut(&member.id) {
            groups.retain(|other| **other != *group);
        }
        true
    }

    /// The groups that something is a direct member of.
    pub fn groups_of(&self, member: &str) -> &[Id] {
        self.member_of.get(member).map_or(&[], Vec::as_slice)
    }

    /// What an id or address names, aliases of every sort included.
    pub fn resolve(&self, key: &str) -> Option<Owner> {
        if let Some(user) = self.users.get(key) {
            return Some(Owner::User(user.id.clone()));
        }
        if let Some(group) = self.groups.get(key) {
            return Some(Owner::Group(group.id.clone()));
        }
        self.addresses.get(self.plain(key).as_str()).cloned()
    }

    /// Whether anything has that address.
    pub fn taken(&self, address: &str) -> Option<&Owner> {
        self.addresses.get(self.plain(address).as_str())
    }

    /// The address in lower case, without what domains add by themselves.
    fn plain(&self, address: &str) -> String {
        let lower = address.to_lowercase();
        let lower = lower.strip_suffix(".test-google-a.com").unwrap_or(&lower);
        let domain = domain_of(lower);
        let alias_of = self
            .customers
            .iter()
            .flat_map(|customer| &customer.domains)
            .find(|known| *known.name == *domain)
            .and_then(|known| known.alias_of.as_deref());
        match alias_of {
            Some(parent) => format!("{}@{parent}", local_of(lower)),
            None => lower.to_owned(),
        }
    }

    fn leave_all(&mut self, id: &str, email: &str) -> Vec<(Id, Member)> {
        let groups = self.member_of.remove(id).unwrap_or_default();
        groups
            .into_iter()
            .filter_map(|group| {
                let member = self.groups.get_mut(&group)?.members.remove(email)?;
                Some((group, member))
            })
            .collect()
    }

    fn readdress_memberships(&mut self, id: &str, old: &str, new: &Id) {
        for group in self.member_of.get(id).cloned().unwrap_or_default() {
            if let Some(group) = self.groups.get_mut(&group)
                && let Some(mut member) = group.members.remove(old)
            {
                member.email = Some(new.clone());
                group.members.insert(new.clone(), member);
            }
        }
    }

    /// Finds a direct member by id, address or alias: its place in the listing.
    pub fn find_member(&self, group: &Group, key: &str) -> Option<Id> {
        let by_address = match self.resolve(key) {
            Some(Owner::User(id)) => self.users.get(&id).map(|user| user.email.clone()),
            Some(Owner::Group(id)) => self.groups.get(&id).map(|group| group.email.clone()),
            None => Some(key.to_lowercase().into()),
        };
        if let Some(place) = by_address
            && group.members.contains_key(&place)
        {
            return Some(place);
        }
        group
            .members
            .iter()
            .find(|(_, member)| *member.id == *key)
            .map(|(place, _)| place.clone())
    }

    /// Whether `inner` is reached from `outer` through nested groups.
    pub fn contains_group(&self, outer: &str, inner: &str) -> bool {
        let mut seen = std::collections::HashSet::new();
        let mut open = vec![outer.to_owned()];
        while let Some(id) = open.pop() {
            if id == inner {
                return true;
            }
            if !seen.insert(id.clone()) {
                continue;
            }
            if let Some(group) = self.groups.get(id.as_str()) {
                open.extend(
                    group
                        .members
                        .values()
                        .filter(|member| member.kind == Kind::Group)
                        .map(|member| member.id.to_string()),
                );
            }
        }
        false
    }
}
