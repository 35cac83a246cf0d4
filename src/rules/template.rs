//! Ready-made rules.

use crate::model::{
    Action, Attributes, CompanyId, IntegrationId, Kind, Rule, RuleEvent, RuleId, RunMode, Time,
};

/// A ready-made rule. Its rule is active, automatic, without conditions and without defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Template {
    /// Its id; stable.
    pub id: &'static str,
    /// What people call it, and the title of its rule.
    pub title: &'static str,
    /// What its rule does, for people.
    pub description: &'static str,
    /// What makes its rule act.
    pub event: RuleEvent,
    /// Kind of the source object.
    pub source_kind: Kind,
    /// What its rule does.
    pub action: Action,
    /// Kind of the target object.
    pub target_kind: Kind,
}

const TEMPLATES: &[Template] = &[
    Template {
        id: "lookup-users",
        title: "Look up and sync users",
        description: "Asks for all users. Those that are new are added, unless a user with the same e-mail address \
                      is there already: then that one is taken over. All are kept up to date afterwards.",
        event: RuleEvent::Lookup,
        source_kind: Kind::User,
        action: Action::Add,
        target_kind: Kind::User,
    },
    Template {
        id: "lookup-groups",
        title: "Look up and sync groups",
        description: "Asks for all groups and their members. Groups that are new are added, unless a group with the \
                      same e-mail address is there already: then that one is taken over. All are kept up to date \
                      afterwards, and so are their memberships, as far as the members are synced too.",
        event: RuleEvent::Lookup,
        source_kind: Kind::Group,
        action: Action::Add,
        target_kind: Kind::Group,
    },
];

/// All templates, in the order in which they are best applied.
pub fn templates() -> &'static [Template] {
    TEMPLATES
}

/// The template of this id.
pub fn template(id: &str) -> Option<&'static Template> {
    TEMPLATES.iter().find(|template| template.id == id)
}

impl Template {
    /// The rule that it makes. Its position is 0: after the last one, which is the store's to find.
    pub fn rule(
        &self,
        company: CompanyId,
        integration: IntegrationId,
        id: RuleId,
        now: Time,
    ) -> Rule {
        Rule {
            company,
            integration,
            id,
            title: self.title.to_owned(),
            position: 0,
            event: self.event,
            source_kind: self.source_kind,
            conditions: Vec::new(),
            action: self.action,
            target_kind: self.target_kind,
            defaults: Attributes::default(),
            mappings: Vec::new(),
            run_mode: RunMode::Automatic,
            active: true,
            create_time: now,
            update_time: now,
        }
    }

    /// The rule that does already what this one would: the same event, kinds and action, whatever its conditions.
    pub fn existing<'a>(&self, rules: &'a [Rule]) -> Option<&'a Rule> {
        rules.iter().find(|rule| {
            rule.event == self.event
                && rule.source_kind == self.source_kind
                && rule.action == self.action
                && rule.target_kind == self.target_kind
        })
    }
}
