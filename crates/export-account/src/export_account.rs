//! The decision: check the proofs, read everything, and record the export.

use auth_domain::{ActivityKind, Problem, Proofs};
use auth_lambda::Exchange;
use tokio::try_join;

use crate::{ExportAccount, Exported, Records};

impl ExportAccount {
    pub(crate) async fn export(
        &self,
        proofs: &Proofs,
        exchange: &Exchange,
    ) -> Result<Exported, Problem> {
        let user = self.callers.find(exchange.caller()?).await?;
        self.proofs.require(&user, proofs, exchange).await?;
        let (guest, sessions, activity, directory) = try_join!(
            self.stored.guest(&user),
            self.stored.sessions(&user),
            self.stored.activity(&user),
            self.stored.user(&user)
        )?;
        let kind = ActivityKind::AccountExported;
        let event = self.activities.event(&user, kind, exchange);
        self.activities.note(&event).await;
        Ok(Exported {
            at: self.clock.now(),
            user,
            records: Records {
                guest,
                sessions,
                activity,
                directory,
            },
        })
    }
}
