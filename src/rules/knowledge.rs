//! What must be read before conditions about groups and organisational units can be asked (semantics 6, 7).

use super::condition::fold;
use crate::model::{Attribute, Object, SourceId};
use std::collections::{BTreeSet, HashMap, HashSet};

/// What an object has to do with a condition or a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It meets it.
    Yes,
    /// It does not.
    No,
    /// That can't be told, and why.
    Unknown(String),
}

impl Answer {
    pub(super) fn of(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }

    pub(super) fn turned(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            unknown @ Self::Unknown(_) => unknown,
        }
    }
}

/// Groups and organisational units that conditions name, by id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// Groups.
    pub groups: BTreeSet<String>,
    /// Whether any organisational unit is named.
    pub units: bool,
}

/// Everybody in a group, directly or through groups within it.
#[derive(Debug, Clone, Default)]
pub struct Membership {
    /// Users and groups.
    pub members: HashSet<SourceId>,
    /// All users of the customer are in it.
    pub everyone: bool,
    /// Why it is not known who else is in it; none = this is all.
    pub unread: Option<String>,
}

/// What was read. Of what is not in it nothing is known.
#[derive(Debug, Clone, Default)]
pub struct Knowledge {
    /// The groups that were named.
    pub groups: HashMap<String, Membership>,
    /// All organisational units, or why they could not be read. None = not read.
    units: Option<Result<Units, String>>,
}

/// Organisational units; paths are folded.
#[derive(Debug, Clone, Default)]
struct Units {
    by_id: HashMap<String, String>,
    paths: HashSet<String>,
}

impl Knowledge {
    /// Whether an object is in any of these groups or units.
    pub(super) fn within(&self, attribute: &Attribute, ids: &[String], object: &Object) -> Answer {
        if *attribute == Attribute::GROUPS {
            self.in_groups(ids, object)
        } else {
            self.in_units(ids, object)
        }
    }

    fn in_groups(&self, ids: &[String], object: &Object) -> Answer {
        let mut unknown = None;
        for id in ids {
            let Some(group) = self.groups.get(id) else {
                unknown = Some(format!("the members of the group {id} were not read"));
                continue;
            };
            let everyone = group.everyone && object.kind == crate::model::Kind::User;
            if everyone || group.members.contains(&object.id) {
                return Answer::Yes;
            }
            if let Some(why) = &group.unread {
                unknown = Some(format!(
                    "the members of the group {id} could not be read: {why}"
                ));
            }
        }
        unknown.map_or(Answer::No, Answer::Unknown)
    }

    fn in_units(&self, ids: &[String], object: &Object) -> Answer {
        let unread = |why: &str| {
            Answer::Unknown(format!("the organizational units could not be read: {why}"))
        };
        let units = match &self.units {
            Some(Ok(units)) => units,
            Some(Err(why)) => return unread(why),
            None => return unread("they were not asked for"),
        };
        let Some(path) = object.attributes.text(&Attribute::ORG_UNIT).map(fold) else {
            return Answer::Unknown(
                "the source does not say in which organizational unit it is".to_owned(),
            );
        };
        // One that is not listed was renamed, moved or made since.
        if !units.paths.contains(&path) {
            let text =
                format!("its organizational unit {path} was not there when the units were listed");
            return Answer::Unknown(text);
        }
        let mut unknown = None;
        for id in ids {
            match units.by_id.get(id) {
                Some(unit) if is_beneath(&path, unit) => return Answer::Yes,
                Some(_) => {}
                None => unknown = Some(format!("there is no organizational unit {id} any more")),
            }
        }
        unknown.map_or(Answer::No, Answer::Unknown)
    }

    /// Takes in the organisational units: ids and paths.
    pub fn learn_units(&mut self, read: Result<Vec<(String, String)>, String>) {
        let fold = |(id, path): (String, String)| (id, fold(&path));
        self.units = Some(read.map(|units| {
            let by_id: HashMap<String, String> = units.into_iter().map(fold).collect();
            let paths = by_id.values().cloned().collect();
            Units { by_id, paths }
        }));
    }
}

/// Whether a path is that of a unit, or of one within it.
fn is_beneath(path: &str, unit: &str) -> bool {
    let rest = path.strip_prefix(unit.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests;
