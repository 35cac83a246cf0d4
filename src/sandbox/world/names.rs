//! What invented people, groups and units are called.

/// Given names: as written, and in an address.
pub const GIVEN: &[(&str, &str)] = &[
    ("Alice", "alice"),
    ("Björn", "bjorn"),
    ("Chloé", "chloe"),
    ("Dmitri", "dmitri"),
    ("Élodie", "elodie"),
    ("Farid", "farid"),
    ("Gülşen", "gulsen"),
    ("Hiroshi", "hiroshi"),
    ("Ingrid", "ingrid"),
    ("José", "jose"),
    ("Katarzyna", "katarzyna"),
    ("Liam", "liam"),
    ("María José", "mariajose"),
    ("Noah", "noah"),
    ("Øyvind", "oyvind"),
    ("Priya", "priya"),
    ("Quentin", "quentin"),
    ("Renée", "renee"),
    ("Siobhán", "siobhan"),
    ("Tomáš", "tomas"),
    ("Uma", "uma"),
    ("Veronika", "veronika"),
    ("Wei", "wei"),
    ("Xavier", "xavier"),
    ("Yūki", "yuki"),
    ("Zoë", "zoe"),
    ("Ольга", "olga"),
    ("Γιώργος", "giorgos"),
    ("美咲", "misaki"),
    ("محمد", "mohammed"),
    ("שירה", "shira"),
    ("지훈", "jihoon"),
    ("Anne-Marie", "annemarie"),
    ("D'Angelo", "dangelo"),
    ("Łukasz", "lukasz"),
    ("Nguyệt", "nguyet"),
];

/// Family names: as written, and in an address.
pub const FAMILY: &[(&str, &str)] = &[
    ("Smith", "smith"),
    ("Müller", "mueller"),
    ("García", "garcia"),
    ("Nguyễn", "nguyen"),
    ("O'Brien", "obrien"),
    ("Kowalski", "kowalski"),
    ("van den Berg", "vandenberg"),
    ("Ibrahimović", "ibrahimovic"),
    ("Иванова", "ivanova"),
    ("Παπαδόπουλος", "papadopoulos"),
    ("田中", "tanaka"),
    ("김", "kim"),
    ("Åkesson", "akesson"),
    ("Sørensen", "sorensen"),
    ("Dvořák", "dvorak"),
    ("Çelik", "celik"),
    ("Jones-Evans", "jonesevans"),
    ("MacDonald", "macdonald"),
    ("Rossi", "rossi"),
    ("Silva", "silva"),
    ("Patel", "patel"),
    ("Okafor", "okafor"),
    ("Hernández López", "hernandezlopez"),
    ("Weiß", "weiss"),
    ("Ólafsdóttir", "olafsdottir"),
    ("Łapiński", "lapinski"),
    ("El-Sayed", "elsayed"),
    ("Brown", "brown"),
    ("Lefèvre", "lefevre"),
    ("Novák", "novak"),
    ("Haddad", "haddad"),
    ("Cohen", "cohen"),
];

/// Departments with the titles in them; a department is also an organizational unit.
pub const DEPARTMENTS: &[(&str, &[&str])] = &[
    ("Engineering", &["Engineer", "Senior Engineer", "Architect"]),
    ("Sales", &["Account Executive", "Sales Manager"]),
    ("Marketing", &["Designer", "Copywriter"]),
    ("Finance", &["Accountant", "Controller"]),
    ("Human Resources", &["Recruiter", "HR Partner"]),
    ("Support", &["Support Agent", "Support Lead"]),
    ("Legal", &["Counsel"]),
    ("Operations", &["Operator", "Planner"]),
];

/// First words of group names.
pub const GROUP_TOPICS: &[&str] = &[
    "Engineering",
    "Sales",
    "Marketing",
    "Finance",
    "People",
    "Support",
    "Legal",
    "Operations",
    "Berlin",
    "Lisboa",
    "Kraków",
    "東京",
    "Security",
    "Release",
    "Design",
    "Research",
];

/// Second words of group names.
pub const GROUP_SORTS: &[&str] = &[
    "Team",
    "Leads",
    "Announcements",
    "Project",
    "On-call",
    "Friends",
    "Office",
    "Reviewers",
];

/// Organizational units that exist besides one per department.
pub const UNITS: &[&str] = &["/", "/Staff", "/Contractors", "/Contractors/Temporary"];
