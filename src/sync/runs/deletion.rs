//! Deleting an integration: its runs end first, then it is taken away slice by slice, whoever waits for it.

use super::{Error, Runs};
use crate::{
    integrations::TokenFate,
    model::{CompanyId, EventBody, Integration, IntegrationId, Run, RunState, Time},
    store::Topic,
};
use tracing::Instrument as _;

/// Where the log tells what is to be kept: who did what that can't be had back.
const AUDIT: &str = "audit";

impl Runs {
    /// Deletes an integration and waits for it; tells what became of its token. It goes on if the caller does not wait, and
    /// after a restart ([`Runs::resume_deletions`]). `seen` is the `update_time` that the caller saw, if he wants the call to
    /// fail otherwise. Who asked for it, and what came of it, is told to the audit log.
    pub async fn delete_integration(
        &self,
        company: &CompanyId,
        id: &IntegrationId,
        seen: Option<Time>,
        requested_by: String,
    ) -> Result<TokenFate, Error> {
        let (this, company, id) = (self.clone(), company.clone(), id.clone());
        // All of it, since who waits may be gone before it is even written that it begins.
        let deletion = async move {
            let integrations = &this.tools.integrations;
            let integration = integrations.begin_deletion(&company, &id, seen).await?;
            tracing::info!(target: AUDIT, caller = requested_by, %company, integration = %id, uid = %integration.uid, title = integration.title, "an integration is to be deleted");
            this.sweep(integration, &requested_by).await
        };
        let deleted = self.tasks.spawn(deletion.in_current_span());
        deleted.await.map_err(|_| Error::Stopping)?
    }

    /// After a start, before runs are recovered: goes on with the deletions that were cut off. Their runs are over.
    pub async fn resume_deletions(&self) -> Result<(), Error> {
        let store = &self.tools.store;
        for integration in store.deletions().await? {
            for mut run in self.unfinished(&integration).await? {
                run.state = RunState::Cancelled;
                run.phase = None;
                run.end_time = Some(self.tools.clock.now());
                store.save_run(run, Some(EventBody::RunFinished)).await?;
            }
            let this = self.clone();
            // Who asked for it was told before.
            self.tasks
                .spawn(async move { this.sweep(integration, "").await });
        }
        Ok(())
    }

    async fn sweep(
        &self,
        integration: Integration,
        requested_by: &str,
    ) -> Result<TokenFate, Error> {
        let swept = self.sweep_all(&integration).await;
        let (company, id) = (&integration.company, &integration.id);
        match &swept {
            Ok(token) => {
                self.tools.lanes.forget(integration.uid);
                tracing::info!(target: AUDIT, caller = requested_by, %company, integration = %id, uid = %integration.uid, title = integration.title, token = token.code(), outcome = %token, "an integration was deleted");
            }
            Err(error) => {
                tracing::warn!(%company, integration = %id, %error, "an integration is not deleted yet: this goes on after the next start");
            }
        }
        swept
    }

    async fn sweep_all(&self, integration: &Integration) -> Result<TokenFate, Error> {
        self.end_runs(integration).await?;
        let fate = self.tools.integrations.give_up_token(integration).await?;
        while self.tools.store.delete_slice(integration).await? {
            if self.stopping.is_cancelled() {
                return Err(Error::Stopping);
            }
        }
        Ok(fate)
    }

    /// Cancels what runs and waits, and waits until it has ended. No other run can begin.
    async fn end_runs(&self, integration: &Integration) -> Result<(), Error> {
        let mut news = self.tools.store.subscribe(Topic {
            company: integration.company.clone(),
            integration: Some(integration.id.clone()),
            changes: false,
        });
        loop {
            news.borrow_and_update();
            let runs = self.unfinished(integration).await?;
            if runs.is_empty() {
                return Ok(());
            }
            for run in runs {
                self.cancel(&run.company, &run.integration, &run.id).await?;
            }
            tokio::select! {
                () = self.stopping.cancelled() => return Err(Error::Stopping),
                changed = news.changed() => changed.map_err(|_| Error::Stopping)?,
            }
        }
    }

    async fn unfinished(&self, of: &Integration) -> Result<Vec<Run>, Error> {
        let mut runs = self.tools.store.unfinished_runs().await?;
        runs.retain(|run| run.integration_uid == of.uid);
        Ok(runs)
    }
}
