//! Signs people in through a running gateway, as fast as it lets a number of them at once, then
//! refreshes their tokens: `load GATEWAY PEOPLE AT_ONCE`. Prints one line of JSON.
//!
//! The gateway has to be started with limits and floors out of the way; any answer that is not a
//! success ends the run.

#![expect(
    clippy::print_stdout,
    reason = "the figures are what this program is for"
)]

use std::{
    env,
    error::Error,
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::Client;
use serde_json::{Value, json};
use tokio::task::JoinSet;

type Failure = Box<dyn Error + Send + Sync>;

/// The requests come from as many addresses: no network may begin sign-ins without end, and none of
/// these does.
const ADDRESSES: u8 = 50;

/// How long a mail may take to arrive.
const MAIL_WAIT_SECONDS: u8 = 5;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [gateway, people, at_once] = arguments.as_slice() else {
        return Err("usage: load GATEWAY PEOPLE AT_ONCE".into());
    };
    let (people, at_once): (usize, usize) = (people.parse()?, at_once.parse()?);
    let api = Arc::new(Api::new(gateway)?);

    let people: Vec<String> = (0..people)
        .map(|number| format!("guest{number}@example.com"))
        .collect();
    let (sign_ins, tokens) = measured(people, at_once, &api, Api::sign_in).await?;
    let (refreshes, _) = measured(tokens, at_once, &api, Api::refresh).await?;
    println!("{}", json!({ "signIns": sign_ins, "refreshes": refreshes }));
    Ok(())
}

struct Api {
    clients: Vec<Client>,
    next: AtomicUsize,
    gateway: String,
}

impl Api {
    fn new(gateway: &str) -> Result<Self, reqwest::Error> {
        let client = |last| {
            let address = Ipv4Addr::new(127, 0, 1, last);
            Client::builder()
                .local_address(IpAddr::from(address))
                .build()
        };
        Ok(Self {
            clients: (1..=ADDRESSES).map(client).collect::<Result<_, _>>()?,
            next: AtomicUsize::new(0),
            gateway: gateway.to_owned(),
        })
    }

    fn client(&self) -> &Client {
        &self.clients[self.next.fetch_add(1, Ordering::Relaxed) % self.clients.len()]
    }

    /// Signs `email` in by code, and returns the refresh token.
    async fn sign_in(self: Arc<Self>, email: String) -> Result<String, Failure> {
        let started = self
            .post("auth/otp/initiate", &json!({ "email": email }))
            .await?;
        let mailbox = format!(
            "{}/_local/mailbox/latest?to={email}&wait={MAIL_WAIT_SECONDS}",
            self.gateway
        );
        let mail = self
            .client()
            .get(mailbox)
            .send()
            .await?
            .error_for_status()?;
        let mail: Value = mail.json().await?;
        let proof = json!({ "email": email, "code": mail["code"], "sessionToken": started["sessionToken"] });
        let tokens = self.post("auth/otp/verify", &proof).await?;
        Ok(tokens["refreshToken"]
            .as_str()
            .ok_or("no refresh token")?
            .to_owned())
    }

    /// Exchanges a refresh token for new ones, and returns the next refresh token.
    async fn refresh(self: Arc<Self>, token: String) -> Result<String, Failure> {
        let tokens = self
            .post("auth/refresh", &json!({ "refreshToken": token }))
            .await?;
        Ok(tokens["refreshToken"]
            .as_str()
            .ok_or("no refresh token")?
            .to_owned())
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        let url = format!("{}/{path}", self.gateway);
        let answer = self.client().post(url).json(body).send().await?;
        let (status, body) = (answer.status(), answer.text().await?);
        if !status.is_success() {
            return Err(format!("{path}: {status}: {body}").into());
        }
        Ok(serde_json::from_str(&body)?)
    }
}

/// Does `act` on every input, `at_once` of them at any moment; returns the figures, and what came
/// out.
async fn measured<Act, Acting>(
    inputs: Vec<String>,
    at_once: usize,
    api: &Arc<Api>,
    act: Act,
) -> Result<(Value, Vec<String>), Failure>
where
    Act: Fn(Arc<Api>, String) -> Acting,
    Acting: Future<Output = Result<String, Failure>> + Send + 'static,
{
    let mut waiting = inputs.into_iter();
    let mut running = JoinSet::new();
    let (mut times, mut outputs) = (Vec::new(), Vec::new());
    let started = Instant::now();
    loop {
        while running.len() < at_once
            && let Some(input) = waiting.next()
        {
            let acting = act(api.clone(), input);
            running.spawn(async move {
                let started = Instant::now();
                acting.await.map(|output| (started.elapsed(), output))
            });
        }
        let Some(done) = running.join_next().await else {
            break;
        };
        let (time, output) = done??;
        times.push(time);
        outputs.push(output);
    }
    Ok((figures(started.elapsed(), times), outputs))
}

fn figures(elapsed: Duration, mut times: Vec<Duration>) -> Value {
    times.sort_unstable();
    let at = |percent: usize| {
        let index = (times.len() * percent / 100).min(times.len().saturating_sub(1));
        times.get(index).map(|time| time.as_secs_f64() * 1000.0)
    };
    let count = u32::try_from(times.len()).unwrap_or(u32::MAX);
    json!({
        "count": count,
        "perSecond": f64::from(count) / elapsed.as_secs_f64(),
        "p50Ms": at(50),
        "p99Ms": at(99),
    })
}
