//! Making and changing integrations, and switching them on and off.

use super::{Checked, Error, Integrations, name, reach, schedule, time_of_change};
use crate::{
    connector::catalogue,
    model::{
        Authorization, CompanyId, Direction, EventBody, Integration, IntegrationId,
        IntegrationState, Limits, Listed, PageRequest, RequestKey, SyncInterval, SystemId, Time,
        Uid, Violation,
    },
    store::{self, Created},
};

/// An integration as asked for. What the edge could not read is none, with the reason in `bad`.
#[derive(Debug, Clone, Default)]
pub struct NewIntegration {
    /// Its id; the daemon chooses one if there is none.
    pub id: Option<IntegrationId>,
    /// What people call it.
    pub title: String,
    /// The system.
    pub system: Option<SystemId>,
    /// Which end is the source.
    pub direction: Option<Direction>,
    /// Whether it runs by itself at once.
    pub active: bool,
    /// How often it runs by itself; daily if not said.
    pub interval: Option<SyncInterval>,
    /// The IANA time zone of its schedule; UTC if empty.
    pub time_zone: String,
    /// Safety limits.
    pub limits: Limits,
    /// Users that are never touched: addresses, or patterns with `*`.
    pub protected: Vec<String>,
    /// The domains whose objects are in scope; empty = all.
    pub domains: Vec<String>,
    /// What the edge found wrong already.
    pub bad: Vec<Violation>,
}

impl NewIntegration {
    /// Everything that is wrong with it, whichever company it is for.
    pub fn violations(self) -> Vec<Violation> {
        match self.check(&CompanyId::generate(), Time::UNIX_EPOCH) {
            Err(Error::Invalid(violations)) => violations,
            _ => Vec::new(),
        }
    }

    fn check(self, company: &CompanyId, now: Time) -> Result<Integration, Error> {
        let mut checked = Checked(self.bad);
        let title = checked.title("integration.title", &self.title);
        let system = checked.require("integration.system", self.system, &systems_there_are());
        let direction = checked.require(
            "integration.direction",
            self.direction,
            "must be given: DIRECTION_FROM_SYSTEM or another that the system supports",
        );
        if let Some(system) = &system {
            check_system(&mut checked, system, direction);
        }
        if self
            .limits
            .max_member_loss_percent
            .is_some_and(|percent| percent > 100)
        {
            checked.refuse(
                "integration.limits.max_member_loss_percent",
                "must be 0 to 100",
            );
        }
        let protected = reach::protected(&mut checked, &self.protected);
        let domains = reach::domains(&mut checked, &self.domains);
        let schedule = schedule::check(&mut checked, self.interval, &self.time_zone);
        let made = system
            .zip(direction)
            .map(|(system, direction)| Integration {
                company: company.clone(),
                id: self.id.unwrap_or_else(IntegrationId::generate),
                uid: Uid::generate(),
                title,
                state: IntegrationState::Ready,
                system,
                direction,
                active: self.active,
                schedule,
                next_sync: None,
                limits: self.limits,
                protected,
                domains,
                authorization: Authorization::default(),
                last_run: None,
                interruptions: 0,
                create_time: now,
                update_time: now,
            });
        let mut made = checked.finish(made)?;
        made.next_sync = schedule::first(&made, now);
        Ok(made)
    }
}

fn check_system(checked: &mut Checked, system: &SystemId, direction: Option<Direction>) {
    let Some(known) = catalogue::find(system) else {
        checked.refuse("integration.system", systems_there_are());
        return;
    };
    if direction.is_some_and(|direction| !known.directions.contains(&direction)) {
        checked.refuse(
            "integration.direction",
            format!(
                "{} can't be used in this direction: see GetSystem for those it supports",
                known.title
            ),
        );
    }
}

fn systems_there_are() -> String {
    let ids: Vec<_> = catalogue::systems()
        .iter()
        .map(|system| format!("systems/{}", system.id))
        .collect();
    format!("must be one of: {}", ids.join(", "))
}

impl Integrations {
    /// Makes an integration. Fails naming every field that is wrong, or with `Taken`. With `check_only` nothing is kept.
    pub async fn create(
        &self,
        company: &CompanyId,
        new: NewIntegration,
        request: Option<RequestKey>,
        check_only: bool,
    ) -> Result<Created<Integration>, Error> {
        let integration = new.check(company, self.0.clock.now())?;
        let store = self.store(check_only);
        Ok(store.create_integration(integration, request).await?)
    }

    /// Makes of the integration that the caller saw what it is to be; its system, direction and switch stay. Fails naming
    /// every field that is wrong, with `Taken`, or with `Changed` if it is no longer the one seen. With `check_only`
    /// nothing is kept.
    pub async fn update(
        &self,
        seen: &Integration,
        wanted: NewIntegration,
        check_only: bool,
    ) -> Result<Integration, Error> {
        let now = self.0.clock.now();
        let wanted = wanted.check(&seen.company, now)?;
        let (called, seen_time) = (name(&seen.company, &seen.id), seen.update_time);
        let change = move |integration: &mut Integration| {
            if integration.update_time != seen_time {
                return Err(store::Error::Changed(called));
            }
            Ok(apply_settings(integration, wanted, now))
        };
        let store = self.store(check_only);
        let changed = store.update_integration(&seen.company, &seen.id, change);
        Ok(changed.await?)
    }

    /// A company's integrations, in order of id.
    pub async fn list(
        &self,
        company: &CompanyId,
        page: &PageRequest,
    ) -> Result<Listed<Integration>, Error> {
        Ok(self.0.store.integrations(company, page).await?)
    }

    /// Lets it run by itself. Ends a pause and forgets interruptions. It need not be ready: `readiness` says what is
    /// missing. `seen` is the `update_time` that the caller saw, if he wants the call to fail with `Changed` otherwise.
    pub async fn activate(
        &self,
        company: &CompanyId,
        id: &IntegrationId,
        seen: Option<Time>,
    ) -> Result<Integration, Error> {
        self.switch(company, id, seen, true).await
    }

    /// Lets it run only when asked to.
    pub async fn deactivate(
        &self,
        company: &CompanyId,
        id: &IntegrationId,
        seen: Option<Time>,
    ) -> Result<Integration, Error> {
        self.switch(company, id, seen, false).await
    }

    async fn switch(
        &self,
        company: &CompanyId,
        id: &IntegrationId,
        seen: Option<Time>,
        active: bool,
    ) -> Result<Integration, Error> {
        let now = self.0.clock.now();
        let called = name(company, id);
        let changed = self
            .0
            .store
            .update_integration(company, id, move |integration| {
                if seen.is_some_and(|seen| seen != integration.update_time) {
                    return Err(store::Error::Changed(called));
                }
                Ok(apply_switch(integration, active, now))
            });
        Ok(changed.await?)
    }
}

fn apply_settings(integration: &mut Integration, wanted: Integration, now: Time) -> Option<Tell> {
    let before = integration.clone();
    integration.title = wanted.title;
    integration.limits = wanted.limits;
    integration.schedule = wanted.schedule;
    integration.protected = wanted.protected;
    integration.domains = wanted.domains;
    if *integration == before {
        return None;
    }
    integration.update_time = time_of_change(now, integration.update_time);
    schedule::replan(&before, integration, now);
    Some(EventBody::IntegrationChanged)
}

/// Makes of an integration's row the event that tells of it.
pub(super) type Tell = fn(Integration) -> EventBody;

fn apply_switch(integration: &mut Integration, active: bool, now: Time) -> Option<Tell> {
    let before = integration.clone();
    integration.active = active;
    if active {
        integration.state = IntegrationState::Ready;
        integration.interruptions = 0;
    }
    if *integration == before {
        return None;
    }
    integration.update_time = time_of_change(now, integration.update_time);
    schedule::replan(&before, integration, now);
    Some(EventBody::IntegrationChanged)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new() -> NewIntegration {
        NewIntegration {
            title: "  Main Workspace ".to_owned(),
            system: SystemId::try_new("google-workspace").ok(),
            direction: Some(Direction::FromSystem),
            ..NewIntegration::default()
        }
    }

    fn check(new: NewIntegration) -> Result<Integration, Error> {
        new.check(&CompanyId::try_new("acme").unwrap(), Time::UNIX_EPOCH)
    }

    #[test]
    fn an_integration_gets_an_id_and_begins_unauthorized() {
        let made = check(new()).unwrap();
        assert_eq!(made.title, "Main Workspace");
        assert_eq!(made.authorization, Authorization::default());
        assert!(!made.active && made.id.as_str().len() == 36);
        let chosen = IntegrationId::try_new("main").unwrap();
        let named = check(NewIntegration {
            id: Some(chosen.clone()),
            ..new()
        })
        .unwrap();
        assert_eq!(named.id, chosen);
    }

    #[test]
    fn every_bad_field_is_named_at_once_and_each_once() {
        let bad = NewIntegration {
            title: " ".to_owned(),
            limits: Limits {
                max_member_loss_percent: Some(101),
            },
            bad: vec![Violation::new("integration.system", "is no resource name")],
            ..NewIntegration::default()
        };
        let error = check(bad).unwrap_err();
        let mut fields: Vec<_> = error
            .violations()
            .iter()
            .map(|v| v.field.as_str())
            .collect();
        fields.sort_unstable();
        assert_eq!(
            fields,
            [
                "integration.direction",
                "integration.limits.max_member_loss_percent",
                "integration.system",
                "integration.title"
            ]
        );
    }

    #[test]
    fn what_the_catalogue_does_not_know_is_refused_with_what_it_does() {
        let unknown = NewIntegration {
            system: SystemId::try_new("scim").ok(),
            ..new()
        };
        let error = check(unknown).unwrap_err().to_string();
        assert!(error.contains("systems/google-workspace"), "{error}");
        let other = NewIntegration {
            direction: Some(Direction::ToSystem),
            ..new()
        };
        assert_eq!(
            check(other).unwrap_err().violations()[0].field,
            "integration.direction"
        );
        for title in ["", &"x".repeat(101), "a\nb"] {
            let wrong = NewIntegration {
                title: title.to_owned(),
                ..new()
            };
            assert_eq!(
                check(wrong).unwrap_err().violations()[0].field,
                "integration.title"
            );
        }
        assert!(
            check(NewIntegration {
                title: "é".repeat(100),
                ..new()
            })
            .is_ok()
        );
    }

    #[test]
    fn activating_ends_a_pause_and_doing_it_again_changes_nothing() {
        let mut integration = check(new()).unwrap();
        integration.state = IntegrationState::Paused("three interruptions".to_owned());
        integration.interruptions = 3;
        let later = Time::from_second(9).unwrap();
        assert!(apply_switch(&mut integration, true, later).is_some());
        assert_eq!(integration.state, IntegrationState::Ready);
        assert_eq!(
            (integration.interruptions, integration.update_time),
            (0, later)
        );
        assert!(apply_switch(&mut integration, true, Time::MAX).is_none());
        assert_eq!(integration.update_time, later);
        assert!(apply_switch(&mut integration, false, later).is_some() && !integration.active);
    }
}
