//! What people can choose from as the value of a condition: asked of the system now.

use super::{
    Error, Gap, Integrations, NO_UNITS,
    checking::{in_time, unreadable},
    may_read_units,
    readiness::{NO_DOMAINS, may_read_domains},
};
use crate::{
    connector::{
        self, Connector, Cursor,
        catalogue::{self, Choices},
    },
    model::{Attribute, CompanyId, Integration, IntegrationId, Kind, Listed, Object, Violation},
};

/// Something to choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What a condition compares with.
    pub value: String,
    /// What people call it.
    pub title: String,
    /// What tells it from others of that name: an address, a path, what kind of domain.
    pub detail: String,
}

impl Integrations {
    /// A part of what conditions on an attribute can compare with, as much as the system tells at once.
    ///
    /// # Errors
    /// `Invalid` if the attribute takes other values, or the system does not go on from `after`; `NotFound`; `Precondition`
    /// if the system can't be asked, or not for this; `System`.
    pub async fn choices(
        &self,
        company: &CompanyId,
        id: &IntegrationId,
        (kind, attribute): (Kind, &str),
        after: Option<String>,
    ) -> Result<Listed<Choice>, Error> {
        let integration = self.get(company, id).await?;
        let known = catalogue::find(&integration.system).and_then(|system| system.kind(kind));
        let conditions = known.map_or(&[][..], |known| known.conditions);
        let mut listed = conditions.iter().filter(|info| info.choices.are_listed());
        let Some(info) = listed
            .clone()
            .find(|info| info.attribute == Attribute::new(attribute))
        else {
            let names = listed.clone().map(|info| info.attribute.as_str());
            let names: Vec<_> = names.collect();
            let text = match listed.next() {
                Some(_) => format!("must be one of: {}", names.join(", ")),
                None => format!("no attribute of a {kind} is compared with what the system lists"),
            };
            return Err(Error::Invalid(vec![Violation::new("attribute", text)]));
        };
        let connector = self.connect(company, id).await?;
        if let Some(text) = not_covered(&integration, info.choices) {
            return Err(Error::Precondition {
                code: "SCOPES_MISSING",
                text: text.to_owned(),
            });
        }
        let continued = after.is_some();
        let asked = match info.choices {
            Choices::OrgUnits => units(&*connector).await,
            Choices::Domains => domains(&*connector).await,
            _ => groups(&*connector, after).await,
        };
        match asked {
            Err(error) if error.is_authorization_lost() => {
                let reason = error.to_string();
                let lost = self.authorization_lost(&integration, &reason).await?;
                Err(Gap::reauthorization(&lost).into())
            }
            // There is no going on from there, now or later.
            Err(error @ connector::Error::CursorLost(_)) if continued => {
                tracing::debug!(%error, "a place in a list of choices is lost");
                let text = "is one from which the system does not go on any more; leave it out to begin anew";
                Err(Error::Invalid(vec![Violation::new("page_token", text)]))
            }
            asked => Ok(asked?),
        }
    }
}

/// Why the authorization does not do for this, and what to do about it, if it does not.
fn not_covered(integration: &Integration, choices: Choices) -> Option<&'static str> {
    match choices {
        Choices::OrgUnits => (!may_read_units(integration)).then_some(NO_UNITS),
        Choices::Domains => (!may_read_domains(integration)).then_some(NO_DOMAINS),
        Choices::Groups | Choices::Any | Choices::YesNo => None,
    }
}

async fn groups(
    connector: &dyn Connector,
    after: Option<String>,
) -> Result<Listed<Choice>, connector::Error> {
    let reader = connector.reader().ok_or_else(unreadable)?;
    let page = in_time(reader.page(Kind::Group, after.map(Cursor))).await?;
    let choice = |group: Object| Choice {
        title: text(&group, &Attribute::DISPLAY_NAME),
        detail: text(&group, &Attribute::USER_NAME),
        value: group.id.to_string(),
    };
    Ok(Listed {
        items: page.items.into_iter().map(choice).collect(),
        next: page.next.map(|cursor| cursor.0),
    })
}

fn text(object: &Object, attribute: &Attribute) -> String {
    let text = object.attributes.text(attribute);
    text.unwrap_or_default().to_owned()
}

async fn units(connector: &dyn Connector) -> Result<Listed<Choice>, connector::Error> {
    let reader = connector.reader().ok_or_else(unreadable)?;
    let mut units = in_time(reader.units()).await?;
    units.sort_by(|a, b| a.path.cmp(&b.path));
    let choice = |unit: connector::OrgUnit| Choice {
        value: unit.id,
        title: unit.name,
        detail: unit.path,
    };
    Ok(Listed {
        items: units.into_iter().map(choice).collect(),
        next: None,
    })
}

async fn domains(connector: &dyn Connector) -> Result<Listed<Choice>, connector::Error> {
    let reader = connector.reader().ok_or_else(unreadable)?;
    let mut domains = in_time(reader.domains()).await?;
    domains.sort_by(|a, b| (!a.primary, &a.name).cmp(&(!b.primary, &b.name)));
    let choice = |domain: connector::Domain| Choice {
        title: domain.name.clone(),
        value: domain.name,
        detail: match (domain.verified, domain.primary) {
            (false, _) => "not verified",
            (true, true) => "primary",
            (true, false) => "secondary",
        }
        .to_owned(),
    };
    Ok(Listed {
        items: domains.into_iter().map(choice).collect(),
        next: None,
    })
}
