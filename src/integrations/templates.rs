//! Ready-made rules.

use super::{Error, Integrations};
use crate::{
    model::{CompanyId, IntegrationId, RequestKey, Rule, RuleId, RunMode, Time, Violation},
    rules::{self, Template},
    store::Created,
};

/// A template, and whether the integration has its rule.
#[derive(Debug, Clone)]
pub struct OfferedTemplate {
    /// The template.
    pub template: &'static Template,
    /// The rule it makes, with an id and times that mean nothing.
    pub rule: Rule,
    /// A rule of the integration that does what this one would.
    pub existing: Option<RuleId>,
}

/// How to apply a template.
#[derive(Debug, Clone, Default)]
pub struct ApplyTemplate {
    /// Which.
    pub template: String,
    /// Id of the rule; the daemon chooses one if there is none.
    pub id: Option<RuleId>,
    /// Whether the rule takes part; none = yes.
    pub active: Option<bool>,
    /// When it runs.
    pub run_mode: RunMode,
    /// What the edge found wrong already.
    pub bad: Vec<Violation>,
}

impl ApplyTemplate {
    /// Everything that is wrong with it, whichever integration it is for.
    pub fn violations(self) -> Vec<Violation> {
        self.check().err().unwrap_or_default()
    }

    fn check(&self) -> Result<&'static Template, Vec<Violation>> {
        let mut checked = super::Checked(self.bad.clone());
        let template = checked.require("template", rules::template(&self.template), &ids());
        match template {
            Some(template) if checked.0.is_empty() => Ok(template),
            _ => Err(checked.0),
        }
    }
}

impl Integrations {
    /// All templates, in the order in which they are best applied.
    pub async fn templates(
        &self,
        company: &CompanyId,
        integration: &IntegrationId,
    ) -> Result<Vec<OfferedTemplate>, Error> {
        let existing = self.rules(company, integration).await?;
        let offered = rules::templates().iter().map(|template| OfferedTemplate {
            template,
            rule: template.rule(
                company.clone(),
                integration.clone(),
                RuleId::generate(),
                Time::UNIX_EPOCH,
            ),
            existing: template.existing(&existing).map(|rule| rule.id.clone()),
        });
        Ok(offered.collect())
    }

    /// Makes the rule of a template, after the last one; also if there is one that does the same.
    pub async fn apply_template(
        &self,
        company: &CompanyId,
        integration: &IntegrationId,
        apply: ApplyTemplate,
        request: Option<RequestKey>,
    ) -> Result<Created<Rule>, Error> {
        let integration = self.get(company, integration).await?;
        let template = apply.check().map_err(Error::Invalid)?;
        let id = apply.id.unwrap_or_else(RuleId::generate);
        let now = self.0.clock.now();
        let rule = Rule {
            active: apply.active.unwrap_or(true),
            run_mode: apply.run_mode,
            ..template.rule(integration.company, integration.id, id, now)
        };
        Ok(self.0.store.create_rule(rule, request).await?)
    }
}

fn ids() -> String {
    let ids: Vec<_> = rules::templates()
        .iter()
        .map(|template| template.id)
        .collect();
    format!("must be one of: {}", ids.join(", "))
}
