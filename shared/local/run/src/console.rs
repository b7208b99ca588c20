//! The terminal's output: the addresses, a line for each request, and the mails, set apart.

use std::io::{self, IsTerminal, Write};

use serde_json::Value;

use crate::{Mail, Ready, Served, World};

/// The terminal, as lines for people or as JSON.
pub(crate) struct Console {
    json: bool,
    /// The lowest level at which the functions' own lines are repeated on standard error.
    function_lines: Level,
    style: Style,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Any,
    Warning,
    Error,
}

/// Escape sequences; empty if the output is no terminal.
#[derive(Clone, Copy)]
struct Style {
    strong: &'static str,
    faint: &'static str,
    good: &'static str,
    bad: &'static str,
    mail: &'static str,
    plain: &'static str,
}

const COLOURS: Style = Style {
    strong: "\x1b[1m",
    faint: "\x1b[2m",
    good: "\x1b[32m",
    bad: "\x1b[31m",
    mail: "\x1b[36m",
    plain: "\x1b[0m",
};

const NO_COLOURS: Style = Style {
    strong: "",
    faint: "",
    good: "",
    bad: "",
    mail: "",
    plain: "",
};

impl Console {
    pub(crate) fn new(json: bool, quiet: bool, more: bool) -> Self {
        // https://no-color.org
        let colours = io::stdout().is_terminal()
            && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self {
            json,
            function_lines: match (quiet, json || more) {
                (true, _) => Level::Error,
                (false, true) => Level::Any,
                (false, false) => Level::Warning,
            },
            style: if colours { COLOURS } else { NO_COLOURS },
        }
    }

    /// Everything answers.
    pub(crate) fn ready(&self, world: &World) {
        let ready = world.ready();
        if self.json {
            match serde_json::to_string(ready) {
                Ok(line) => print(&format!("{line}\n")),
                Err(error) => tracing::error!(%error, "the ready line cannot be written"),
            }
            return;
        }
        let ahead = world.clock().ahead();
        print(&self.welcome(ready));
        if !ahead.is_zero() {
            let Style { strong, plain, .. } = self.style;
            print(&format!(
                "  {strong}clock{plain}      {} s ahead, as it was left; POST /_local/reset puts it back\n\n",
                ahead.as_secs()
            ));
        }
    }

    fn welcome(&self, ready: &Ready) -> String {
        let Style {
            strong,
            faint,
            plain,
            ..
        } = self.style;
        let Ready {
            gateway,
            cognito,
            dynamodb,
            agentcore,
            kms,
            lambda,
            mailbox,
            page,
            user_pool_id,
            client_id,
            ..
        } = ready;
        let by_name = page.trim_end_matches('/');
        let public_client = client_id.as_ref().map_or_else(String::new, |client_id| {
            format!("  public client  {client_id}, for Amplify and the like\n")
        });
        format!(
            "\n  {strong}Latchkey{plain} is running\n\n\
             \x20 {strong}page{plain}       {page}\n\
             \x20 {strong}API{plain}        {gateway}\n\
             \x20 {strong}mailbox{plain}    {mailbox}\n\
             \x20 {faint}cognito    {cognito} (pool {user_pool_id})\n\
             {public_client}\
             \x20 dynamodb   {dynamodb}\n\
             \x20 agentcore  {agentcore}\n\
             \x20 kms, secretsmanager, ses  {kms}\n\
             \x20 lambda     {lambda}\n\
             \x20 MCP        {gateway}/_local/mcp{plain}\n\n\
             \x20 Sign in on the page, or begin with\n\
             \x20   {strong}curl -d '{{\"email\":\"ada@example.com\"}}' -H 'content-type: application/json' {gateway}/auth/otp/initiate{plain}\n\n\
             \x20 {faint}A browser takes localhost and 127.0.0.1 for two sites: a page on localhost gets its cookies\n\
             \x20 from {by_name}, and not from the other name.\n\n\
             \x20 Ctrl-C stops it.{plain}\n\n"
        )
    }

    /// A request was answered.
    pub(crate) fn request(&self, served: &Served) {
        if self.json {
            return;
        }
        let Style {
            faint,
            good,
            bad,
            plain,
            ..
        } = self.style;
        let colour = if served.status < 400 { good } else { bad };
        let code = served.code.as_deref().map(printable);
        let code = code.map_or_else(String::new, |code| format!(" {code}"));
        let calls = match served.aws_calls {
            0 => String::new(),
            1 => ", 1 AWS call".to_owned(),
            several => format!(", {several} AWS calls"),
        };
        print(&format!(
            "{:<6} {:<28} {colour}{}{code}{plain}  {faint}{} ms{calls}{plain}\n",
            served.method,
            printable(&served.path),
            served.status,
            served.took.as_millis(),
        ));
    }

    /// A mail was sent.
    pub(crate) fn mail(&self, mail: &Mail) {
        if self.json {
            return;
        }
        let Style {
            strong,
            mail: colour,
            plain,
            ..
        } = self.style;
        let bar = format!("{colour}  |{plain}");
        let text = mail
            .text
            .lines()
            .map(printable)
            .collect::<Vec<_>>()
            .join(&format!("\n{bar} "));
        print(&format!(
            "\n{bar} mail to {strong}{}{plain}\n{bar} {}\n{bar} {text}\n\n",
            printable(&mail.to),
            printable(&mail.subject),
        ));
    }

    /// A function wrote a line.
    pub(crate) fn log_line(&self, line: &str) {
        let level =
            serde_json::from_str::<Value>(line)
                .ok()
                .map(|fields| match fields["level"].as_str() {
                    Some("ERROR") => Level::Error,
                    Some("WARN") => Level::Warning,
                    Some(_) | None => Level::Any,
                });
        if level.unwrap_or(Level::Error) >= self.function_lines {
            // If standard error is closed, the message has no reader.
            let _unheard = writeln!(io::stderr(), "{line}");
        }
    }
}

/// Text from outside, without characters that move the cursor.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

/// A closed pipe is no error: its reader has seen enough, and the world continues.
fn print(text: &str) {
    let mut stdout = io::stdout().lock();
    let _unheard = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
}
