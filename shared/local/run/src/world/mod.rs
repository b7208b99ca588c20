//! A world: the gateway, every function and their stand-ins, in one process, on its own ports.

pub(crate) mod account;
mod agent_identity;
pub(crate) mod clock;
mod directory;
pub(crate) mod dynamodb;
mod dynamodb_api;
pub(crate) mod environment;
mod error;
mod guard;
pub(crate) mod options;
pub(crate) mod ports;
pub(crate) mod random;
mod servers;
pub(crate) mod settings;
mod snapshot;
pub(crate) mod state_folder;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use agentcore_local::{AgentCore, Behaviour};
use auth_api::{Contract, FunctionKind};
use auth_aws::{Environment, MailWords};
use auth_lambda::ClientContext;
use auth_lambda::logging::level_of;
use aws_local::AwsLocal;
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State as Shared};
use axum::http::Response;
use axum::middleware::from_fn;
use axum::routing::get;
use cognito_local::Cognito;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::to_raw_value;
use tokio::task::JoinSet;

use self::account::{ACCOUNT_ID, REGION, SEALING_KEY};
use self::clock::WorldClock;
use self::directory::{Directory, keep_secrets};
use self::dynamodb::{DynamoDb, Tables};
pub use self::error::WorldError;
use self::options::{Options, State, Watcher};
use self::ports::{Listeners, Urls};
use self::servers::Servers;
use self::settings::Settings;
pub use self::snapshot::Snapshot;
use self::state_folder::StateFolder;
use crate::control;
use crate::control::faults::Fault;
use crate::control::mailbox::{Mail, Mailbox};
use crate::control::observer::Served;
use crate::control::requests::Requests;
use crate::functions::aws_calls::{AwsCall, AwsCalls};
use crate::functions::in_process::InProcess;
use crate::functions::invoke_api::InvokeApi;
use crate::functions::logs::Logs;
use crate::functions::mcp::{AgentGateway, json_rpc_only};
use crate::functions::{Functions, Surroundings, schedule};
use crate::gateway::{Gateway, Setup};
use crate::page;

/// The interval of deleting expired items while the clock is not moved. DynamoDB itself promises
/// days.
const SWEEP_EVERY: Duration = Duration::from_mins(1);

/// The pause between two pages of a sweep.
const SWEEP_PAUSE: Duration = Duration::from_millis(10);

/// The route that AgentCore sends browsers back to.
const OAUTH2_CALLBACK: &str = "/auth/callback";

/// All addresses: the ready line.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ready {
    /// The HTTP API.
    pub gateway: String,
    /// The user pool.
    pub cognito: String,
    /// The tables.
    pub dynamodb: String,
    /// AgentCore's identity operations.
    pub agentcore: String,
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
    /// The public app client's id, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// For how many days a browser can be spared the second factor, for the page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remember_device_days: Option<u16>,
    /// The tables' names.
    pub tables: Tables,
}

impl Ready {
    fn new(urls: Urls, lambda: String, directory: &Directory, settings: &Settings) -> Self {
        let days = settings.value("REMEMBER_DEVICE_DAYS");
        Self {
            lambda,
            mailbox: format!("{}/_local/mailbox", urls.gateway),
            page: format!("{}/", urls.by_name()),
            gateway: urls.gateway,
            cognito: urls.cognito,
            dynamodb: urls.dynamodb,
            agentcore: urls.agentcore,
            kms: urls.rest.clone(),
            secretsmanager: urls.rest.clone(),
            ses: urls.rest,
            region: REGION.to_owned(),
            user_pool_id: directory.user_pool_id.clone(),
            client_id: directory.public_client_id.clone(),
            remember_device_days: days.and_then(|days| days.parse().ok()),
            tables: Tables::local(),
        }
    }
}

/// The recorded answers of Cognito to a sign-in of an unknown user.
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
    background: JoinSet<()>,
}

/// The state that the servers share.
pub(crate) struct Inner {
    pub(crate) clock: WorldClock,
    pub(crate) mailbox: Arc<Mailbox>,
    pub(crate) mail_words: MailWords,
    pub(crate) calls: Arc<AwsCalls>,
    pub(crate) logs: Arc<Logs>,
    pub(crate) requests: Arc<Requests>,
    ready: Ready,
    operations_client_id: String,
    functions: Arc<Functions>,
    triggers: Router,
    gateway: Gateway,
    cognito: Cognito,
    agentcore: AgentCore,
    dynamodb: DynamoDb,
    served: Option<Watcher<Served>>,
    folder: Option<StateFolder>,
}

impl World {
    /// Starts a world, and returns when everything answers.
    pub async fn start(options: Options) -> Result<Self, WorldError> {
        let listeners = Listeners::bind(options.port).await?;
        let urls = listeners.urls().map_err(WorldError::of("a listener"))?;
        let folder = open_folder(&options)?;
        let file = |name: &str| folder.as_ref().map(|folder| folder.file(name));
        let ahead = folder.as_ref().map(StateFolder::clock_ahead);
        let clock = ahead.map_or_else(WorldClock::default, WorldClock::ahead_by);
        let watcher = options.watchers.mail.clone();
        let mailbox = Mailbox::open(clock.clone(), watcher, file("mailbox.jsonl"))
            .map_err(WorldError::of_kept("the mailbox", file("mailbox.jsonl")))
            .map(Arc::new)?;
        let dynamodb = open_dynamodb(folder.as_ref())?;
        let lambda = format!("{}/_local/lambda", urls.gateway);
        let front_end = options.front_ends.first().cloned();
        let front_end = front_end.unwrap_or_else(|| urls.by_name());
        let directory = Directory::open(
            cognito_local::Options {
                region: REGION.to_owned(),
                account_id: ACCOUNT_ID.to_owned(),
                state: file("cognito.sqlite")
                    .map_or(cognito_local::State::Memory, cognito_local::State::File),
                clock: clock.for_stand_ins(),
                mail: mailbox.for_cognito(),
                lambda_url: Some(lambda.clone()),
                ..cognito_local::Options::new(urls.cognito.clone())
            },
            &options.settings,
            &front_end,
        )?;
        let issuer = format!("{}/{}", urls.cognito, directory.user_pool_id);
        let oauth2_callback_url = format!("{}{OAUTH2_CALLBACK}", urls.beside(&front_end));
        let agentcore = agent_identity::open(
            urls.agentcore.clone(),
            file("agentcore.sqlite"),
            &clock,
            &directory,
            &issuer,
            &oauth2_callback_url,
        )?;
        let aws = open_aws(file("aws.json"), &clock, &mailbox)?;
        keep_secrets(&aws, &directory.operations_client_secret)?;
        aws.ensure_key(SEALING_KEY).map_err(WorldError::of("KMS"))?;
        let ready = Ready::new(urls, lambda, &directory, &options.settings);

        let routers = StandIns::new(&directory.cognito, &dynamodb, &agentcore, &aws);
        let calls = AwsCalls::new(clock.clone(), routers.in_process(&ready));
        let requests: Arc<Requests> = Arc::default();
        let logs = Logs::new(options.watchers.log_line.clone());
        let values = environment::values(
            &ready,
            &directory,
            &issuer,
            &oauth2_callback_url,
            &directory.hosted_url()?,
            &options.front_ends,
            &options.settings,
        );
        let mail_words = MailWords::new(&Environment::from_pairs(values.clone()))
            .map_err(WorldError::of("the words of mails"))?;
        let log_level = values.get("LOG_LEVEL").map_or("info", String::as_str);
        let log_level = level_of(log_level).map_err(WorldError::of("the log"))?;
        let origins = environment::origins(&ready, &options.front_ends, &values);
        let functions = Arc::new(Functions::new(Surroundings {
            log: logs.subscriber(log_level),
            values,
            aws: environment::aws(&ready),
            calls: calls.clone(),
            clock: clock.clone(),
            watcher: options.watchers.event.clone(),
        })?);
        let gateway = Gateway::new(Setup {
            issuer,
            audience: directory.api_client_ids.clone(),
            origins,
            throttled: options.throttled,
            functions: functions.clone(),
            clock: clock.clone(),
            observer: options.watchers.observer.clone(),
            requests: requests.clone(),
        })
        .map_err(WorldError::of("the JWT authorizer"))?;

        let inner = Arc::new(Inner {
            triggers: lambda_api(&functions, &logs, &requests, &clock).router(),
            clock,
            mailbox,
            mail_words,
            calls,
            logs,
            requests,
            ready,
            operations_client_id: directory.operations_client_id,
            functions,
            gateway,
            cognito: directory.cognito,
            agentcore,
            dynamodb,
            served: options.watchers.served,
            folder,
        });
        Ok(Self::serve(inner, listeners, routers))
    }

    fn serve(inner: Arc<Inner>, listeners: Listeners, routers: StandIns) -> Self {
        call_triggers_in_process(&inner);
        let mut stand_ins = Servers::default();
        stand_ins.serve(listeners.cognito, routers.cognito);
        stand_ins.serve(listeners.dynamodb, routers.dynamodb);
        stand_ins.serve(listeners.agentcore, routers.agentcore);
        stand_ins.serve(listeners.rest, routers.rest);
        let mut gateway = Servers::default();
        gateway.serve(listeners.gateway, guarded(router(&inner)));
        let mut background = JoinSet::new();
        background.spawn(sweep(inner.clone()));
        background.spawn(schedule::keep(inner.functions.clone(), inner.clock.clone()));
        Self {
            inner,
            gateway,
            stand_ins,
            background,
        }
    }

    /// Fails if a function would not start with its settings. Otherwise that shows at its first
    /// invocation, as in Lambda.
    pub fn check_settings(&self) -> Result<(), WorldError> {
        Ok(self.inner.functions.check()?)
    }

    /// All addresses.
    #[must_use]
    pub fn ready(&self) -> &Ready {
        &self.inner.ready
    }

    /// The confidential app client that the operations use. Its secret appears nowhere.
    #[must_use]
    pub fn operations_client_id(&self) -> &str {
        &self.inner.operations_client_id
    }

    /// The names of the functions, of every kind.
    pub fn functions(&self) -> impl Iterator<Item = &'static str> {
        self.inner.functions.names()
    }

    /// The world's clock, to be read. [`World::advance`] moves it.
    #[must_use]
    pub fn clock(&self) -> &WorldClock {
        &self.inner.clock
    }

    /// Moves time forward for everything in this world, and deletes the items that expire by that.
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
        self.inner.calls.since(since)
    }

    /// The id of the newest call. [`World::calls`] after it returns the next ones.
    #[must_use]
    pub fn last_call(&self) -> u64 {
        self.inner.calls.last()
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

    /// Chooses Cognito's answer for unknown users.
    pub fn set_unknown_user(&self, unknown_user: UnknownUser) {
        self.inner.set_unknown_user(unknown_user);
    }

    /// The user pool, for switches that have no place in the control interface.
    #[must_use]
    pub fn cognito(&self) -> &Cognito {
        &self.inner.cognito
    }

    /// AgentCore, with switches for its undocumented behaviour.
    #[must_use]
    pub fn agentcore(&self) -> &AgentCore {
        &self.inner.agentcore
    }

    /// Resets the state: no people, no mails, no calls, no faults, and the system's time. Keys,
    /// pool and app clients stay, and so do the caches of warm functions.
    pub fn reset(&self) -> Result<(), WorldError> {
        self.inner.reset()
    }

    /// Ends the world in order: it refuses new requests, waits for the open ones, then stops the
    /// stand-ins.
    pub async fn shutdown(mut self) {
        self.background.abort_all();
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
    pub(crate) fn ready(&self) -> &Ready {
        &self.ready
    }

    pub(crate) fn dynamodb(&self) -> &DynamoDb {
        &self.dynamodb
    }

    pub(crate) fn advance(&self, by: Duration) -> Result<(), WorldError> {
        self.clock.advance(by);
        self.keep_clock()?;
        self.dynamodb
            .sweep(self.clock.now())
            .map_err(WorldError::of("DynamoDB's time to live"))
    }

    /// Invokes the functions for feedback about mails, as `EventBridge` does.
    pub(crate) async fn hear_of_mail(&self, event: &Value) {
        let listening = Contract::embedded().functions().iter();
        for function in listening.filter(|one| one.kind == FunctionKind::MailFeedback) {
            if let Ok(event) = to_raw_value(event) {
                let context = ClientContext::NoTool;
                self.functions.invoke(&function.name, event, context).await;
            }
        }
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
        self.agentcore
            .reset()
            .map_err(WorldError::of("AgentCore"))?;
        self.agentcore.set_behaviour(Behaviour::default());
        self.dynamodb.clear().map_err(WorldError::of("DynamoDB"))?;
        self.mailbox.clear();
        self.calls.clear();
        self.calls.faults.clear();
        self.logs.lines.clear();
        self.requests.journal.clear();
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

/// The stand-ins, as their ports answer.
struct StandIns {
    cognito: Router,
    dynamodb: Router,
    agentcore: Router,
    rest: Router,
}

impl StandIns {
    fn new(cognito: &Cognito, dynamodb: &DynamoDb, agentcore: &AgentCore, aws: &AwsLocal) -> Self {
        let cognito = cognito.router().layer(from_fn(guard::no_signed_pages));
        Self {
            cognito: guarded(cognito),
            dynamodb: guarded(dynamodb_api::router(dynamodb.database())),
            agentcore: guarded(agentcore.router()),
            rest: guarded(aws.router()),
        }
    }

    /// The client by which the functions reach them.
    fn in_process(&self, ready: &Ready) -> InProcess {
        InProcess::new([
            (ready.cognito.as_str(), self.cognito.clone()),
            (ready.dynamodb.as_str(), self.dynamodb.clone()),
            (ready.agentcore.as_str(), self.agentcore.clone()),
            (ready.kms.as_str(), self.rest.clone()),
        ])
    }
}

fn guarded(router: Router) -> Router {
    router.layer(from_fn(guard::loopback_only))
}

fn lambda_api(
    functions: &Arc<Functions>,
    logs: &Arc<Logs>,
    requests: &Arc<Requests>,
    clock: &WorldClock,
) -> InvokeApi {
    InvokeApi {
        functions: functions.clone(),
        logs: logs.clone(),
        requests: requests.clone(),
        clock: clock.clone(),
    }
}

/// The functions hold Cognito. It holds them weakly, or they would keep each other alive.
fn call_triggers_in_process(inner: &Arc<Inner>) {
    let world = Arc::downgrade(inner);
    let triggers = move || Some(world.upgrade()?.triggers.clone());
    inner.cognito.call_triggers_through(triggers);
}

fn router(inner: &Arc<Inner>) -> Router {
    let lambda = lambda_api(&inner.functions, &inner.logs, &inner.requests, &inner.clock);
    let tools = AgentGateway::serve(
        inner.functions.clone(),
        inner.requests.clone(),
        inner.clock.clone(),
    );
    let agents = Router::new()
        .route_service("/mcp", tools)
        .layer(from_fn(json_rpc_only));
    let local = control::router()
        .merge(page::router())
        .nest("/lambda", lambda.router())
        .merge(agents)
        .layer(from_fn(guard::same_origin_only));
    Router::new()
        .route("/", get(page::index).fallback(through_the_gateway))
        .nest("/_local", local)
        .fallback(through_the_gateway)
        .with_state(inner.clone())
}

async fn through_the_gateway(
    Shared(inner): Shared<Arc<Inner>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response<Body> {
    let (response, served) = inner.gateway.serve(peer, request).await;
    if let Some(watcher) = &inner.served {
        watcher(&served);
    }
    response
}

/// Deletes expired items at intervals, until the world ends. It pauses between pages: requests wait
/// for the database meanwhile.
async fn sweep(inner: Arc<Inner>) {
    loop {
        tokio::time::sleep(SWEEP_EVERY).await;
        let mut pages = inner.dynamodb.pages(inner.clock.now());
        while let Some(page) = pages.pop() {
            match inner.dynamodb.sweep_page(page) {
                Ok(next) => pages.extend(next),
                Err(error) => {
                    tracing::error!(%error, "what has expired could not be deleted");
                    break;
                }
            }
            tokio::time::sleep(SWEEP_PAUSE).await;
        }
    }
}

/// Secrets Manager, KMS and SES.
fn open_aws(
    file: Option<PathBuf>,
    clock: &WorldClock,
    mailbox: &Arc<Mailbox>,
) -> Result<AwsLocal, WorldError> {
    let kept = WorldError::of_kept("Secrets Manager", file.clone());
    AwsLocal::open(aws_local::Options {
        region: REGION.to_owned(),
        account_id: ACCOUNT_ID.to_owned(),
        state: file.map_or(aws_local::State::Memory, aws_local::State::File),
        clock: clock.for_stand_ins(),
        randomness: random::for_stand_ins(),
        mail: mailbox.for_ses(),
    })
    .map_err(kept)
}

/// Opens the tables. A folder whose tables or items have an older shape is refused.
fn open_dynamodb(folder: Option<&StateFolder>) -> Result<DynamoDb, WorldError> {
    let Some(folder) = folder else {
        return DynamoDb::open(None, Tables::local()).map_err(WorldError::of("DynamoDB"));
    };
    let file = folder.file("dynamodb.sqlite");
    let failed = || WorldError::of_kept("DynamoDB", Some(file.clone()));
    let items_fit = folder.has_this_shape();
    let dynamodb = DynamoDb::open(Some(file.clone()), Tables::local()).map_err(failed())?;
    if !items_fit || !dynamodb.has_this_shape().map_err(failed())? {
        return Err(folder.older_shape().into());
    }
    let shape = Some(folder.file("shape"));
    folder
        .keep_shape()
        .map_err(WorldError::of_kept("the state's shape", shape))?;
    Ok(dynamodb)
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
