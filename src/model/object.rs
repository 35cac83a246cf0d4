//! The one shape for everything provisioned: a kind, an id, and attributes by canonical (SCIM) name.

use super::SourceId;
use std::{cmp::Ordering, fmt, sync::Arc};

/// Kind of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A person.
    User,
    /// A group, with its memberships.
    Group,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::User => "user",
            Self::Group => "group",
        })
    }
}

/// Name of an attribute: that of the SCIM core schema (RFC 7643) or its enterprise extension, or, for what SCIM has no
/// name for, one of the catalogue. In order of the names.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Attribute(Name);

/// Those that have a name of their own here are told apart by their place among them, which is quicker than by name.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Name {
    Known(u8),
    Other(Arc<str>),
}

macro_rules! attributes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        #[expect(non_camel_case_types, clippy::upper_case_acronyms)]
        enum Place { $($name,)* }

        impl Attribute {
            $($(#[$doc])* pub const $name: Attribute = Attribute(Name::Known(Place::$name as u8));)*
            const KNOWN: &'static [&'static str] = &[$($text),*];
        }
    };
}

// In the order of the names.
attributes! {
    /// Whether the user may use the applications. RFC 7643 4.1.1.
    ACTIVE = "active",
    /// Other addresses of the same object.
    ALIASES = "aliases",
    /// RFC 7643 4.3.
    COST_CENTER = "costCenter",
    /// RFC 7643 4.3.
    DEPARTMENT = "department",
    /// Description of a group.
    DESCRIPTION = "description",
    /// Name to show: RFC 7643 4.1.1 (users), 4.2 (groups).
    DISPLAY_NAME = "displayName",
    /// The domain of the primary address.
    DOMAIN = "domain",
    /// RFC 7643 4.3.
    EMPLOYEE_NUMBER = "employeeNumber",
    /// The groups that it is a member of: for conditions only, which name groups by id.
    GROUPS = "groups",
    /// Whether the user is an administrator of the system.
    ADMIN = "isAdmin",
    /// Address of the manager. RFC 7643 4.3.
    MANAGER = "manager",
    /// RFC 7643 4.1.1.
    FAMILY_NAME = "name.familyName",
    /// RFC 7643 4.1.1.
    GIVEN_NAME = "name.givenName",
    /// Path of the organisational unit. Conditions name units by id.
    ORG_UNIT = "orgUnit",
    /// RFC 7643 4.3.
    ORGANIZATION = "organization",
    /// RFC 7643 4.1.2.
    PHONE_NUMBERS = "phoneNumbers",
    /// RFC 7643 4.1.1.
    TITLE = "title",
    /// The primary e-mail address, of users and groups alike (RFC 7643 4.1.1 for users). The unique key of a company.
    USER_NAME = "userName",
}

impl Attribute {
    /// The attribute of this name. Whether it exists in a system is the catalogue's to say.
    pub fn new(name: &str) -> Self {
        let place = Self::KNOWN.binary_search(&name).ok();
        Self(match place.and_then(|place| u8::try_from(place).ok()) {
            Some(place) => Name::Known(place),
            None => Name::Other(name.into()),
        })
    }

    /// What values it takes.
    pub fn shape(&self) -> Shape {
        match self {
            switch if [Self::ACTIVE, Self::ADMIN].contains(switch) => Shape::YesNo,
            list if [Self::ALIASES, Self::PHONE_NUMBERS, Self::GROUPS].contains(list) => {
                Shape::List
            }
            _ => Shape::Text,
        }
    }

    /// All that have a name of their own here.
    pub fn known() -> impl Iterator<Item = Self> {
        Self::KNOWN.iter().map(|name| Self::new(name))
    }

    /// Its place among those of [`Attribute::known`], if it is one of them.
    pub fn place(&self) -> Option<usize> {
        match self.0 {
            Name::Known(place) => Some(place.into()),
            Name::Other(_) => None,
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Name::Known(place) => Self::KNOWN[usize::from(*place)],
            Name::Other(name) => name,
        }
    }
}

impl Ord for Attribute {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            (Name::Known(this), Name::Known(that)) => this.cmp(that),
            _ => self.as_str().cmp(other.as_str()),
        }
    }
}

impl PartialOrd for Attribute {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What values an attribute takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One text.
    Text,
    /// Yes or no.
    YesNo,
    /// Several texts.
    List,
}

impl Shape {
    /// Whether a value is of this shape.
    pub fn fits(self, value: &Value) -> bool {
        matches!(
            (self, value),
            (Self::Text, Value::Text(_))
                | (Self::YesNo, Value::Bool(_))
                | (Self::List, Value::List(_))
        )
    }

    /// What it is, for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::YesNo => "true or false",
            Self::List => "a list of texts",
        }
    }
}

/// Value of an attribute. An attribute without a value is absent from [`Attributes`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Value {
    /// A text; never empty.
    Text(String),
    /// Yes or no.
    Bool(bool),
    /// Several texts; never empty, in the source's order.
    List(Vec<String>),
}

impl Value {
    /// How many bytes its texts take.
    pub fn text_len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Bool(_) => 0,
            Self::List(items) => items.iter().map(String::len).sum(),
        }
    }

    /// How many texts it holds.
    pub fn texts(&self) -> usize {
        match self {
            Self::Text(_) => 1,
            Self::Bool(_) => 0,
            Self::List(items) => items.len(),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Bool(yes) => yes.fmt(f),
            Self::List(items) => f.write_str(&items.join(", ")),
        }
    }
}

/// Attributes of an object, in the order of their names. They are few: a list that is searched beats a tree.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attributes(Vec<(Attribute, Value)>);

impl Attributes {
    /// None yet, with room for so many.
    pub fn with_capacity(count: usize) -> Self {
        Self(Vec::with_capacity(count))
    }

    /// The value of an attribute, if it has one.
    pub fn get(&self, attribute: &Attribute) -> Option<&Value> {
        let mut all = self.0.iter();
        all.find_map(|(name, value)| (name == attribute).then_some(value))
    }

    /// The value of an attribute, if it is a text.
    pub fn text(&self, attribute: &Attribute) -> Option<&str> {
        match self.get(attribute) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The value of an attribute, if it is a yes or no.
    pub fn bool(&self, attribute: &Attribute) -> Option<bool> {
        match self.get(attribute) {
            Some(Value::Bool(yes)) => Some(*yes),
            _ => None,
        }
    }

    /// Sets a value. An empty text or list is the same as none: the attribute is then removed.
    pub fn set(&mut self, attribute: Attribute, value: Value) {
        let empty = match &value {
            Value::Text(text) => text.is_empty(),
            Value::List(items) => items.is_empty(),
            Value::Bool(_) => false,
        };
        match self.place(&attribute) {
            Ok(place) if empty => drop(self.0.remove(place)),
            Ok(place) => self.0[place].1 = value,
            Err(_) if empty => {}
            Err(place) => self.0.insert(place, (attribute, value)),
        }
    }

    /// Sets a text, if there is one.
    pub fn set_text(&mut self, attribute: Attribute, text: Option<&str>) {
        if let Some(text) = text {
            self.set(attribute, Value::Text(text.to_owned()));
        }
    }

    /// Takes an attribute away; tells what it was.
    pub fn remove(&mut self, attribute: &Attribute) -> Option<Value> {
        let place = self.place(attribute).ok()?;
        Some(self.0.remove(place).1)
    }

    /// Where an attribute is, or where it would be put.
    fn place(&self, attribute: &Attribute) -> Result<usize, usize> {
        match self.0.last() {
            // Most come in order.
            Some((last, _)) if last < attribute => Err(self.0.len()),
            _ => self.0.binary_search_by(|(name, _)| name.cmp(attribute)),
        }
    }

    /// Takes away those of which `keep` says no.
    pub fn retain(&mut self, keep: impl Fn(&Attribute) -> bool) {
        self.0.retain(|(attribute, _)| keep(attribute));
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&Attribute, &Value)> {
        self.0.iter().map(|(name, value)| (name, value))
    }

    /// Hash of all of them, the same for equal attributes on every machine and in every version.
    pub fn fingerprint(&self) -> Fingerprint {
        // Hashed in one piece, which is quicker than in small ones.
        let mut all = Vec::with_capacity(1024);
        for (name, value) in &self.0 {
            put(&mut all, 0, name.as_str());
            match value {
                Value::Text(text) => put(&mut all, 1, text),
                Value::Bool(yes) => put(&mut all, 2, if *yes { "1" } else { "0" }),
                Value::List(items) => items.iter().for_each(|item| put(&mut all, 3, item)),
            }
        }
        Fingerprint::of(blake3::Hasher::new().update(&all))
    }
}

fn put(to: &mut Vec<u8>, tag: u8, text: &str) {
    to.push(tag);
    to.extend_from_slice(&(text.len() as u64).to_be_bytes());
    to.extend_from_slice(text.as_bytes());
}

impl IntoIterator for Attributes {
    type Item = (Attribute, Value);
    type IntoIter = std::vec::IntoIter<(Attribute, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl FromIterator<(Attribute, Value)> for Attributes {
    fn from_iter<I: IntoIterator<Item = (Attribute, Value)>>(pairs: I) -> Self {
        let pairs = pairs.into_iter();
        let mut all = Self(Vec::with_capacity(pairs.size_hint().0));
        pairs.for_each(|(attribute, value)| all.set(attribute, value));
        all
    }
}

/// 64 bits of a hash: equal for equal content. Zero stands for "nothing applied yet".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Fingerprint(pub u64);

impl Fingerprint {
    /// Nothing has been applied yet: differs from the fingerprint of any content.
    pub const NONE: Self = Self(0);

    /// The first 64 bits of what was hashed; never zero.
    pub fn of(hasher: &blake3::Hasher) -> Self {
        let hash = hasher.finalize();
        let first = hash.as_bytes().first_chunk().copied().unwrap_or_default();
        Self(u64::from_be_bytes(first).max(1))
    }
}

/// An object as a system tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// What it is.
    pub kind: Kind,
    /// The system's own id of it; never its address.
    pub id: SourceId,
    /// Its attributes by canonical name.
    pub attributes: Attributes,
    /// For a group, how many direct members the system says it has, if it says so. May lag behind.
    pub member_count: Option<u64>,
    /// Why it can't be used as it is, if the system sent something that makes no sense.
    pub defect: Option<String>,
}

impl Object {
    /// How people know it: its address, else its name, else its id.
    pub fn label(&self) -> &str {
        let a = &self.attributes;
        a.text(&Attribute::USER_NAME)
            .or(a.text(&Attribute::DISPLAY_NAME))
            .unwrap_or(self.id.as_str())
    }
}

#[cfg(test)]
mod tests;
