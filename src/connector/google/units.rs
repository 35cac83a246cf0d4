//! Organizational units.

use super::{Google, wire::Units};
use crate::connector::{Error, OrgUnit, http::Call};

impl Google {
    /// All organizational units, the root too. Google gives them in one page, and each customer has the root at least.
    pub(super) async fn org_units(&self) -> Result<Vec<OrgUnit>, Error> {
        let method = "directory.orgunits.list";
        let query = [
            ("type", "allIncludingParent"),
            ("fields", "organizationUnits(orgUnitId,orgUnitPath,name)"),
        ];
        let url = self.url(&["customer", &self.options.customer, "orgunits"], &query)?;
        let call = Call {
            method,
            url: &url,
            continued: false,
        };
        let units: Units = self.ask(call).await?;
        if !units.all.iter().any(|unit| unit.path == "/") {
            return Err(Error::Protocol(format!("{method}: without the root")));
        }
        let units = units.all.into_iter().map(|unit| OrgUnit {
            id: unit.id,
            path: unit.path,
            name: unit.name,
        });
        Ok(units.collect())
    }
}
