//! Making, changing, listing and removing rules.

use super::{Checked, Error, Integrations, mappings, name, targets, time_of_change};
use crate::{
    connector::catalogue::{self, Choices, KindInfo},
    model::{
        Action, Attribute, Attributes, CompanyId, Condition, Integration, IntegrationId, Kind,
        MAX_POSITION, Operator, RequestKey, Rule, RuleEvent, RuleId, RunMode, Time, Value,
        Violation,
    },
    rules,
    store::Created,
};

const MAX_CONDITIONS: usize = 20;
const MAX_DEFAULTS: usize = 20;
const MAX_VALUES: usize = 100;
const MAX_TEXT: usize = 256;

/// A condition as asked for.
#[derive(Debug, Clone, Default)]
pub struct NewCondition {
    /// Name of an attribute of the source object.
    pub attribute: String,
    /// How to compare.
    pub operator: Option<Operator>,
    /// What to compare with.
    pub values: Vec<String>,
}

/// A rule as asked for. What the edge could not read is none, with the reason in `bad`.
#[derive(Debug, Clone, Default)]
pub struct NewRule {
    /// Its id; the daemon chooses one if there is none.
    pub id: Option<RuleId>,
    /// What people call it.
    pub title: String,
    /// Its position; 0 = after the last.
    pub position: u32,
    /// What makes it act.
    pub event: Option<RuleEvent>,
    /// Kind of the source object.
    pub source_kind: Option<Kind>,
    /// All must be met.
    pub conditions: Vec<NewCondition>,
    /// What it does.
    pub action: Option<Action>,
    /// Kind of the target object.
    pub target_kind: Option<Kind>,
    /// Default values by name of the target's attribute.
    pub defaults: Vec<(String, Value)>,
    /// Expressions by name of the target's attribute.
    pub mappings: Vec<(String, String)>,
    /// When it runs.
    pub run_mode: RunMode,
    /// Whether it takes part.
    pub active: bool,
    /// What the edge found wrong already.
    pub bad: Vec<Violation>,
}

impl NewRule {
    pub(super) fn check(self, integration: &Integration, now: Time) -> Result<Rule, Error> {
        let mut checked = Checked(self.bad);
        let title = checked.title("rule.title", &self.title);
        if self.position > MAX_POSITION {
            checked.refuse(
                "rule.position",
                format!("must be 1 to {MAX_POSITION}, or left out to come after the last"),
            );
        }
        let event = checked.require(
            "rule.event",
            self.event,
            "must be given: EVENT_LOOKUP is the only one at present",
        );
        let source = checked.require(
            "rule.source_kind",
            self.source_kind,
            "must be given: see GetSystem for the kinds there are",
        );
        let action = checked.require(
            "rule.action",
            self.action,
            "must be given: ACTION_ADD is the only one at present",
        );
        let target = checked.require(
            "rule.target_kind",
            self.target_kind,
            "must be given: the kind of source_kind",
        );
        if let (Some(source), Some(target)) = (source, target) {
            check_pair(&mut checked, integration, source, target);
        }
        if action == Some(Action::Modify) {
            checked.refuse("rule.action", "a rule with EVENT_LOOKUP can only have ACTION_ADD at present, which also keeps objects up to date");
        }
        let conditions = check_conditions(&mut checked, integration, source, self.conditions);
        let defaults = check_defaults(&mut checked, target, self.defaults);
        let system = source.and_then(|source| kind_of(integration, source));
        let mappings = mappings::check(&mut checked, system, target, self.mappings);
        let given = event.zip(source).zip(action.zip(target));
        let made = given.map(|((event, source_kind), (action, target_kind))| Rule {
            company: integration.company.clone(),
            integration: integration.id.clone(),
            id: self.id.unwrap_or_else(RuleId::generate),
            title,
            position: self.position,
            event,
            source_kind,
            conditions,
            action,
            target_kind,
            defaults,
            mappings,
            run_mode: self.run_mode,
            active: self.active,
            create_time: now,
            update_time: now,
        });
        checked.finish(made)
    }
}

fn check_pair(checked: &mut Checked, integration: &Integration, source: Kind, target: Kind) {
    if kind_of(integration, source).is_none() {
        checked.refuse(
            "rule.source_kind",
            format!("the system has no objects of kind {source}: see GetSystem"),
        );
    }
    if source != target {
        checked.refuse(
            "rule.target_kind",
            format!("a {source} can only become a {source} at present"),
        );
    }
}

fn check_conditions(
    checked: &mut Checked,
    integration: &Integration,
    source: Option<Kind>,
    conditions: Vec<NewCondition>,
) -> Vec<Condition> {
    if conditions.len() > MAX_CONDITIONS {
        checked.refuse(
            "rule.conditions",
            format!("must be at most {MAX_CONDITIONS}"),
        );
        return Vec::new();
    }
    let each = conditions.into_iter().enumerate();
    each.filter_map(|(at, new)| {
        let field = format!("rule.conditions[{at}]");
        let name = format!("{field}.operator");
        let operator = checked.require(
            &name,
            new.operator,
            "must be given: see GetSystem for the operators that the attribute takes",
        );
        let attribute = Attribute::new(&new.attribute);
        check_values(checked, &field, operator, &new.values);
        if let Some(source) = source {
            check_attribute(
                checked,
                &field,
                integration,
                source,
                &attribute,
                operator,
                &new.values,
            );
        }
        Some(Condition {
            attribute,
            operator: operator?,
            values: new.values,
        })
    })
    .collect()
}

fn check_values(checked: &mut Checked, field: &str, operator: Option<Operator>, values: &[String]) {
    let field = format!("{field}.values");
    if values.is_empty() || values.len() > MAX_VALUES {
        checked.refuse(&field, format!("must be 1 to {MAX_VALUES} values"));
    } else if values
        .iter()
        .any(|value| value.trim().is_empty() || value.chars().count() > MAX_TEXT)
    {
        checked.refuse(
            &field,
            format!("each must have 1 to {MAX_TEXT} characters, not all of them blanks"),
        );
    } else if operator == Some(Operator::Matches)
        && let Err(wrong) = rules::check_patterns(values)
    {
        checked.refuse(&field, wrong.to_string());
    }
}

fn check_attribute(
    checked: &mut Checked,
    field: &str,
    integration: &Integration,
    source: Kind,
    attribute: &Attribute,
    operator: Option<Operator>,
    values: &[String],
) {
    let Some(known) = kind_of(integration, source) else {
        return;
    };
    let Some(condition) = known.condition(attribute) else {
        let names: Vec<_> = known
            .conditions
            .iter()
            .map(|known| known.attribute.as_str())
            .collect();
        checked.refuse(
            &format!("{field}.attribute"),
            format!("must be one of: {}", names.join(", ")),
        );
        return;
    };
    if operator.is_some_and(|operator| !condition.operators.contains(&operator)) {
        checked.refuse(
            &format!("{field}.operator"),
            format!("{attribute} can't be compared so: see GetSystem for the operators it takes"),
        );
    }
    if condition.choices.are_ids() && values.iter().any(|value| !is_source_id(value)) {
        checked.refuse(
            &format!("{field}.values"),
            format!("{attribute} is compared with ids, which stay when things are renamed: see ListChoices"),
        );
    }
    if condition.choices == Choices::YesNo && values.iter().any(|value| !is_yes_no(value)) {
        checked.refuse(
            &format!("{field}.values"),
            format!("{attribute} is 'true' or 'false'"),
        );
    }
}

/// What the integration's system says of a kind of its objects.
fn kind_of(integration: &Integration, kind: Kind) -> Option<&'static KindInfo> {
    catalogue::find(&integration.system)?.kind(kind)
}

/// Neither an address nor a path, nor anything that is no id at all.
fn is_source_id(value: &str) -> bool {
    value.len() <= 255
        && !value.contains(|c: char| matches!(c, '@' | '/') || c.is_whitespace() || c.is_control())
}

fn is_yes_no(value: &str) -> bool {
    value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false")
}

fn check_defaults(
    checked: &mut Checked,
    target: Option<Kind>,
    defaults: Vec<(String, Value)>,
) -> Attributes {
    if defaults.len() > MAX_DEFAULTS {
        checked.refuse("rule.defaults", format!("must be at most {MAX_DEFAULTS}"));
        return Attributes::default();
    }
    let Some(target) = target else {
        return Attributes::default();
    };
    let each = defaults.into_iter().map(|(name, value)| {
        let (field, attribute) = (format!("rule.defaults[{name}]"), Attribute::new(&name));
        if let Some(wrong) = wrong_default(target, &attribute, &value) {
            checked.refuse(&field, wrong);
        }
        (attribute, value)
    });
    each.collect()
}

fn wrong_default(target: Kind, attribute: &Attribute, value: &Value) -> Option<String> {
    let Some(shape) = targets::shape(target, attribute) else {
        let names = targets::names(target);
        return Some(format!(
            "a {target} has no attribute of this name that can be given a default; those are: {names}"
        ));
    };
    if !shape.fits(value) {
        return Some(format!("must be {}", shape.words()));
    }
    (!is_sound(value))
        .then(|| format!("each text must have 1 to {MAX_TEXT} characters; a list at most 50 texts"))
}

fn is_sound(value: &Value) -> bool {
    let fits = |text: &String| !text.trim().is_empty() && text.chars().count() <= MAX_TEXT;
    match value {
        Value::Text(text) => fits(text),
        Value::List(texts) => (1..=50).contains(&texts.len()) && texts.iter().all(fits),
        Value::Bool(_) => true,
    }
}

impl Integrations {
    /// Makes a rule. Fails naming every field that is wrong, or with `Taken`. With `check_only` nothing is kept.
    pub async fn create_rule(
        &self,
        company: &CompanyId,
        integration: &IntegrationId,
        new: NewRule,
        request: Option<RequestKey>,
        check_only: bool,
    ) -> Result<Created<Rule>, Error> {
        let integration = self.get(company, integration).await?;
        let rule = new.check(&integration, self.0.clock.now())?;
        if let Err(refused) = self.fits(&rule).await {
            // It may have been made by the same request before.
            let made = self.0.store.rehearsal().create_rule(rule, request).await?;
            return made.replayed.then_some(made).ok_or(refused);
        }
        Ok(self.store(check_only).create_rule(rule, request).await?)
    }

    /// Makes of the rule that the caller saw what it is to be; its event, kinds and action stay. Fails naming every field
    /// that is wrong, with `Taken`, or with `Changed` if it is no longer the one seen. With `check_only` nothing is kept.
    pub async fn update_rule(
        &self,
        seen: &Rule,
        wanted: NewRule,
        check_only: bool,
    ) -> Result<Rule, Error> {
        let integration = self.get(&seen.company, &seen.integration).await?;
        let now = time_of_change(self.0.clock.now(), seen.update_time);
        let rule = Rule {
            id: seen.id.clone(),
            ..wanted.check(&integration, now)?
        };
        if rule.conditions != seen.conditions {
            self.fits(&rule).await?;
        }
        let store = self.store(check_only);
        Ok(store.update_rule(rule, seen.update_time).await?)
    }

    /// The rule, or that there is none.
    pub async fn rule(
        &self,
        company: &CompanyId,
        integration: &IntegrationId,
        id: &RuleId,
    ) -> Result<Rule, Error> {
        let found = self.0.store.rule(company, integration, id).await?;
        found.ok_or_else(|| Error::NotFound(format!("{}/rules/{id}", name(company, integration))))
    }

    /// All rules of an integration, by position; at most 100.
    pub async fn rules(
        &self,
        company: &CompanyId,
        integration: &IntegrationId,
    ) -> Result<Vec<Rule>, Error> {
        self.get(company, integration).await?;
        Ok(self.0.store.rules(company, integration).await?)
    }

    /// Removes a rule. What it provisioned stays. `seen` is the `update_time` that the caller saw, if he wants the call to
    /// fail with `Changed` otherwise.
    pub async fn delete_rule(
        &self,
        company: &CompanyId,
        integration: &IntegrationId,
        id: &RuleId,
        seen: Option<Time>,
    ) -> Result<(), Error> {
        let store = &self.0.store;
        Ok(store.delete_rule(company, integration, id, seen).await?)
    }
}

#[cfg(test)]
pub(super) mod tests;
