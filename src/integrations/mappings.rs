//! Whether the mappings of a rule make sense.

use super::{Checked, targets};
use crate::{
    connector::catalogue::KindInfo,
    model::{Attribute, Kind, Mapping},
    rules::Expression,
};

/// How many a rule may have: more than there are attributes.
const MAX_MAPPINGS: usize = 20;

/// The mappings as they are kept; every field that is wrong is named. Not checked against a kind that is unknown.
pub(super) fn check(
    checked: &mut Checked,
    source: Option<&KindInfo>,
    target: Option<Kind>,
    given: Vec<(String, String)>,
) -> Vec<Mapping> {
    if given.len() > MAX_MAPPINGS {
        checked.refuse("rule.mappings", format!("must be at most {MAX_MAPPINGS}"));
        return Vec::new();
    }
    let mut mappings: Vec<Mapping> = Vec::new();
    for (at, (name, expression)) in given.into_iter().enumerate() {
        let field = format!("rule.mappings[{at}]");
        let attribute = Attribute::new(&name);
        if let Some(target) = target
            && targets::shape(target, &attribute).is_none()
        {
            let names = targets::names(target);
            checked.refuse(
                &format!("{field}.attribute"),
                format!("must be one of: {names}"),
            );
        }
        if mappings.iter().any(|other| other.attribute == attribute) {
            checked.refuse(&format!("{field}.attribute"), "is mapped twice".to_owned());
        }
        if let Some(wrong) = wrong(source, &expression) {
            checked.refuse(&format!("{field}.expression"), wrong);
        }
        mappings.push(Mapping {
            attribute,
            expression,
        });
    }
    mappings
}

fn wrong(source: Option<&KindInfo>, expression: &str) -> Option<String> {
    let compiled = match Expression::compile(expression) {
        Ok(compiled) => compiled,
        Err(wrong) => return Some(wrong.to_string()),
    };
    let conditions = source?.conditions.iter();
    let names: Vec<&str> = conditions
        .map(|info| info.attribute.as_str())
        .filter(|name| *name != Attribute::GROUPS.as_str())
        .collect();
    let unknown = compiled
        .variables()
        .into_iter()
        .find(|variable| !names.contains(&variable.as_str()))?;
    Some(format!(
        "'{unknown}' is no attribute of the source object; those are: {}",
        names.join(", ")
    ))
}
