//! Rules: their conditions, defaults and mappings.

use super::*;

fn rule() -> v1::Rule {
    v1::Rule {
        title: "Users".to_owned(),
        event: v1::Event::Lookup.into(),
        source_kind: v1::Kind::User.into(),
        action: v1::Action::Add.into(),
        target_kind: v1::Kind::User.into(),
        ..v1::Rule::default()
    }
}

fn condition(attribute: &str, operator: i32, values: &[&str]) -> v1::Condition {
    v1::Condition {
        attribute: attribute.to_owned(),
        operator,
        values: values.iter().map(|value| (*value).to_owned()).collect(),
    }
}

fn create(rule: v1::Rule) -> v1::CreateRuleRequest {
    v1::CreateRuleRequest {
        parent: integration(),
        rule: Some(rule),
        ..v1::CreateRuleRequest::default()
    }
}

type Row = (&'static str, v1::CreateRuleRequest, &'static str);

#[rustfmt::skip]
fn to_make() -> Vec<Row> {
    let with = |condition: v1::Condition| create(v1::Rule { conditions: vec![condition], ..rule() });
    let text = |text: &str| prost_types::Value::from(text);
    let default = |name: &str, value| create(v1::Rule { defaults: [(name.to_owned(), value)].into(), ..rule() });
    let id = |id: &str| v1::CreateRuleRequest { rule_id: id.to_owned(), ..create(rule()) };
    vec![
        ("no rule", v1::CreateRuleRequest { rule: None, ..create(rule()) }, "rule"),
        ("no title of a rule", create(v1::Rule { title: String::new(), ..rule() }), "rule.title"),
        ("no event", create(v1::Rule { event: 0, ..rule() }), "rule.event"),
        ("an event that does not exist", create(v1::Rule { event: 9, ..rule() }), "rule.event"),
        ("no source kind", create(v1::Rule { source_kind: 0, ..rule() }), "rule.source_kind"),
        ("no action", create(v1::Rule { action: 0, ..rule() }), "rule.action"),
        ("a user made a group", create(v1::Rule { target_kind: 2, ..rule() }), "rule.target_kind"),
        ("a negative position", create(v1::Rule { position: -1, ..rule() }), "rule.position"),
        ("a position beyond the last", create(v1::Rule { position: 1_000_001, ..rule() }), "rule.position"),
        ("a run mode that does not exist", create(v1::Rule { run_mode: 9, ..rule() }), "rule.run_mode"),
        ("an unknown attribute", with(condition("shoeSize", 1, &["44"])), "rule.conditions[0].attribute"),
        ("no operator", with(condition("department", 0, &["x"])), "rule.conditions[0].operator"),
        ("an operator that does not exist", with(condition("department", 99, &["x"])), "rule.conditions[0].operator"),
        ("no values", with(condition("department", 1, &[])), "rule.conditions[0].values"),
        ("no pattern", with(condition("department", 7, &["(sales"])), "rule.conditions[0].values"),
        ("a pattern that takes too much", with(condition("department", 7, &["\\w{100}"])), "rule.conditions[0].values"),
        ("a part of a yes or no", with(condition("active", 8, &["tr"])), "rule.conditions[0].operator"),
        ("neither true nor false", with(condition("active", 1, &["maybe"])), "rule.conditions[0].values"),
        ("a default for no attribute", default("shoeSize", text("44")), "rule.defaults[shoeSize]"),
        ("a number as default", default("title", prost_types::Value::from(4.0)), "rule.defaults[title]"),
        ("a bad rule id", id("No"), "rule_id"),
        ("a rule id that stands for all", id("-"), "rule_id"),
    ]
}

#[rustfmt::skip]
fn to_map() -> Vec<Row> {
    let maps = |attribute: &str, expression: &str, times| create(v1::Rule { mappings: vec![v1::Mapping { attribute: attribute.to_owned(), expression: expression.to_owned() }; times], ..rule() });
    let map = |attribute: &str, expression: &str| maps(attribute, expression, 1);
    vec![
        ("a mapping of the address", map("userName", "title"), "rule.mappings[0].attribute"),
        ("a mapping of nothing", map("nothing", "title"), "rule.mappings[0].attribute"),
        ("an expression that is none", map("title", "title ~"), "rule.mappings[0].expression"),
        ("an expression with a filter that there is not", map("title", "title if active else title|nothing"), "rule.mappings[0].expression"),
        ("an attribute mapped twice", maps("title", "department", 2), "rule.mappings[1].attribute"),
        ("mappings without number", maps("title", "department", 20_000), "rule.mappings"),
        ("an expression of what is not there", map("title", "nickname"), "rule.mappings[0].expression"),
        ("an expression of groups", map("title", "groups|first"), "rule.mappings[0].expression"),
        ("an expression without end", map("title", &"x".repeat(1025)), "rule.mappings[0].expression"),
        ("an expression too deep", map("title", &format!("{}1{}", "(".repeat(400), ")".repeat(400))), "rule.mappings[0].expression"),
    ]
}

#[rustfmt::skip]
pub(super) async fn cases(world: &mut World) -> Vec<Case> {
    let mut cases = Vec::new();
    let client = &mut world.integrations;
    send!(cases, "IntegrationService/CreateRule", client, create_rule, to_make());
    send!(cases, "IntegrationService/CreateRule", client, create_rule, to_map());
    let apply = v1::ApplyRuleTemplateRequest { parent: integration(), template: "lookup-users".to_owned(), ..v1::ApplyRuleTemplateRequest::default() };
    send!(cases, "IntegrationService/ApplyRuleTemplate", client, apply_rule_template, [
        ("an unknown template", v1::ApplyRuleTemplateRequest { template: "nothing".to_owned(), ..apply.clone() }, "template"),
        ("a run mode that there is not", v1::ApplyRuleTemplateRequest { run_mode: 9, ..apply.clone() }, "run_mode"),
        ("a bad rule id of a template", v1::ApplyRuleTemplateRequest { rule_id: "No".to_owned(), ..apply }, "rule_id"),
    ]);
    let delete = v1::DeleteRuleRequest { name: "rules/x".to_owned(), etag: String::new() };
    send!(cases, "IntegrationService/DeleteRule", client, delete_rule, [("a rule's bare name", delete, "name")]);
    cases
}
