//! Resource names (AIP-122): the only place where they are put together and taken apart.

use super::callers;
use crate::model::{
    CompanyId, EntityId, Integration, IntegrationId, Kind, Rule, RuleId, Run, RunId, SystemId,
    Violation,
};

/// What is wrong with a name.
type Parsed<T> = Result<T, Violation>;

pub(super) fn system(id: &str) -> String {
    format!("systems/{id}")
}

pub(super) fn integration(company: &CompanyId, id: &IntegrationId) -> String {
    format!("companies/{company}/integrations/{id}")
}

pub(super) fn of_integration(integration: &Integration) -> String {
    self::integration(&integration.company, &integration.id)
}

pub(super) fn rule(company: &CompanyId, integration: &IntegrationId, id: &RuleId) -> String {
    within(company, integration, ["/rules/", id.as_str()])
}

pub(super) fn of_rule(rule: &Rule) -> String {
    self::rule(&rule.company, &rule.integration, &rule.id)
}

pub(super) fn run(company: &CompanyId, integration: &IntegrationId, id: &RunId) -> String {
    within(company, integration, ["/runs/", id.as_str()])
}

/// The name of what a run recorded; `id` is the sequence of its event, so ids sort by time.
pub(super) fn change(
    company: &CompanyId,
    integration: &IntegrationId,
    run: &RunId,
    id: u64,
) -> String {
    let (run, id) = (run.as_str(), format!("{id:016}"));
    within(company, integration, ["/runs/", run, "/changes/", &id])
}

/// Streams tell thousands of such names a second: put together at once, without a formatter.
fn within<const N: usize>(
    company: &CompanyId,
    integration: &IntegrationId,
    rest: [&str; N],
) -> String {
    let (company, integration) = (company.as_str(), integration.as_str());
    let of = ["companies/", company, "/integrations/", integration];
    [&of[..], &rest[..]].concat().concat()
}

pub(super) fn of_run(run: &Run) -> String {
    self::run(&run.company, &run.integration, &run.id)
}

pub(super) fn entity(company: &CompanyId, kind: Kind, id: &EntityId) -> String {
    format!("companies/{company}/{kind}s/{id}")
}

/// Takes a name apart by its pattern: the literal segments must match, the others are given back.
fn segments<'a, const N: usize>(field: &str, name: &'a str, pattern: &str) -> Parsed<[&'a str; N]> {
    let wrong = || Violation::new(field, format!("must be a name of the form {pattern}"));
    let mut found = Vec::with_capacity(N);
    let mut given = name.split('/');
    for literal in pattern.split('/') {
        let segment = given.next().ok_or_else(wrong)?;
        if literal.starts_with('{') {
            found.push(segment);
        } else if literal != segment {
            return Err(wrong());
        }
    }
    if given.next().is_some() {
        return Err(wrong());
    }
    found.try_into().map_err(|_| wrong())
}

/// An id within a name.
fn id<T, E: std::fmt::Display>(
    field: &str,
    what: &str,
    text: &str,
    make: fn(&str) -> Result<T, E>,
) -> Parsed<T> {
    make(text).map_err(|error| Violation::new(field, format!("the id of the {what} {error}")))
}

/// The company within a name, if the caller may touch it; else the gate answers, and nobody reads what is said here.
fn company(field: &str, name: &str, text: &str) -> Parsed<CompanyId> {
    let company = id(field, "company", text, CompanyId::try_new)?;
    if callers::may_touch(&company, name) {
        return Ok(company);
    }
    Err(Violation::new(field, "is not for this caller"))
}

pub(super) fn parse_system(field: &str, name: &str) -> Parsed<SystemId> {
    let [system] = segments(field, name, "systems/{system}")?;
    id(field, "system", system, SystemId::try_new)
}

pub(super) fn parse_company(field: &str, name: &str) -> Parsed<CompanyId> {
    let [company] = segments(field, name, "companies/{company}")?;
    self::company(field, name, company)
}

pub(super) fn parse_integration(field: &str, name: &str) -> Parsed<(CompanyId, IntegrationId)> {
    let [company, integration] = segments(
        field,
        name,
        "companies/{company}/integrations/{integration}",
    )?;
    let company = self::company(field, name, company)?;
    Ok((
        company,
        id(field, "integration", integration, IntegrationId::try_new)?,
    ))
}

pub(super) fn parse_rule(field: &str, name: &str) -> Parsed<(CompanyId, IntegrationId, RuleId)> {
    let [company, integration, rule] = segments(
        field,
        name,
        "companies/{company}/integrations/{integration}/rules/{rule}",
    )?;
    let company = self::company(field, name, company)?;
    let integration = id(field, "integration", integration, IntegrationId::try_new)?;
    Ok((
        company,
        integration,
        id(field, "rule", rule, RuleId::try_new)?,
    ))
}

pub(super) fn parse_run(field: &str, name: &str) -> Parsed<(CompanyId, IntegrationId, RunId)> {
    let [company, integration, run] = segments(
        field,
        name,
        "companies/{company}/integrations/{integration}/runs/{run}",
    )?;
    let company = self::company(field, name, company)?;
    let integration = id(field, "integration", integration, IntegrationId::try_new)?;
    Ok((company, integration, id(field, "run", run, RunId::try_new)?))
}

/// A collection of integrations or runs; `-` stands for all of them.
pub(super) fn parse_any_integration(
    field: &str,
    name: &str,
) -> Parsed<(CompanyId, Option<IntegrationId>)> {
    let [company, integration] = segments(
        field,
        name,
        "companies/{company}/integrations/{integration}",
    )?;
    let company = self::company(field, name, company)?;
    Ok((
        company,
        wild(field, "integration", integration, IntegrationId::try_new)?,
    ))
}

/// A run whose segments may be `-`: all runs of an integration, or of all integrations.
pub(super) fn parse_any_run(
    field: &str,
    name: &str,
) -> Parsed<(CompanyId, Option<IntegrationId>, Option<RunId>)> {
    let pattern = "companies/{company}/integrations/{integration}/runs/{run}";
    let [company, integration, run] = segments(field, name, pattern)?;
    let company = self::company(field, name, company)?;
    let integration = wild(field, "integration", integration, IntegrationId::try_new)?;
    let run = wild(field, "run", run, RunId::try_new)?;
    if integration.is_none() && run.is_some() {
        return Err(Violation::new(
            field,
            "a run can be named only with its integration: use runs/- instead",
        ));
    }
    Ok((company, integration, run))
}

fn wild<T, E: std::fmt::Display>(
    field: &str,
    what: &str,
    text: &str,
    make: fn(&str) -> Result<T, E>,
) -> Parsed<Option<T>> {
    if text == "-" {
        Ok(None)
    } else {
        id(field, what, text, make).map(Some)
    }
}

pub(super) fn parse_entity(field: &str, name: &str, kind: Kind) -> Parsed<(CompanyId, EntityId)> {
    let pattern = match kind {
        Kind::User => "companies/{company}/users/{user}",
        Kind::Group => "companies/{company}/groups/{group}",
    };
    let [company, entity] = segments(field, name, pattern)?;
    let company = self::company(field, name, company)?;
    Ok((
        company,
        id(field, &kind.to_string(), entity, EntityId::try_new)?,
    ))
}

/// A user or a group.
pub(super) fn parse_user_or_group(field: &str, name: &str) -> Parsed<(CompanyId, Kind, EntityId)> {
    for kind in [Kind::User, Kind::Group] {
        if name.split('/').nth(2) == Some(&format!("{kind}s")) {
            let (company, id) = parse_entity(field, name, kind)?;
            return Ok((company, kind, id));
        }
    }
    let text = "must be a name of the form companies/{company}/users/{user} or companies/{company}/groups/{group}";
    Err(Violation::new(field, text))
}

/// A membership: company, group, and who is its member.
pub(super) fn parse_member(
    field: &str,
    name: &str,
) -> Parsed<(CompanyId, EntityId, Kind, EntityId)> {
    let pattern = "companies/{company}/groups/{group}/members/{member}";
    let [company, group, member] = segments(field, name, pattern)?;
    let company = self::company(field, name, company)?;
    let group = id(field, "group", group, EntityId::try_new)?;
    for kind in [Kind::User, Kind::Group] {
        if let Some(member) = member.strip_prefix(&format!("{kind}s-")) {
            let member = id(field, "member", member, EntityId::try_new)?;
            return Ok((company, group, kind, member));
        }
    }
    let text = "must end with users- or groups- and the id of the user or group";
    Err(Violation::new(field, text))
}

/// A rule named in a request about an integration: its whole name, or its id alone.
pub(super) fn parse_rule_of(
    field: &str,
    text: &str,
    company: &CompanyId,
    of: &IntegrationId,
) -> Parsed<RuleId> {
    if !text.contains('/') {
        return id(field, "rule", text, RuleId::try_new);
    }
    let (c, i, rule) = parse_rule(field, text)?;
    if c != *company || i != *of {
        return Err(Violation::new(
            field,
            format!("must be a rule of {}", integration(company, of)),
        ));
    }
    Ok(rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_as_they_went() {
        let (company, integration) = (
            CompanyId::try_new("acme").unwrap(),
            IntegrationId::try_new("google").unwrap(),
        );
        let name = super::integration(&company, &integration);
        assert_eq!(parse_integration("name", &name), Ok((company, integration)));
    }

    #[test]
    fn a_wrong_name_is_told_with_its_form() {
        for wrong in [
            "",
            "acme",
            "companies/acme",
            "companies/acme/integrations/a/b",
            "companies/ACME/integrations/a",
        ] {
            assert!(parse_integration("name", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_run_without_its_integration_is_refused() {
        assert!(parse_any_run("parent", "companies/a/integrations/-/runs/r").is_err());
        assert!(parse_any_run("parent", "companies/a/integrations/-/runs/-").is_ok());
    }
}
