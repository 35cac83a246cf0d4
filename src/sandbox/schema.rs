//! What Google's answers can have, for the `fields` parameter and for the bodies of writes.
//!
//! Names are those of the discovery document `admin:directory_v1`, revision 20261104.

/// The shape of a value.
#[derive(Debug)]
pub enum Shape {
    /// No inner structure.
    Leaf,
    /// Any structure (`any` in the discovery document).
    Any,
    /// An object, or an array of objects, with these names.
    Object(&'static [(&'static str, Shape)]),
}

use Shape::{Any, Leaf, Object};

const USER_FIELDS: &[(&str, Shape)] = &[
    ("addresses", Any),
    ("agreedToTerms", Leaf),
    ("aliases", Leaf),
    ("archivalTime", Leaf),
    ("archived", Leaf),
    ("changePasswordAtNextLogin", Leaf),
    ("creationTime", Leaf),
    ("customSchemas", Any),
    ("customerId", Leaf),
    ("deletionTime", Leaf),
    ("emails", Any),
    ("etag", Leaf),
    ("externalIds", Any),
    ("gender", Any),
    ("guestAccountInfo", Object(&[("primaryGuestEmail", Leaf)])),
    ("hashFunction", Leaf),
    ("id", Leaf),
    ("ims", Any),
    ("includeInGlobalAddressList", Leaf),
    ("ipWhitelisted", Leaf),
    ("isAdmin", Leaf),
    ("isDelegatedAdmin", Leaf),
    ("isEnforcedIn2Sv", Leaf),
    ("isEnrolledIn2Sv", Leaf),
    ("isGuestUser", Leaf),
    ("isMailboxSetup", Leaf),
    ("keywords", Any),
    ("kind", Leaf),
    ("languages", Any),
    ("lastLoginTime", Leaf),
    ("locations", Any),
    (
        "name",
        Object(&[
            ("displayName", Leaf),
            ("familyName", Leaf),
            ("fullName", Leaf),
            ("givenName", Leaf),
        ]),
    ),
    ("nonEditableAliases", Leaf),
    ("notes", Any),
    ("orgUnitPath", Leaf),
    ("organizations", Any),
    ("password", Leaf),
    ("phones", Any),
    ("posixAccounts", Any),
    ("primaryEmail", Leaf),
    ("recoveryEmail", Leaf),
    ("recoveryPhone", Leaf),
    ("relations", Any),
    ("sshPublicKeys", Any),
    ("suspended", Leaf),
    ("suspensionReason", Leaf),
    ("suspensionTime", Leaf),
    ("thumbnailPhotoEtag", Leaf),
    ("thumbnailPhotoUrl", Leaf),
    ("websites", Any),
];

const GROUP_FIELDS: &[(&str, Shape)] = &[
    ("adminCreated", Leaf),
    ("aliases", Leaf),
    ("description", Leaf),
    ("directMembersCount", Leaf),
    ("email", Leaf),
    ("etag", Leaf),
    ("externalIds", Object(&[("id", Leaf), ("namespace", Leaf)])),
    ("id", Leaf),
    ("kind", Leaf),
    ("name", Leaf),
    ("nonEditableAliases", Leaf),
];

const MEMBER_FIELDS: &[(&str, Shape)] = &[
    ("delivery_settings", Leaf),
    ("email", Leaf),
    ("etag", Leaf),
    ("id", Leaf),
    ("kind", Leaf),
    ("role", Leaf),
    ("status", Leaf),
    ("type", Leaf),
];

const DOMAIN_FIELDS: &[(&str, Shape)] = &[
    ("creationTime", Leaf),
    (
        "domainAliases",
        Object(&[
            ("creationTime", Leaf),
            ("domainAliasName", Leaf),
            ("etag", Leaf),
            ("kind", Leaf),
            ("parentDomainName", Leaf),
            ("verified", Leaf),
        ]),
    ),
    ("domainName", Leaf),
    ("etag", Leaf),
    ("isPrimary", Leaf),
    ("kind", Leaf),
    ("verified", Leaf),
];

/// One user.
pub const USER: Shape = Object(USER_FIELDS);
/// A page of users.
pub const USERS: Shape = Object(&[
    ("etag", Leaf),
    ("kind", Leaf),
    ("nextPageToken", Leaf),
    ("trigger_event", Leaf),
    ("users", Object(USER_FIELDS)),
]);
/// One group.
pub const GROUP: Shape = Object(GROUP_FIELDS);
/// A page of groups.
pub const GROUPS: Shape = Object(&[
    ("etag", Leaf),
    ("groups", Object(GROUP_FIELDS)),
    ("kind", Leaf),
    ("nextPageToken", Leaf),
]);
/// One member.
pub const MEMBER: Shape = Object(MEMBER_FIELDS);
/// A page of members.
pub const MEMBERS: Shape = Object(&[
    ("etag", Leaf),
    ("kind", Leaf),
    ("members", Object(MEMBER_FIELDS)),
    ("nextPageToken", Leaf),
]);
/// The answer of hasMember.
pub const HAS_MEMBER: Shape = Object(&[("isMember", Leaf)]);
/// One customer.
pub const CUSTOMER: Shape = Object(&[
    ("alternateEmail", Leaf),
    ("customerCreationTime", Leaf),
    ("customerDomain", Leaf),
    ("etag", Leaf),
    ("id", Leaf),
    ("kind", Leaf),
    ("language", Leaf),
    ("phoneNumber", Leaf),
    (
        "postalAddress",
        Object(&[
            ("addressLine1", Leaf),
            ("addressLine2", Leaf),
            ("addressLine3", Leaf),
            ("contactName", Leaf),
            ("countryCode", Leaf),
            ("locality", Leaf),
            ("organizationName", Leaf),
            ("postalCode", Leaf),
            ("region", Leaf),
        ]),
    ),
]);
/// One domain.
pub const DOMAIN: Shape = Object(DOMAIN_FIELDS);
/// All domains.
pub const DOMAINS: Shape = Object(&[
    ("domains", Object(DOMAIN_FIELDS)),
    ("etag", Leaf),
    ("kind", Leaf),
]);

/// All organizational units.
pub const UNITS: Shape = Object(&[
    (
        "organizationUnits",
        Object(&[
            ("blockInheritance", Leaf),
            ("description", Leaf),
            ("etag", Leaf),
            ("kind", Leaf),
            ("name", Leaf),
            ("orgUnitId", Leaf),
            ("orgUnitPath", Leaf),
            ("parentOrgUnitId", Leaf),
            ("parentOrgUnitPath", Leaf),
        ]),
    ),
    ("etag", Leaf),
    ("kind", Leaf),
]);

impl Shape {
    /// Whether an object of this shape has that name.
    pub fn has(&self, name: &str) -> bool {
        match self {
            Leaf => false,
            Any => true,
            Object(names) => names.iter().any(|(known, _)| *known == name),
        }
    }
}
