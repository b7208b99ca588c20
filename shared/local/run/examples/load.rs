//! Puts load on a gateway, and prints the figures as JSON: a line for each phase, once it is over.
//!
//! Arrivals are scheduled: a slow answer delays none of them, and a time counts from the moment at
//! which its arrival was due. `--at-once` is the opposite: that many people sign in by code as fast
//! as the gateway lets them, and then refresh their tokens. `--better-auth` puts the same sign-ins
//! on a peer.
//!
//! Start the gateway with limits and floors out of the way. Codes are read from a local run's
//! mailbox. Against a deployment, `--accounts` names people who have passwords, and registrations
//! and codes stay at zero.

#![expect(
    clippy::print_stdout,
    reason = "the figures are what this program is for"
)]

use std::{
    collections::{BTreeMap, VecDeque},
    env,
    error::Error,
    fs,
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use clap::Parser;
use reqwest::Client;
use serde_json::{Value, json};
use tokio::{task::JoinSet, time::sleep_until};

type Failure = Box<dyn Error + Send + Sync>;

/// Requests to a local run come from as many addresses of loopback: no network may begin sign-ins
/// without end.
const ADDRESSES: u8 = 50;

/// How long a mail may take to arrive.
const MAIL_WAIT_SECONDS: u8 = 5;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// An answer this quick shows that the gateway has recovered.
const RECOVERED: Duration = Duration::from_millis(500);

/// The pause between two looks whether it has.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// People who are made ready at the same moment.
const MADE_AT_ONCE: usize = 8;

const PASSWORD: &str = "a river of quiet lanterns";

/// Puts load on a gateway.
#[derive(Parser)]
struct Options {
    /// The gateway, such as `http://127.0.0.1:8787`.
    gateway: String,
    /// How long arrivals go on.
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// Multiplies every rate.
    #[arg(long, default_value_t = 1.0)]
    times: f64,
    /// Logins by password a second.
    #[arg(long, default_value_t = 100.0)]
    logins: f64,
    /// Registrations a second: begun, mailed and confirmed.
    #[arg(long, default_value_t = 10.0)]
    registrations: f64,
    /// Exchanges of refresh tokens a second.
    #[arg(long, default_value_t = 50.0)]
    refreshes: f64,
    /// Sign-ins by mailed code a second.
    #[arg(long, default_value_t = 10.0)]
    codes: f64,
    /// How many people there are.
    #[arg(long, default_value_t = 400)]
    people: usize,
    /// A file with an address and a password on each line, in place of people that are registered
    /// first.
    #[arg(long)]
    accounts: Option<PathBuf>,
    /// Puts no load by rates: so many people sign in by code at any moment.
    #[arg(long)]
    at_once: Option<usize>,
    /// The gateway is Better Auth, as `scripts/bench --peers` starts it.
    #[arg(long, requires = "at_once")]
    better_auth: bool,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let options = Options::parse_from(env::args());
    let api = Arc::new(Api::new(&options.gateway)?);
    match options.at_once {
        Some(at_once) => as_fast_as_possible(&api, &options, at_once).await?,
        None => println!("{}", by_rates(&api, &options).await?),
    }
    Ok(())
}

/// One kind of load.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Login,
    Registration,
    Refresh,
    Code,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Login, Self::Registration, Self::Refresh, Self::Code];

    fn name(self) -> &'static str {
        match self {
            Self::Login => "logins",
            Self::Registration => "registrations",
            Self::Refresh => "refreshes",
            Self::Code => "codes",
        }
    }

    fn per_second(self, options: &Options) -> f64 {
        let rate = match self {
            Self::Login => options.logins,
            Self::Registration => options.registrations,
            Self::Refresh => options.refreshes,
            Self::Code => options.codes,
        };
        rate * options.times
    }
}

/// A person who can sign in.
#[derive(Clone)]
struct Person {
    email: String,
    password: String,
}

/// The people of a run, and the refresh tokens that no request uses now.
struct Crowd {
    people: Vec<Person>,
    tokens: Mutex<VecDeque<String>>,
    newcomers: AtomicUsize,
    /// Sign-ins by password, and by code.
    turns: [AtomicUsize; 2],
}

impl Crowd {
    /// Signs every person in once.
    async fn ready(api: &Arc<Api>, options: &Options) -> Result<Self, Failure> {
        let people = match &options.accounts {
            Some(path) => accounts(&fs::read_to_string(path)?)?,
            None => (0..options.people).map(registrant).collect(),
        };
        let are_there = options.accounts.is_some();
        let signing_in = |api: Arc<Api>, person: Person| async move {
            if are_there {
                api.login(&person).await
            } else {
                api.register(&person).await
            }
        };
        let (_, tokens) = measured(people.clone(), MADE_AT_ONCE, api, signing_in).await?;
        Ok(Self {
            people,
            tokens: Mutex::new(tokens.into()),
            newcomers: AtomicUsize::default(),
            turns: Default::default(),
        })
    }

    /// The next who signs in by password, or by code. Each has a turn: a mailbox gets few codes an
    /// hour. Of an even number of people, nobody does both: a login's notice would come between the
    /// mail with a code and its reader.
    fn somebody(&self, by_code: bool) -> Person {
        let turns = &self.turns[usize::from(by_code)];
        let number = 2 * turns.fetch_add(1, Ordering::Relaxed) + usize::from(by_code);
        self.people[number % self.people.len()].clone()
    }

    fn take_token(&self) -> Option<String> {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.pop_front()
    }

    fn put_token(&self, token: String) {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.push_back(token);
    }

    /// Sends the requests of one kind of load.
    async fn act(&self, kind: Kind, api: &Api) -> Result<(), Failure> {
        match kind {
            Kind::Login => api.login(&self.somebody(false)).await.map(drop),
            Kind::Registration => {
                let number = self.people.len() + self.newcomers.fetch_add(1, Ordering::Relaxed);
                api.register(&registrant(number)).await.map(drop)
            }
            Kind::Refresh => {
                let token = self.take_token().ok_or("no session is free")?;
                let next = api.refresh(&token).await?;
                self.put_token(next);
                Ok(())
            }
            Kind::Code => api.sign_in(&self.somebody(true).email).await.map(drop),
        }
    }
}

fn registrant(number: usize) -> Person {
    Person {
        email: format!("guest{number}@example.com"),
        password: PASSWORD.to_owned(),
    }
}

fn accounts(text: &str) -> Result<Vec<Person>, Failure> {
    let read = |line: &str| {
        let (email, password) = line.split_once(char::is_whitespace)?;
        Some(Person {
            email: email.to_owned(),
            password: password.trim().to_owned(),
        })
    };
    let people: Option<Vec<Person>> = text.lines().map(read).collect();
    people
        .filter(|people| !people.is_empty())
        .ok_or_else(|| "each line of the accounts is an address and a password".into())
}

/// Lets arrivals come when they are due, and waits for the last.
async fn by_rates(api: &Arc<Api>, options: &Options) -> Result<Value, Failure> {
    let crowd = Arc::new(Crowd::ready(api, options).await?);
    let mut running = JoinSet::new();
    let begin = Instant::now();
    let mut arrivals: Vec<(Duration, Kind)> = Kind::ALL
        .into_iter()
        .flat_map(|kind| due(kind, options))
        .collect();
    arrivals.sort_unstable();
    for (after, kind) in arrivals {
        let due = begin + after;
        sleep_until(due.into()).await;
        let (api, crowd) = (api.clone(), crowd.clone());
        running.spawn(async move {
            let outcome = crowd.act(kind, &api).await;
            (
                kind,
                due.elapsed(),
                outcome.map_err(|error| error.to_string()),
            )
        });
    }
    let last_arrival = Instant::now();
    let mut times: BTreeMap<Kind, Vec<Duration>> = BTreeMap::new();
    let mut errors: BTreeMap<Kind, BTreeMap<String, usize>> = BTreeMap::new();
    while let Some(done) = running.join_next().await {
        let (kind, time, outcome) = done?;
        match outcome {
            Ok(()) => times.entry(kind).or_default().push(time),
            Err(error) => *errors.entry(kind).or_default().entry(error).or_default() += 1,
        }
    }
    let recovered_after = recovery(api, &crowd, last_arrival).await;
    let elapsed = Duration::from_secs(options.seconds.into());
    let kinds = Kind::ALL.into_iter().map(|kind| {
        let mut figures = figures(elapsed, times.remove(&kind).unwrap_or_default());
        let errors = errors.remove(&kind).unwrap_or_default();
        figures["wantedPerSecond"] = json!(kind.per_second(options));
        figures["errors"] = json!(errors.values().sum::<usize>());
        figures["errorsByText"] = json!(errors);
        (kind.name().to_owned(), figures)
    });
    let mut all: Value = Value::Object(kinds.collect());
    all["recoveredAfterMs"] = json!(recovered_after.as_secs_f64() * 1000.0);
    Ok(all)
}

/// When arrivals of a kind are due, evenly over the time.
fn due(kind: Kind, options: &Options) -> impl Iterator<Item = (Duration, Kind)> + use<> {
    let (rate, end) = (kind.per_second(options), f64::from(options.seconds));
    (0_u32..)
        .map(move |number| f64::from(number) / rate)
        .take_while(move |second| *second < end)
        .map(move |second| (Duration::from_secs_f64(second), kind))
}

/// How long after the last arrival a login is quick again.
async fn recovery(api: &Api, crowd: &Crowd, last_arrival: Instant) -> Duration {
    loop {
        let started = Instant::now();
        let login = api.login(&crowd.somebody(false)).await;
        if login.is_ok() && started.elapsed() < RECOVERED {
            return last_arrival.elapsed();
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// All people sign in by code, a fixed number of them at any moment. Then they refresh.
async fn as_fast_as_possible(
    api: &Arc<Api>,
    options: &Options,
    at_once: usize,
) -> Result<(), Failure> {
    let people = (0..options.people).map(registrant).collect();
    if options.better_auth {
        let signing_in = |api: Arc<Api>, person: Person| async move {
            api.sign_in_to_better_auth(&person.email).await
        };
        let (sign_ins, _) = measured(people, at_once, api, signing_in).await?;
        println!("{}", json!({ "signIns": sign_ins }));
        return Ok(());
    }
    let signing_in =
        |api: Arc<Api>, person: Person| async move { api.sign_in(&person.email).await };
    let (sign_ins, tokens) = measured(people, at_once, api, signing_in).await?;
    println!("{}", json!({ "signIns": sign_ins }));
    let refreshing = |api: Arc<Api>, token: String| async move { api.refresh(&token).await };
    let (refreshes, _) = measured(tokens, at_once, api, refreshing).await?;
    println!("{}", json!({ "refreshes": refreshes }));
    Ok(())
}

struct Api {
    clients: Vec<Client>,
    next: AtomicUsize,
    gateway: String,
}

impl Api {
    fn new(gateway: &str) -> Result<Self, Failure> {
        let host = reqwest::Url::parse(gateway)?;
        let is_local = host.host_str() == Some("127.0.0.1");
        let client = |last| {
            let address = Ipv4Addr::new(127, 0, 1, last);
            Client::builder()
                .timeout(PATIENCE)
                .local_address(is_local.then_some(IpAddr::from(address)))
                .build()
        };
        Ok(Self {
            clients: (1..=ADDRESSES).map(client).collect::<Result<_, _>>()?,
            next: AtomicUsize::new(0),
            gateway: gateway.trim_end_matches('/').to_owned(),
        })
    }

    fn client(&self) -> &Client {
        &self.clients[self.next.fetch_add(1, Ordering::Relaxed) % self.clients.len()]
    }

    /// Signs a person in by password, and returns the refresh token.
    async fn login(&self, person: &Person) -> Result<String, Failure> {
        let proof = json!({ "email": person.email, "password": person.password });
        let tokens = self.post("auth/login", &proof).await?;
        text(&tokens, "refreshToken")
    }

    /// Registers a person, confirms the address, and returns the refresh token.
    async fn register(&self, person: &Person) -> Result<String, Failure> {
        let wanted = json!({ "email": person.email, "password": person.password });
        let begun = self.post("auth/register", &wanted).await?;
        let code = self.mailed_code(&person.email).await?;
        let proof = json!({ "code": code, "sessionToken": begun["sessionToken"] });
        let tokens = self.post("auth/register/confirm", &proof).await?;
        text(&tokens, "refreshToken")
    }

    /// Signs `email` in by code, and returns the refresh token.
    async fn sign_in(&self, email: &str) -> Result<String, Failure> {
        let started = self
            .post("auth/otp/initiate", &json!({ "email": email }))
            .await?;
        let code = self.mailed_code(email).await?;
        let proof =
            json!({ "email": email, "code": code, "sessionToken": started["sessionToken"] });
        let tokens = self.post("auth/otp/verify", &proof).await?;
        text(&tokens, "refreshToken")
    }

    /// Signs `email` in at Better Auth by code, and returns the session's token.
    async fn sign_in_to_better_auth(&self, email: &str) -> Result<String, Failure> {
        let wish = json!({ "email": email, "type": "sign-in" });
        self.post("api/auth/email-otp/send-verification-otp", &wish)
            .await?;
        let code = self.json_at(&format!("code?email={email}")).await?;
        let proof = json!({ "email": email, "otp": code["code"] });
        let session = self.post("api/auth/sign-in/email-otp", &proof).await?;
        text(&session, "token")
    }

    /// Exchanges a refresh token for new ones, and returns the next refresh token.
    async fn refresh(&self, token: &str) -> Result<String, Failure> {
        let tokens = self
            .post("auth/refresh", &json!({ "refreshToken": token }))
            .await?;
        text(&tokens, "refreshToken")
    }

    async fn mailed_code(&self, email: &str) -> Result<Value, Failure> {
        let newest = format!("_local/mailbox/latest?to={email}&wait={MAIL_WAIT_SECONDS}");
        let mail = self.json_at(&newest).await?;
        Ok(mail["code"].clone())
    }

    async fn json_at(&self, path: &str) -> Result<Value, Failure> {
        let url = format!("{}/{path}", self.gateway);
        let answer = self.client().get(url).send().await?;
        Ok(answer.error_for_status()?.json().await?)
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        let url = format!("{}/{path}", self.gateway);
        let answer = self.client().post(url).json(body).send().await;
        let answer = answer.map_err(|error| {
            if error.is_timeout() {
                format!("{path}: no answer within {} s", PATIENCE.as_secs())
            } else {
                format!("{path}: no answer")
            }
        })?;
        let (status, body) = (answer.status(), answer.text().await?);
        let body: Value = serde_json::from_str(&body).unwrap_or_default();
        if !status.is_success() {
            let code = body["code"].as_str().unwrap_or_default();
            return Err(format!("{path}: {} {code}", status.as_u16()).into());
        }
        Ok(body)
    }
}

fn text(answer: &Value, field: &str) -> Result<String, Failure> {
    let text = answer[field].as_str().map(str::to_owned);
    text.ok_or_else(|| format!("no {field}").into())
}

/// Runs `act` on every input, `at_once` of them at any moment. Returns the figures and the outputs.
/// Any failure ends it.
async fn measured<Input, Act, Acting>(
    inputs: Vec<Input>,
    at_once: usize,
    api: &Arc<Api>,
    act: Act,
) -> Result<(Value, Vec<String>), Failure>
where
    Act: Fn(Arc<Api>, Input) -> Acting,
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
    let at = |thousandth: usize| {
        let index = (times.len() * thousandth / 1000).min(times.len().saturating_sub(1));
        times.get(index).map(|time| time.as_secs_f64() * 1000.0)
    };
    let count = u32::try_from(times.len()).unwrap_or(u32::MAX);
    json!({
        "count": count,
        "perSecond": f64::from(count) / elapsed.as_secs_f64(),
        "p50Ms": at(500),
        "p99Ms": at(990),
        "p999Ms": at(999),
    })
}
