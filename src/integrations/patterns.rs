//! Whether the regular expressions of an integration's rules are small enough together.

use super::{Error, Integrations};
use crate::{
    model::{Operator, Rule},
    rules,
};

impl Integrations {
    /// Fails if they would not be with this rule, in the place of the one of its id if there is one.
    pub(super) async fn fits(&self, rule: &Rule) -> Result<(), Error> {
        let mut conditions = rule.conditions.iter();
        if !conditions.any(|condition| condition.operator == Operator::Matches) {
            return Ok(());
        }
        let mut all = self.0.store.rules(&rule.company, &rule.integration).await?;
        all.retain(|other| other.id != rule.id);
        all.push(rule.clone());
        let conditions = all.iter().flat_map(|rule| &rule.conditions);
        rules::check_together(conditions).map_err(|wrong| Error::Precondition {
            code: "LIMIT",
            text: wrong.to_string(),
        })
    }
}
