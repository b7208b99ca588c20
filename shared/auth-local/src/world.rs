//! A world: the gateway, every function and everything that they stand on, in one process, on ports of its own.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use auth_api::{Contract, TriggerKind};
use aws_local::AwsLocal;
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State as Shared};
use axum::http::Response;
use axum::middleware::from_fn;
use axum::routing::get;
use axum::serve::ListenerExt;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cognito_local::{ClientSpec, Cognito, PoolSpec, RefreshRotation, Secret};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use url::Url;

use crate::aws_calls::{AwsCall, AwsCalls};
use crate::clock::WorldClock;
use crate::control;
use crate::dynamodb::{DynamoDb, Tables};
use crate::faults::Fault;
use crate::functions::{self, Functions, FunctionsError, Surroundings};
use crate::gateway::{Gateway, Setup, Stage};
use crate::guard;
use crate::invoke_api::InvokeApi;
use crate::logs::Logs;
use crate::mailbox::{Incoming, Mail, Mailbox};
use crate::options::{Options, State, Watchers};
use crate::page;
use crate::ports::{Listeners, PortError, url};
use crate::random;
use crate::settings::Settings;
use crate::state_folder::{StateFolder, StateFolderError};

const REGION: &str = "eu-west-1";
const ACCOUNT_ID: &str = "000000000000";
const API_ID: &str = "latchkey00";
const SECRETS_ID: &str = "latchkey-local/secrets";

/// How long a rotated refresh token still works: two tabs that refresh at once are seconds apart at most.
const ROTATION_GRACE_SECONDS: u8 = 10;

/// The shortest password of the pool, as in the domain.
const SHORTEST_PASSWORD: usize = 12;

/// Minutes for a code, as in the domain.
const SIGN_IN_MINUTES: u8 = 5;

/// How often what has expired is deleted while nobody moves the clock. DynamoDB itself promises days.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// How long requests that are being answered may hold up a shutdown.
const SHUTDOWN_PATIENCE: Duration = Duration::from_secs(3);

/// Why a world does not start, or does not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// A port cannot be had.
    #[error(transparent)]
    Port(#[from] PortError),
    /// The state folder cannot be had.
    #[error(transparent)]
    StateFolder(#[from] StateFolderError),
    /// A function does not start.
    #[error(transparent)]
    Functions(#[from] FunctionsError),
    /// A part of the world failed.
    #[error("{part} failed")]
    Part {
        /// Which one.
        part: &'static str,
        /// What it said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl WorldError {
    /// For `map_err`: names the part that failed.
    fn of<E>(part: &'static str) -> impl FnOnce(E) -> Self
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        move |source| Self::Part {
            part,
            source: source.into(),
        }
    }
}

/// Where everything is: the ready line.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ready {
    /// The HTTP API.
    pub gateway: String,
    /// The user pool.
    pub cognito: String,
    /// The tables.
    pub dynamodb: String,
    /// KMS.
    pub kms: String,
    /// Secrets Manager.
    pub secretsmanager: String,
    /// SES.
    pub ses: String,
    /// The Invoke API.
    pub lambda: String,
    /// The mails.
    pub mailbox: String,
    /// The web page.
    pub page: String,
    /// The Region of everything.
    pub region: String,
    /// The user pool's id.
    pub user_pool_id: String,
    /// The public app client's id, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The tables' names.
    pub tables: Tables,
}

/// The recorded ways in which Cognito answers a sign-in for a user that it does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum UnknownUser {
    /// As if the user could sign in by an email code, and only so.
    EmailOtp,
    /// As if the user had every factor.
    AllFactors,
    /// Now this way, now that.
    Varying,
}

/// A running world. Dropping it ends it at once; [`World::shutdown`] ends it in order.
pub struct World {
    inner: Arc<Inner>,
    gateway: Servers,
    stand_ins: Servers,
    sweeping: JoinSet<()>,
}

/// What the servers share.
pub(crate) struct Inner {
    pub(crate) clock: WorldClock,
    pub(crate) mailbox: Arc<Mailbox>,
    pub(crate) calls: Arc<AwsCalls>,
    pub(crate) logs: Arc<Logs>,
    ready: Ready,
    operations_client_id: String,
    functions: Arc<Functions>,
    gateway: Gateway,
    cognito: Cognito,
    dynamodb: DynamoDb,
    watchers: Watchers,
    folder: Option<StateFolder>,
}

/// The directory that the operations work with: pool, app clients and the secret of one of them.
struct Directory {
    cognito: Cognito,
    user_pool_id: String,
    operations_client_id: String,
    operations_client_secret: String,
    public_client_id: Option<String>,
}

impl World {
    /// Starts a world, and returns when everything answers.
    pub async fn start(options: Options) -> Result<Self, WorldError> {
        let listeners = Listeners::bind(options.port).await?;
        let listening = WorldError::of::<io::Error>;
        let gateway_url = url(&listeners.gateway).map_err(listening("the gateway's port"))?;
        let cognito_url = url(&listeners.cognito).map_err(listening("Cognito's port"))?;
        let dynamodb_url = url(&listeners.dynamodb).map_err(listening("DynamoDB's port"))?;
        let rest_url = url(&listeners.rest).map_err(listening("the port of the small rest"))?;

        let folder = open_folder(&options)?;
        let file = |name: &str| folder.as_ref().map(|folder| folder.file(name));
        let clock = folder.as_ref().map_or_else(WorldClock::default, |folder| {
            WorldClock::ahead_by(folder.clock_ahead())
        });
        let mailbox = Arc::new(
            Mailbox::open(clock.clone(), file("mailbox.jsonl"))
                .map_err(WorldError::of("the mailbox"))?,
        );
        let deliver = deliverer(&mailbox, &options.watchers);

        let dynamodb = DynamoDb::open(file("dynamodb.sqlite"), Tables::local())
            .map_err(WorldError::of("DynamoDB"))?;
        let lambda_url = format!("{gateway_url}/_local/lambda");
        let directory = open_directory(
            cognito_local::Options {
                region: REGION.to_owned(),
                account_id: ACCOUNT_ID.to_owned(),
                state: file("cognito.sqlite")
                    .map_or(cognito_local::State::Memory, cognito_local::State::File),
                clock: clock.for_stand_ins(),
                mail: cognito_mail(deliver.clone()),
                lambda_url: Some(lambda_url.clone()),
                ..cognito_local::Options::new(cognito_url.clone())
            },
            options.public_client,
        )?;
        let aws = AwsLocal::open(aws_local::Options {
            region: REGION.to_owned(),
            account_id: ACCOUNT_ID.to_owned(),
            state: file("aws.json").map_or(aws_local::State::Memory, aws_local::State::File),
            clock: clock.for_stand_ins(),
            randomness: random::for_stand_ins(),
            mail: ses_mail(deliver),
        })
        .map_err(WorldError::of("Secrets Manager"))?;
        keep_secrets(&aws, &directory.operations_client_secret)?;

        let ready = Ready {
            kms: rest_url.clone(),
            secretsmanager: rest_url.clone(),
            ses: rest_url.clone(),
            mailbox: format!("{gateway_url}/_local/mailbox"),
            page: format!("{gateway_url}/"),
            lambda: lambda_url,
            gateway: gateway_url,
            cognito: cognito_url,
            dynamodb: dynamodb_url,
            region: REGION.to_owned(),
            user_pool_id: directory.user_pool_id,
            client_id: directory.public_client_id,
            tables: Tables::local(),
        };
        let calls = AwsCalls::new(clock.clone());
        let logs = Logs::new(options.watchers.log_line.clone());
        let values = values(&ready, &directory.operations_client_id, &options.settings);
        let functions = Arc::new(Functions::start(&Surroundings {
            log: logs.subscriber(values.get("LOG_LEVEL").map_or("info", String::as_str)),
            values: &values,
            aws: &aws_environment(&ready),
            account_id: ACCOUNT_ID,
            region: REGION,
            calls: calls.clone(),
            clock: clock.clone(),
            watcher: options.watchers.event.clone(),
        })?);
        let gateway = Gateway::new(Setup {
            stage: Stage {
                account_id: ACCOUNT_ID.to_owned(),
                api_id: API_ID.to_owned(),
                domain_name: format!("{API_ID}.execute-api.{REGION}.amazonaws.com"),
            },
            issuer: format!("{}/{}", ready.cognito, ready.user_pool_id),
            audience: vec![directory.operations_client_id.clone()],
            origins: origins(&ready, &values),
            functions: functions.clone(),
            clock: clock.clone(),
            observer: options.watchers.observer.clone(),
        })
        .map_err(WorldError::of("the JWT authorizer"))?;

        let inner = Arc::new(Inner {
            clock,
            mailbox,
            calls,
            logs,
            ready,
            operations_client_id: directory.operations_client_id,
            functions,
            gateway,
            cognito: directory.cognito,
            dynamodb,
            watchers: options.watchers,
            folder,
        });
        Ok(Self::serve(inner, listeners, &aws))
    }

    fn serve(inner: Arc<Inner>, listeners: Listeners, aws: &AwsLocal) -> Self {
        let mut stand_ins = Servers::default();
        stand_ins.serve(listeners.cognito, inner.cognito.router());
        stand_ins.serve(listeners.rest, aws.router());
        let database = inner.dynamodb.database();
        let stopped = stand_ins.stopped();
        stand_ins.tasks.spawn(async move {
            let served =
                dynoxide::server::serve_with_shutdown(listeners.dynamodb, database, stopped).await;
            if let Err(error) = served {
                tracing::error!(error, "DynamoDB has stopped");
            }
        });
        let mut gateway = Servers::default();
        gateway.serve(listeners.gateway, router(&inner));
        let mut sweeping = JoinSet::new();
        let swept = inner.clone();
        sweeping.spawn(async move {
            loop {
                tokio::time::sleep(SWEEP_EVERY).await;
                if let Err(error) = swept.dynamodb.sweep(swept.clock.now()) {
                    tracing::error!(%error, "what has expired could not be deleted");
                }
            }
        });
        Self {
            inner,
            gateway,
            stand_ins,
            sweeping,
        }
    }

    /// Where everything is.
    #[must_use]
    pub fn ready(&self) -> &Ready {
        &self.inner.ready
    }

    /// The confidential app client that the operations use. Its secret appears nowhere.
    #[must_use]
    pub fn operations_client_id(&self) -> &str {
        &self.inner.operations_client_id
    }

    /// The names of the functions, triggers among them.
    pub fn functions(&self) -> impl Iterator<Item = &'static str> {
        self.inner.functions.names()
    }

    /// The world's clock, to be read. [`World::advance`] moves it.
    #[must_use]
    pub fn clock(&self) -> &WorldClock {
        &self.inner.clock
    }

    /// Moves time ahead for everything in this world, and deletes what expires by that.
    pub fn advance(&self, by: Duration) -> Result<(), WorldError> {
        self.inner.advance(by)
    }

    /// Arms a fault against AWS calls that the functions make from now on.
    pub fn arm(&self, fault: Fault) {
        self.inner.calls.faults.arm(fault);
    }

    /// Disarms every fault.
    pub fn clear_faults(&self) {
        self.inner.calls.faults.clear();
    }

    /// The mails to an address, newest first.
    #[must_use]
    pub fn mails(&self, to: &str) -> Vec<Mail> {
        self.inner.mailbox.to(Some(to))
    }

    /// The newest mail to an address with an id above `after`; waits for one up to `wait`.
    pub async fn latest_mail(&self, to: &str, after: u64, wait: Duration) -> Option<Mail> {
        self.inner.mailbox.latest(Some(to), after, wait).await
    }

    /// The AWS calls that the functions made after call `since`, oldest first.
    #[must_use]
    pub fn calls(&self, since: u64) -> Vec<AwsCall> {
        self.inner
            .calls
            .made
            .since(since)
            .into_iter()
            .map(|(_, call)| call)
            .collect()
    }

    /// The lines that the functions logged, oldest first.
    #[must_use]
    pub fn logs(&self) -> Vec<Arc<str>> {
        self.inner
            .logs
            .lines
            .since(0)
            .into_iter()
            .map(|(_, line)| line)
            .collect()
    }

    /// Chooses how Cognito answers for users that it does not know.
    pub fn set_unknown_user(&self, unknown_user: UnknownUser) {
        self.inner.set_unknown_user(unknown_user);
    }

    /// The user pool, for switches that have no place in the control interface.
    #[must_use]
    pub fn cognito(&self) -> &Cognito {
        &self.inner.cognito
    }

    /// A clean state: no people, no mails, no calls, no faults, and the system's time. Keys, pool and app clients stay, and so
    /// does what warm functions remember of them.
    pub fn reset(&self) -> Result<(), WorldError> {
        self.inner.reset()
    }

    /// Ends the world: no new requests, then the end of those that are being answered, then of what they stood on.
    pub async fn shutdown(mut self) {
        self.sweeping.abort_all();
        self.gateway.stop().await;
        self.stand_ins.stop().await;
    }
}

impl std::fmt::Debug for World {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_tuple("World")
            .field(&self.inner.ready.gateway)
            .finish()
    }
}

impl Inner {
    pub(crate) fn advance(&self, by: Duration) -> Result<(), WorldError> {
        self.clock.advance(by);
        self.keep_clock()?;
        self.dynamodb
            .sweep(self.clock.now())
            .map_err(WorldError::of("DynamoDB's time to live"))
    }

    pub(crate) fn set_unknown_user(&self, unknown_user: UnknownUser) {
        self.cognito.set_unknown_user(match unknown_user {
            UnknownUser::EmailOtp => cognito_local::UnknownUser::EmailOtp,
            UnknownUser::AllFactors => cognito_local::UnknownUser::AllFactors,
            UnknownUser::Varying => cognito_local::UnknownUser::Varying {
                seed: u64::from_be_bytes(random::bytes()),
            },
        });
    }

    pub(crate) fn reset(&self) -> Result<(), WorldError> {
        self.cognito.reset().map_err(WorldError::of("Cognito"))?;
        self.set_unknown_user(UnknownUser::EmailOtp);
        self.dynamodb.clear().map_err(WorldError::of("DynamoDB"))?;
        self.mailbox.clear();
        self.calls.made.clear();
        self.calls.faults.clear();
        self.logs.lines.clear();
        self.gateway.reset();
        self.clock.reset();
        self.keep_clock()
    }

    fn keep_clock(&self) -> Result<(), WorldError> {
        match &self.folder {
            Some(folder) => folder
                .keep_clock_ahead(self.clock.ahead())
                .map_err(WorldError::of("the kept clock")),
            None => Ok(()),
        }
    }
}

/// Servers that are told to stop together.
struct Servers {
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Default for Servers {
    fn default() -> Self {
        Self {
            stop: watch::Sender::new(false),
            tasks: JoinSet::new(),
        }
    }
}

impl Servers {
    fn serve(&mut self, listener: TcpListener, router: Router) {
        let stopped = self.stopped();
        // An answer is one small write: waiting for more of it (Nagle) would only add time.
        let listener = listener.tap_io(|connection| {
            if let Err(error) = connection.set_nodelay(true) {
                tracing::debug!(%error, "TCP_NODELAY was refused");
            }
        });
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        self.tasks.spawn(async move {
            let served = axum::serve(listener, service)
                .with_graceful_shutdown(stopped)
                .await;
            if let Err(error) = served {
                tracing::error!(%error, "a server has stopped");
            }
        });
    }

    fn stopped(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut stop = self.stop.subscribe();
        async move {
            // An error means that the sender is gone, and with it the world.
            let _gone = stop.wait_for(|stop| *stop).await;
        }
    }

    async fn stop(&mut self) {
        self.stop.send_replace(true);
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(SHUTDOWN_PATIENCE, ended)
            .await
            .is_err()
        {
            self.tasks.abort_all();
        }
    }
}

fn router(inner: &Arc<Inner>) -> Router {
    let lambda = InvokeApi {
        functions: inner.functions.clone(),
        logs: inner.logs.clone(),
    };
    let local = control::router()
        .merge(page::router())
        .nest("/lambda", lambda.router())
        .layer(from_fn(guard::same_origin_only));
    Router::new()
        .route("/", get(page::index).fallback(through_the_gateway))
        .nest("/_local", local)
        .fallback(through_the_gateway)
        .layer(from_fn(guard::loopback_only))
        .with_state(inner.clone())
}

async fn through_the_gateway(
    Shared(inner): Shared<Arc<Inner>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response<Body> {
    let (response, served) = inner.gateway.serve(peer, request).await;
    if let Some(watcher) = &inner.watchers.served {
        watcher(&served);
    }
    response
}

fn open_folder(options: &Options) -> Result<Option<StateFolder>, WorldError> {
    let State::Folder(path) = &options.state else {
        return Ok(None);
    };
    let folder = StateFolder::lock(path)?;
    if options.fresh {
        folder.forget()?;
    }
    Ok(Some(folder))
}

type Deliver = Arc<dyn Fn(Incoming) + Send + Sync>;

fn deliverer(mailbox: &Arc<Mailbox>, watchers: &Watchers) -> Deliver {
    let (mailbox, watcher) = (mailbox.clone(), watchers.mail.clone());
    Arc::new(move |incoming| {
        let mail = mailbox.deliver(incoming);
        if let Some(watcher) = &watcher {
            watcher(&mail);
        }
    })
}

fn cognito_mail(deliver: Deliver) -> Arc<dyn Fn(cognito_local::Mail) + Send + Sync> {
    Arc::new(move |mail| {
        deliver(Incoming {
            to: mail.to,
            subject: mail.subject,
            text: mail.text,
            html: mail.html,
            code: Some(mail.code),
        });
    })
}

fn ses_mail(deliver: Deliver) -> aws_local::MailSink {
    Arc::new(move |mail| {
        for to in mail.to {
            deliver(Incoming {
                to,
                subject: mail.subject.clone(),
                text: mail.text.clone().unwrap_or_default(),
                html: mail.html.clone().unwrap_or_default(),
                code: None,
            });
        }
    })
}

/// Opens Cognito with the pool and the app clients of a deployment, which are made at the first start and kept.
fn open_directory(
    options: cognito_local::Options,
    public_client: bool,
) -> Result<Directory, WorldError> {
    let failed = WorldError::of::<cognito_local::SpecError>;
    let cognito = Cognito::open(options).map_err(WorldError::of("Cognito"))?;
    let mut pool = PoolSpec {
        minimum_password_length: SHORTEST_PASSWORD,
        password_composition: false,
        admins_create_users_only: true,
        ..PoolSpec::passwordless("latchkey-local")
    };
    for trigger in Contract::embedded().triggers() {
        let arn = functions::arn(REGION, ACCOUNT_ID, &trigger.name);
        match trigger.kind {
            TriggerKind::PreTokenGenerationV2 => pool.pre_token_generation = Some(arn),
        }
    }
    let user_pool_id = cognito.ensure_pool(pool).map_err(failed("the user pool"))?;
    let operations = ClientSpec {
        secret: Secret::Generated,
        explicit_auth_flows: vec!["ALLOW_USER_AUTH".to_owned()],
        auth_session_minutes: SIGN_IN_MINUTES,
        refresh_rotation: Some(RefreshRotation {
            grace_seconds: ROTATION_GRACE_SECONDS,
        }),
        ..ClientSpec::new("latchkey-local-operations")
    };
    let operations = cognito
        .ensure_client(&user_pool_id, operations)
        .map_err(failed("the operations' app client"))?;
    let public_client_id = if public_client {
        let browser = ClientSpec {
            explicit_auth_flows: [
                "ALLOW_USER_AUTH",
                "ALLOW_USER_PASSWORD_AUTH",
                "ALLOW_REFRESH_TOKEN_AUTH",
            ]
            .map(str::to_owned)
            .to_vec(),
            auth_session_minutes: SIGN_IN_MINUTES,
            ..ClientSpec::new("latchkey-local-browser")
        };
        let client = cognito
            .ensure_client(&user_pool_id, browser)
            .map_err(failed("the browser's app client"))?;
        Some(client.client_id)
    } else {
        None
    };
    Ok(Directory {
        cognito,
        user_pool_id,
        operations_client_id: operations.client_id,
        operations_client_secret: operations.client_secret.unwrap_or_default(),
        public_client_id,
    })
}

/// Keeps the operations' secret in Secrets Manager: made at the first start, with the app client's secret as Cognito has it.
fn keep_secrets(aws: &AwsLocal, client_secret: &str) -> Result<(), WorldError> {
    let failed = WorldError::of::<aws_local::StateError>;
    let first = || {
        let key = STANDARD.encode(random::bytes::<32>());
        json!({ "clientSecret": client_secret, "keys": { "current": key } }).to_string()
    };
    aws.ensure_secret(SECRETS_ID, first)
        .map_err(failed("Secrets Manager"))?;
    let kept = aws.secret(SECRETS_ID).unwrap_or_default();
    let mut kept: Value = serde_json::from_str(&kept).map_err(WorldError::of("the kept secret"))?;
    if kept["clientSecret"] != client_secret {
        kept["clientSecret"] = client_secret.into();
        aws.set_secret(SECRETS_ID, kept.to_string())
            .map_err(failed("Secrets Manager"))?;
    }
    Ok(())
}

/// Every value that a function may be given, by the name that the contract gives it.
fn values(
    ready: &Ready,
    operations_client_id: &str,
    settings: &Settings,
) -> BTreeMap<String, String> {
    let made = [
        ("ENVIRONMENT", "local"),
        ("COGNITO_USER_POOL_ID", &ready.user_pool_id),
        ("COGNITO_CLIENT_ID", operations_client_id),
        ("GUESTS_TABLE_NAME", &ready.tables.guests),
        ("CHALLENGES_TABLE_NAME", &ready.tables.challenges),
        ("SECRETS_ID", SECRETS_ID),
        ("FRONTEND_URL", &ready.gateway),
    ];
    let made = made.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let defaults = Contract::embedded()
        .settings()
        .iter()
        .filter_map(|setting| Some((setting.name.clone(), setting.default.clone()?)));
    let configured = Contract::embedded()
        .settings()
        .iter()
        .filter_map(|setting| {
            Some((
                setting.name.clone(),
                settings.get(&setting.name)?.to_owned(),
            ))
        });
    defaults.chain(made).chain(configured).collect()
}

/// What Lambda, and a developer who points the SDK at stand-ins, put into a function's environment.
fn aws_environment(ready: &Ready) -> BTreeMap<String, String> {
    [
        ("AWS_REGION", ready.region.as_str()),
        ("AWS_ACCESS_KEY_ID", "LOCAL"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", &ready.cognito),
        ("AWS_ENDPOINT_URL_DYNAMODB", &ready.dynamodb),
        ("AWS_ENDPOINT_URL_KMS", &ready.kms),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", &ready.secretsmanager),
        ("AWS_ENDPOINT_URL_SESV2", &ready.ses),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

/// The origins that may call the API from a browser: the front end's, and the page's own under both names of this machine.
fn origins(ready: &Ready, values: &BTreeMap<String, String>) -> Vec<String> {
    let front_end = values
        .get("FRONTEND_URL")
        .and_then(|front_end| Url::parse(front_end).ok())
        .map(|front_end| front_end.origin().ascii_serialization());
    let by_name = ready.gateway.replace("127.0.0.1", "localhost");
    front_end
        .into_iter()
        .chain([ready.gateway.clone(), by_name])
        .collect()
}
