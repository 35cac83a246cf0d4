//! Rules of an integration.

use super::{
    Created, Error, Store, integrations,
    keys::Key,
    large, requests,
    rows::RuleRow,
    tables::{Read, Table},
    txn::Txn,
};
use crate::model::{
    CompanyId, EventBody, IntegrationId, MAX_POSITION, RequestKey, Rule, RuleId, Time,
};

/// Most rules of an integration.
const MOST: usize = 100;

pub(super) fn prefix(company: &CompanyId, integration: &IntegrationId) -> Key {
    Key::company(company).id(integration.as_str())
}

fn key(company: &CompanyId, integration: &IntegrationId, id: &RuleId) -> Vec<u8> {
    prefix(company, integration).id(id.as_str()).done()
}

fn name(company: &CompanyId, integration: &IntegrationId, id: &RuleId) -> String {
    format!("{}/rules/{id}", integrations::name(company, integration))
}

fn get(read: &impl Read, company: &CompanyId, key: &[u8]) -> Result<Option<Rule>, Error> {
    let row: Option<RuleRow> = large::get(read, Table::Rules, key)?;
    row.map(|row| row.model(company.clone())).transpose()
}

/// All rules of an integration by position.
fn all(
    read: &impl Read,
    company: &CompanyId,
    integration: &IntegrationId,
) -> Result<Vec<Rule>, Error> {
    let mut rules = Vec::new();
    for row in read.prefix(Table::Rules, &prefix(company, integration).done()) {
        let (key, raw) = row?;
        if let Some(row) = large::decode::<RuleRow>(read, Table::Rules, &key, &raw)? {
            rules.push(row.model(company.clone())?);
        }
    }
    rules.sort_by_key(|rule| rule.position);
    Ok(rules)
}

fn create(
    txn: &mut Txn<'_>,
    mut rule: Rule,
    request: Option<&RequestKey>,
) -> Result<Created<Rule>, Error> {
    let company = rule.company.clone();
    if let Some(made) = requests::made_before(txn, &company, request)? {
        let value = get(txn, &company, &made)?
            .ok_or_else(|| Error::Missing("the rule that the same request made".to_owned()))?;
        return Ok(Created {
            value,
            replayed: true,
        });
    }
    let integration = integrations::standing(txn, &company, &rule.integration)?;
    let key = key(&company, &rule.integration, &rule.id);
    if txn.raw(Table::Rules, &key)?.is_some() {
        return Err(Error::taken(
            "id",
            name(&company, &rule.integration, &rule.id),
        ));
    }
    let others = all(txn, &company, &rule.integration)?;
    if others.len() >= MOST {
        return Err(Error::Refused(format!(
            "an integration has at most {MOST} rules: delete one first"
        )));
    }
    rule.position = place(&others, &rule)?;
    txn.put(Table::Rules, key.clone(), &RuleRow::row(&rule))?;
    requests::remember(txn, &company, request, &key)?;
    txn.publish(&company, &EventBody::IntegrationChanged(integration))?;
    Ok(Created {
        value: rule,
        replayed: false,
    })
}

/// The position for a rule among the others: the one asked for, if it is free; 0 stands for after the last, and where there
/// is none the rule is refused: before the last it could decide what is the last's to decide.
fn place(others: &[Rule], rule: &Rule) -> Result<u32, Error> {
    if rule.position == 0 {
        return match others.last() {
            None => Ok(1),
            Some(last) if last.position < MAX_POSITION => Ok(last.position + 1),
            Some(last) => Err(Error::Refused(format!(
                "there is no position after the last rule: {} has {MAX_POSITION}, which is the last; move it to another \
                 first, or give one that is free",
                name(&rule.company, &rule.integration, &last.id)
            ))),
        };
    }
    match others.iter().find(|other| other.position == rule.position) {
        Some(other) => Err(Error::taken(
            "position",
            name(&rule.company, &rule.integration, &other.id),
        )),
        None => Ok(rule.position),
    }
}

fn update(txn: &mut Txn<'_>, mut rule: Rule, seen: Time) -> Result<Rule, Error> {
    let company = rule.company.clone();
    let integration = integrations::standing(txn, &company, &rule.integration)?;
    let key = key(&company, &rule.integration, &rule.id);
    let name = name(&company, &rule.integration, &rule.id);
    let old = get(txn, &company, &key)?.ok_or_else(|| Error::Missing(name.clone()))?;
    if old.update_time != seen {
        return Err(Error::Changed(name));
    }
    let fixed = |rule: &Rule| (rule.event, rule.source_kind, rule.action, rule.target_kind);
    if fixed(&rule) != fixed(&old) {
        return Err(Error::Refused(
            "event, kinds and action of a rule never change".to_owned(),
        ));
    }
    let mut others = all(txn, &company, &rule.integration)?;
    others.retain(|other| other.id != rule.id);
    rule.position = place(&others, &rule)?;
    rule.create_time = old.create_time;
    let unchanged = Rule {
        update_time: old.update_time,
        ..rule.clone()
    };
    if unchanged == old {
        return Ok(old);
    }
    txn.put(Table::Rules, key, &RuleRow::row(&rule))?;
    txn.publish(&company, &EventBody::IntegrationChanged(integration))?;
    Ok(rule)
}

fn delete(
    txn: &mut Txn<'_>,
    company: &CompanyId,
    integration: &IntegrationId,
    id: &RuleId,
    unless_changed: Option<Time>,
) -> Result<(), Error> {
    let key = key(company, integration, id);
    let name = name(company, integration, id);
    let rule = get(txn, company, &key)?.ok_or_else(|| Error::Missing(name.clone()))?;
    if unless_changed.is_some_and(|seen| seen != rule.update_time) {
        return Err(Error::Changed(name));
    }
    txn.delete(Table::Rules, key)?;
    let integration = integrations::standing(txn, company, integration)?;
    txn.publish(company, &EventBody::IntegrationChanged(integration))
}

impl Store {
    /// Makes a rule. Position 0 in the argument = after the last. Event `IntegrationChanged`.
    ///
    /// # Errors
    /// `Taken` (`id`, `position`, `request_id`), `Missing` (integration), `Refused` (there are 100 already, one has the last
    /// position and this is to come after it, or it is larger than 96 KiB).
    pub async fn create_rule(
        &self,
        rule: Rule,
        request: Option<RequestKey>,
    ) -> Result<Created<Rule>, Error> {
        self.write(move |txn| create(txn, rule, request.as_ref()))
            .await
    }

    /// Puts a changed rule in the place of the one that `seen`, its `update_time`, tells of. Position 0 = after the last;
    /// `create_time` stays. If nothing else than `update_time` differs nothing is written; else event `IntegrationChanged`.
    ///
    /// # Errors
    /// `Missing`; `Changed` if the rule has another `update_time`; `Taken` (`position`); `Refused` if what never changes
    /// differs, another has the last position and this is to come after it, or it is larger than 96 KiB.
    pub async fn update_rule(&self, rule: Rule, seen: Time) -> Result<Rule, Error> {
        self.write(move |txn| update(txn, rule, seen)).await
    }

    /// A rule.
    pub async fn rule(
        &self,
        company: &CompanyId,
        integration: &IntegrationId,
        id: &RuleId,
    ) -> Result<Option<Rule>, Error> {
        let key = key(company, integration, id);
        let company = company.clone();
        self.read(move |durable| get(durable, &company, &key)).await
    }

    /// All rules of an integration by position; none if there is no such integration.
    pub async fn rules(
        &self,
        company: &CompanyId,
        integration: &IntegrationId,
    ) -> Result<Vec<Rule>, Error> {
        let (company, integration) = (company.clone(), integration.clone());
        self.read(move |durable| all(durable, &company, &integration))
            .await
    }

    /// Deletes a rule. `unless_changed`: the `update_time` that the caller saw, if he gave an etag. Event `IntegrationChanged`.
    ///
    /// # Errors
    /// `Missing`; `Changed` if the rule has another `update_time`.
    pub async fn delete_rule(
        &self,
        company: &CompanyId,
        integration: &IntegrationId,
        id: &RuleId,
        unless_changed: Option<Time>,
    ) -> Result<(), Error> {
        let (company, integration, id) = (company.clone(), integration.clone(), id.clone());
        self.write(move |txn| delete(txn, &company, &integration, &id, unless_changed))
            .await
    }
}
