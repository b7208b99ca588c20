//! The page that asks a person whether an agent may act for them, and the page that says why
//! nothing came of it. They need no script, and look like the sign-in pages.

use std::{sync::LazyLock, time::Duration};

use askama::Template;
use data_encoding::BASE64;
use sha2::{Digest, Sha256};

use crate::{AgentName, Country, Language, Problem, Report, Scope, Timestamp};

const STYLE: &str = include_str!("../templates/page.css");

/// The pages' one style, as a content security policy names it (CSP level 3 §2.3.1).
pub static PAGE_STYLE_SOURCE: LazyLock<String> =
    LazyLock::new(|| format!("'sha256-{}'", BASE64.encode(&Sha256::digest(STYLE))));

/// The variable content of the page that asks. It contains no text of a conversation.
#[derive(Clone, Copy, Debug)]
pub struct ConsentPage<'a> {
    /// The agent.
    pub agent: &'a AgentName,
    /// The start of the authorization.
    pub asked_at: Timestamp,
    /// The country of the browser, if it is known.
    pub country: Option<&'a Country>,
    /// What the agent asks for. Its caller chose them, so the page distinguishes only known ones.
    pub scopes: &'a [Scope],
    /// How long the permission lasts.
    pub lasts: Duration,
    /// The target of the form: the page's own address.
    pub action: &'a str,
    /// Proves that this page contains the form.
    pub page: &'a str,
}

/// The words of the page that asks, by what varies.
struct Asking<'a> {
    asked: &'a ConsentPage<'a>,
    asked_at: String,
    /// Whether the agent asks for more than to know the person.
    wants_more: bool,
    count: u64,
    unit: Unit,
}

#[derive(Clone, Copy)]
enum Unit {
    Minutes,
    Hours,
    Days,
}

#[derive(Template)]
#[template(path = "en/consent.html")]
struct AskingInEnglish<'a> {
    language: Language,
    asking: Asking<'a>,
}

#[derive(Template)]
#[template(path = "de/consent.html")]
struct AskingInGerman<'a> {
    language: Language,
    asking: Asking<'a>,
}

#[derive(Template)]
#[template(path = "en/consent-refused.html")]
struct RefusedInEnglish {
    language: Language,
    is_over: bool,
}

#[derive(Template)]
#[template(path = "de/consent-refused.html")]
struct RefusedInGerman {
    language: Language,
    is_over: bool,
}

impl ConsentPage<'_> {
    /// The page in HTML.
    pub fn html(&self, language: Language) -> Result<String, Report> {
        let identity = Scope::of_identity();
        let (count, unit) = Unit::count(self.lasts);
        let asking = Asking {
            asked: self,
            asked_at: self.asked_at.for_people(language),
            wants_more: !self.scopes.iter().all(|scope| identity.contains(scope)),
            count,
            unit,
        };
        let rendered = match language {
            Language::English => AskingInEnglish { language, asking }.render(),
            Language::German => AskingInGerman { language, asking }.render(),
        };
        rendered.map_err(|error| Report::new("word the page that asks", error))
    }
}

/// The page in HTML for a person whose link or form was refused.
pub fn refused_consent_page(problem: &Problem, language: Language) -> Result<String, Report> {
    let is_over = matches!(problem, Problem::InvalidSession);
    let rendered = match language {
        Language::English => RefusedInEnglish { language, is_over }.render(),
        Language::German => RefusedInGerman { language, is_over }.render(),
    };
    rendered.map_err(|error| Report::new("word the page of a refusal", error))
}

impl Unit {
    /// A duration in the largest unit of which it has two, rounded up.
    fn count(duration: Duration) -> (u64, Self) {
        let minutes = duration.as_secs().div_ceil(60);
        match minutes {
            0..120 => (minutes, Self::Minutes),
            120..2880 => (minutes.div_ceil(60), Self::Hours),
            2880.. => (minutes.div_ceil(60 * 24), Self::Days),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(scopes: &[Scope], lasts: Duration, language: Language) -> String {
        ConsentPage {
            agent: &"Bell & <Book>".parse().unwrap(),
            asked_at: Timestamp::from_millis(1_795_239_650_123),
            country: None,
            scopes,
            lasts,
            action: "a\"b",
            page: "{{ page }}",
        }
        .html(language)
        .unwrap()
    }

    #[test]
    fn what_varies_is_text_and_stays_what_it_is() {
        let html = page(&Scope::of_identity(), Duration::ZERO, Language::English);
        assert!(
            html.contains("<h1>Bell &#38; &#60;Book&#62; asks to act for you</h1>"),
            "{html}"
        );
        assert!(html.contains("action=\"a&#34;b\""), "{html}");
        assert!(html.contains("value=\"{{ page }}\""), "{html}");
        assert!(
            html.contains(STYLE) && !html.contains("Opened from"),
            "{html}"
        );
    }

    #[test]
    fn a_duration_is_in_words() {
        for (seconds, english, german) in [
            (1, "1 minute<", "1 Minute<"),
            (61, "2 minutes<", "2 Minuten<"),
            (7_140, "119 minutes<", "119 Minuten<"),
            (86_400, "24 hours<", "24 Stunden<"),
            (2_592_000, "30 days<", "30 Tage<"),
        ] {
            for (language, words) in [(Language::English, english), (Language::German, german)] {
                let html = page(&[], Duration::from_secs(seconds), language);
                assert!(html.contains(&format!("<dd>{words}")), "{html}");
            }
        }
    }

    #[test]
    fn the_page_tells_whether_an_agent_wants_more_than_to_know_the_person() {
        let more = [Scope::of_identity(), vec!["calendar".parse().unwrap()]].concat();
        for (scopes, words) in [
            (Scope::of_identity(), "your name and your email address"),
            (more, "use other services with your account"),
        ] {
            let html = page(&scopes, Duration::ZERO, Language::English);
            assert!(html.contains(words), "{html}");
        }
    }

    #[test]
    fn a_refusal_says_what_to_do() {
        for (problem, english, german) in [
            (Problem::InvalidSession, "a new link", "einen neuen Link"),
            (Problem::NotFound, "load this page again", "Seite neu"),
        ] {
            let html = |language| refused_consent_page(&problem, language).unwrap();
            assert!(html(Language::English).contains(english));
            assert!(html(Language::German).contains(german));
        }
    }
}
