//! A start link's page, as a person's browser shows it and sends its form.

use std::collections::BTreeMap;

use reqwest::Method;

use crate::harness::{Answer, Browser};

pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// The page of a link, as one browser shows it.
#[derive(Clone)]
pub(crate) struct ConsentPage {
    pub(crate) path: String,
    /// The form's hidden field.
    pub(crate) field: String,
}

impl ConsentPage {
    /// Opens a link, which another site may have made the browser do.
    pub(crate) async fn open(browser: &mut Browser<'_>, path: &str) -> Self {
        let shown = browser.get(path).await;
        shown.expect_status(200);
        Self::read(path, &shown)
    }

    pub(crate) fn read(path: &str, shown: &Answer) -> Self {
        let html = std::str::from_utf8(&shown.bytes).expect("text");
        let (_, rest) = html.split_once("name=\"page\" value=\"").expect("a form");
        let field = rest.split('"').next().expect("an attribute's end");
        Self {
            path: path.to_owned(),
            field: field.to_owned(),
        }
    }

    /// Presses a button as the page's own browser does.
    pub(crate) async fn press(&self, browser: &mut Browser<'_>, decision: &str) -> Answer {
        self.send(browser, decision, &[("sec-fetch-site", "same-origin")])
            .await
    }

    pub(crate) async fn send(
        &self,
        browser: &mut Browser<'_>,
        decision: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut headers: BTreeMap<&str, &str> = headers.iter().copied().collect();
        headers.entry("content-type").or_insert(FORM);
        let headers: Vec<(&str, &str)> = headers.into_iter().collect();
        let body = format!("page={}&decision={decision}", self.field);
        browser
            .send(Method::POST, &self.path, &headers, body.into_bytes())
            .await
    }
}

/// Opens a link and allows its request; returns the address of the redirect.
pub(crate) async fn allow(browser: &mut Browser<'_>, path: &str) -> String {
    let page = ConsentPage::open(browser, path).await;
    let sent_on = page.press(browser, "allow").await;
    sent_on.expect_status(303);
    sent_on.header("location").expect("an address").to_owned()
}
