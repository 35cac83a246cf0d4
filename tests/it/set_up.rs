//! Changing and taking away what was set up.

#![allow(clippy::unwrap_used, clippy::panic)]

mod catalogue;
mod checking;
mod choices;
mod deletion;
mod malformed;
mod manual;
mod reach;
mod rules;
mod settings;

use crate::{
    malformed::Case,
    support::{World, integration},
};
use prost_types::FieldMask;
use provisiond::{proto::v1, sandbox::Options};
use tonic::Status;

fn small() -> Options {
    Options {
        users: 8,
        groups: 2,
        ..Options::default()
    }
}

/// A world in which nothing was asked of Google.
async fn quiet() -> World {
    let mut world = World::start(small()).await;
    world.create("google").await;
    world
}

/// Malformed updates, as they were answered.
pub async fn malformed_updates() -> Vec<Case> {
    malformed::cases().await.0
}

fn mask(paths: &[&str]) -> Option<FieldMask> {
    let paths = paths.iter().map(|path| (*path).to_owned()).collect();
    Some(FieldMask { paths })
}

/// The test's integration with nothing but its name.
fn named() -> v1::Integration {
    v1::Integration {
        name: integration(),
        ..v1::Integration::default()
    }
}

trait SetUp {
    async fn update(
        &mut self,
        integration: v1::Integration,
        paths: &[&str],
    ) -> Result<v1::Integration, Status>;
    async fn update_rule(&mut self, rule: v1::Rule, paths: &[&str]) -> Result<v1::Rule, Status>;
    async fn rules(&mut self) -> Vec<v1::Rule>;
}

impl SetUp for World {
    async fn update(
        &mut self,
        integration: v1::Integration,
        paths: &[&str],
    ) -> Result<v1::Integration, Status> {
        let request = v1::UpdateIntegrationRequest {
            integration: Some(integration),
            update_mask: mask(paths),
            validate_only: false,
        };
        let updated = self.integrations.update_integration(request).await?;
        Ok(updated.into_inner())
    }

    async fn update_rule(&mut self, rule: v1::Rule, paths: &[&str]) -> Result<v1::Rule, Status> {
        let request = v1::UpdateRuleRequest {
            rule: Some(rule),
            update_mask: mask(paths),
            validate_only: false,
        };
        Ok(self.integrations.update_rule(request).await?.into_inner())
    }

    async fn rules(&mut self) -> Vec<v1::Rule> {
        let request = v1::ListRulesRequest {
            parent: integration(),
            ..v1::ListRulesRequest::default()
        };
        let listed = self.integrations.list_rules(request).await.unwrap();
        listed.into_inner().rules
    }
}
