//! A refusal of a start link, its form or the way back from a consent, for the person at the
//! browser.

use auth_domain::{Language, PAGE_STYLE_SOURCE, Problem, refused_consent_page};
use auth_lambda::{Exchange, Page, PagePolicy};

/// Shows the refusal as a page, in the browser's language or else in `language`. Refusals that no
/// browser meets stay problem details.
pub fn show_refused_consent(problem: &Problem, language: Language, exchange: &Exchange) {
    if !matches!(
        problem,
        Problem::InvalidSession | Problem::ServiceUnavailable { .. } | Problem::Internal(_)
    ) {
        return;
    }
    let language = exchange.language().unwrap_or(language);
    match refused_consent_page(problem, language) {
        Ok(html) => {
            let policy = PagePolicy {
                style: &PAGE_STYLE_SOURCE,
                form_leads_to: &[],
            };
            drop(Page::new(html, &policy, exchange));
        }
        Err(report) => tracing::error!(error = report.chain(), "a refusal has no page"),
    }
}
