use super::*;
use crate::{
    model::{
        Action, Attribute, Attributes, CompanyId, IntegrationId, Kind, Operator, Rule, RuleEvent,
        RunMode, SourceId, Time,
    },
    rules::Decision,
};

/// An object without a title, of which nothing is known about groups.
fn object() -> Object {
    let mut attributes = Attributes::default();
    attributes.set(Attribute::DEPARTMENT, Value::Text("sales".to_owned()));
    Object {
        kind: Kind::User,
        id: SourceId::try_new("1").unwrap(),
        attributes,
        member_count: None,
        defect: None,
    }
}

/// Rules, one a letter: y = met, n = not met, u = can't be told; capital = switched off.
fn rules(letters: &str) -> RuleSet {
    let rule = |(position, letter): (u32, char)| {
        let (attribute, operator, value) = match letter.to_ascii_lowercase() {
            'y' => (Attribute::DEPARTMENT, Operator::Equal, "sales"),
            'n' => (Attribute::DEPARTMENT, Operator::Equal, "other"),
            _ => (Attribute::GROUPS, Operator::MemberOf, "unread"),
        };
        let condition = Condition {
            attribute,
            operator,
            values: vec![value.to_owned()],
        };
        Rule {
            company: CompanyId::try_new("acme").unwrap(),
            integration: IntegrationId::try_new("main").unwrap(),
            id: RuleId::try_new(&format!("r{position}")).unwrap(),
            title: String::new(),
            position,
            event: RuleEvent::Lookup,
            source_kind: Kind::User,
            conditions: vec![condition],
            action: Action::Add,
            target_kind: Kind::User,
            defaults: Attributes::default(),
            mappings: Vec::new(),
            run_mode: RunMode::Automatic,
            active: letter.is_lowercase(),
            create_time: Time::UNIX_EPOCH,
            update_time: Time::UNIX_EPOCH,
        }
    };
    RuleSet::compile((0..).zip(letters.chars()).map(rule).collect(), &[]).unwrap()
}

fn parts(letters: &str) -> Vec<Part> {
    let told = rules(letters).explain(&object(), &Knowledge::default());
    told.into_iter().map(|verdict| verdict.part).collect()
}

#[test]
fn a_rule_after_one_of_which_it_can_t_be_told_may_decide_or_not() {
    use Part::{Decides, Inactive, Later, NotMet, Unknown};
    for (letters, expected) in [
        ("nyyn", vec![NotMet, Decides, Later, NotMet]),
        ("uyn", vec![Unknown, Unknown, NotMet]),
        ("nuyuY", vec![NotMet, Unknown, Unknown, Unknown, Inactive]),
        // Whether or not it is met, another decides.
        ("yu", vec![Decides, Later]),
        ("Uy", vec![Inactive, Decides]),
        ("YyN", vec![Inactive, Decides, NotMet]),
        ("YU", vec![Inactive, Inactive]),
    ] {
        assert_eq!(parts(letters), expected, "{letters}");
    }
}

#[test]
fn what_is_explained_is_what_is_decided() {
    let letters = ['y', 'n', 'u', 'Y', 'N', 'U'];
    for code in 0..6usize.pow(4) {
        let of = |place: u32| letters[code / 6usize.pow(place) % 6];
        let text: String = (0..4).map(of).collect();
        let (rules, object) = (rules(&text), object());
        let parts = parts(&text);
        let decides = parts.iter().position(|part| *part == Part::Decides);
        match rules.decide(&object, &Knowledge::default()) {
            Decision::By(rule) => {
                let place = usize::try_from(rule.position).unwrap();
                assert_eq!(decides, Some(place), "{text}");
                assert!(!parts.contains(&Part::Unknown), "{text}");
            }
            Decision::Unknown(_) => {
                assert!(
                    decides.is_none() && parts.contains(&Part::Unknown),
                    "{text}"
                );
            }
            Decision::LeftAlone { .. } => {
                assert!(parts.contains(&Part::Inactive), "{text}");
                assert!(!parts.contains(&Part::Unknown), "{text}");
            }
            Decision::OutOfScope => {
                assert!(parts.iter().all(|part| *part == Part::NotMet), "{text}");
            }
        }
    }
}
