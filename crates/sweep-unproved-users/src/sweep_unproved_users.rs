//! The decision: find the due addresses, and remove their users.

use auth_domain::{Problem, Report};

use crate::{SweepUnprovedUsers, Swept};

/// Addresses of one run. At four calls each it takes a minute or two; a run every 15 minutes
/// removes more than the pool admits by default.
const MOST: u32 = 1000;

/// The number of consecutive failures that ends a run: Cognito or DynamoDB is unavailable.
const PATIENCE: u32 = 10;

impl SweepUnprovedUsers {
    pub(crate) async fn sweep(&self) -> Result<Swept, Problem> {
        let until = self.clock.now().before(self.wait);
        let due = self.sweep.due(until, MOST).await?;
        let (mut removed, mut in_a_row, mut first) = (0, 0, None);
        for waiting in &due {
            match self.sweep.remove(waiting, self.clock.now()).await {
                Ok(is_removed) => {
                    removed += u32::from(is_removed);
                    in_a_row = 0;
                }
                Err(problem) => {
                    let reason = problem.report().map(Report::chain);
                    tracing::error!(error = reason, "an unproved user was not removed");
                    first.get_or_insert(problem);
                    in_a_row += 1;
                }
            }
            if in_a_row == PATIENCE {
                break;
            }
        }
        tracing::info!(removed, due = due.len(), "swept");
        match first {
            None => Ok(Swept {
                removed,
                due: due.len(),
            }),
            Some(problem) => Err(problem),
        }
    }
}
