//! The other lane's door: one object, now, also while a bulk run goes on.

use super::{Error, Runs};
use crate::{
    model::{CompanyId, IntegrationId, Kind},
    sync::object::{Provisioned, provision},
};
use std::sync::Arc;
use tracing::Instrument as _;

/// Objects that are provisioned by themselves at once, in the whole daemon; more wait. Each integration has few of them.
pub(super) const AT_ONCE: usize = 16;

/// A request for one object.
#[derive(Debug, Clone)]
pub struct ObjectRequest {
    /// Whose.
    pub company: CompanyId,
    /// Of which integration.
    pub integration: IntegrationId,
    /// What it is at the source.
    pub kind: Kind,
    /// Its id there, or its primary address.
    pub object: String,
    /// Only explain.
    pub preview: bool,
    /// Who asks.
    pub requested_by: String,
}

impl Runs {
    /// Provisions one object by all active rules, or, as a preview, explains what would be done. It is done also if the
    /// caller does not wait for it.
    ///
    /// # Errors
    /// `NotReady`, `Missing` (the integration, or an object that the source does not have and never had), `System`.
    pub async fn provision_object(&self, request: ObjectRequest) -> Result<Provisioned, Error> {
        let integrations = &self.tools.integrations;
        let of = integrations.get(&request.company, &request.integration);
        let own = self.tools.lanes.of(of.await?.uid).place().await;
        let place = Arc::clone(&self.objects).acquire_owned().await;
        let place = place.map_err(|_| Error::Stopping)?;
        let tools = self.tools.clone();
        let span = tracing::info_span!("object", integration = %request.integration, company = %request.company);
        let work = async move {
            let provisioned = Box::pin(provision(&tools, request));
            let provisioned = tools.store.once_durable(provisioned).await;
            drop((own, place));
            provisioned?
        };
        let done = self.tasks.spawn(work.instrument(span));
        done.await.map_err(|_| Error::Stopping)?
    }
}
