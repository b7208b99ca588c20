//! Every AWS call of every case of every function, refused and lost: the person's answer, the steps
//! to continue, and the remaining records.
//!
//! The sweep reads `calls.yaml`. A healthy run of each case shows its calls, and each is then
//! harmed in every way: over HTTP, and through the function's tool if it has one. `harness/case.rs`
//! says how to add a case.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::{self, Write as _};
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::{env, fs};

use auth_local::FaultKind;
use futures_util::FutureExt as _;
use tokio::task::JoinSet;

use crate::harness::TestWorld;
use crate::harness::aftermath::{
    Remains, assert_clear, assert_counted, assert_no_session_is_forgotten, attempts, wrong_codes,
};
use crate::harness::case::{Call, Case, Harm, Outcome, TRIES, Then};
use crate::harness::people::ADA;
use crate::harness::stage::Stage;
use crate::harness::steps::ROOMY_MAILBOXES;
use crate::operations;

/// Worlds at a time. Most of a harmed request's time are the SDK's waits between its tries.
const WORLDS: usize = 6;

/// Limits the sweep to functions of these names, with commas between them, or `all`. Then a call is
/// harmed in each case. Otherwise it is harmed in the first case of its function that makes it.
const ONLY: &str = "SWEEP";

/// Has the sweep write the outcomes that it saw.
const WRITES: &str = "SWEEP_WRITES";

/// A case by one of its doors.
#[derive(Clone, Copy)]
struct Entry {
    case: Case,
    by_tool: bool,
}

impl Entry {
    /// Its row in the table.
    fn row(self) -> (&'static str, &'static str) {
        let door = if self.by_tool { "tool" } else { "own" };
        (self.case.function, door)
    }

    /// The harms that a call meets by itself. A service that throttles and one that fails refuse
    /// alike, so a call meets one of them. A function's doors share its decision: a tool only adds
    /// its own way to say that something has failed.
    fn harms(self, call: &Call) -> Vec<Harm> {
        let is_throttled = (call.action.len() + call.nth as usize).is_multiple_of(2);
        let refusal = if is_throttled {
            FaultKind::Throttle
        } else {
            FaultKind::Internal
        };
        let lasting = [FaultKind::Denied, refusal, FaultKind::Lost].map(Harm::Lasting);
        let once = (!self.by_tool).then_some(Harm::Once(FaultKind::Lost));
        lasting.into_iter().chain(once).collect()
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by_tool = if self.by_tool { ", by tool" } else { "" };
        write!(formatter, "{}{by_tool}", self.case)
    }
}

/// A case without a failure.
struct Way {
    entry: Entry,
    calls: Vec<Call>,
    attempts: usize,
    remains: Remains,
    wrong_codes: usize,
}

/// Calls of a way, and the harm to each of them.
struct Job {
    way: Arc<Way>,
    calls: Vec<Call>,
    harm: Harm,
}

impl Job {
    /// Every harm to every call of a way. A call that did not act and is retried leaves no trace.
    /// So one request harms the first call of each action that way, and another the second of each.
    fn all_of(way: &Arc<Way>) -> Vec<Self> {
        let job = |calls, harm| Self {
            way: way.clone(),
            calls,
            harm,
        };
        let mut jobs = Vec::new();
        for call in &way.calls {
            let harms = way.entry.harms(call).into_iter();
            jobs.extend(harms.map(|harm| job(vec![call.clone()], harm)));
        }
        if way.entry.by_tool {
            return jobs;
        }
        let rounds: BTreeSet<u32> = way.calls.iter().map(|call| call.nth).collect();
        for round in rounds {
            let mut calls = way.calls.clone();
            calls.retain(|call| call.nth == round);
            jobs.push(job(calls, Harm::Once(FaultKind::Throttle)));
        }
        jobs
    }
}

/// Harms to one way, each from the moment at which its request is ready.
struct Group {
    way: Arc<Way>,
    jobs: Vec<Job>,
}

impl Group {
    /// All harms to a way together. A fresh world serves one of them.
    fn all_of(way: &Arc<Way>) -> Vec<Self> {
        let mut jobs = Job::all_of(way);
        let together = if way.entry.case.fresh { 1 } else { usize::MAX };
        let mut groups = Vec::new();
        while !jobs.is_empty() {
            let later = jobs.split_off(together.min(jobs.len()));
            groups.push(Self {
                way: way.clone(),
                jobs,
            });
            jobs = later;
        }
        groups
    }
}

impl fmt::Display for Group {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}, before any harm", self.way.entry)
    }
}

impl fmt::Display for Job {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.way.entry)?;
        for call in &self.calls {
            write!(formatter, ", {call}")?;
        }
        write!(formatter, ", {}", self.harm)
    }
}

/// The sweep finds forgotten sign-ins by this mark.
#[tokio::test]
async fn the_journal_marks_the_call_that_signs_in() {
    let world = TestWorld::start().await;
    let since = world.last_call();
    world.sign_in(ADA).await;
    let calls = world.calls(since).into_iter();
    let marked: Vec<_> = calls.filter(|call| call.signs_in).collect();
    let [call] = &marked[..] else {
        panic!("one call signs in: {marked:?}");
    };
    assert_eq!(call.function, "verify-otp");
    assert_eq!(call.action, "AdminRespondToAuthChallenge");
}

/// Every function of the contract has cases in `calls.yaml`, and each of them is brought about
/// here.
#[test]
fn every_function_has_its_cases() {
    let listed = auth_api::Calls::embedded().cases().iter();
    let listed: BTreeSet<_> = listed
        .map(|case| (case.function.as_str(), case.name.as_str()))
        .collect();
    let mut here = BTreeSet::new();
    let mut forgotten = Vec::new();
    for case in operations::cases() {
        let Case { function, name, .. } = case;
        if !here.insert((function, name)) {
            forgotten.push(format!("{function}: the case \"{name}\" stands twice"));
        }
        if !listed.contains(&(function, name)) {
            forgotten.push(format!(
                "{function}: add the case \"{name}\", and its calls, to shared/auth-api/calls.yaml"
            ));
        }
    }
    for (function, name) in listed.difference(&here) {
        let module = function.replace('-', "_");
        forgotten.push(format!(
            "{function}: add the case \"{name}\" to cases() in tests/operations/{module}.rs, and {module}::cases() to tests/operations/mod.rs (harness/case.rs shows how)"
        ));
    }
    for function in auth_api::Contract::embedded().functions() {
        let name = function.name.as_str();
        if !listed.iter().any(|(function, _)| *function == name) {
            forgotten.push(format!(
                "{name}: add its cases to shared/auth-api/calls.yaml and tests/operations"
            ));
        }
    }
    assert!(forgotten.is_empty(), "\n{}", forgotten.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_call_may_fail_and_the_next_try_heals_it() {
    let only = env::var(ONLY).unwrap_or_default();
    let mut cases = operations::cases();
    let is_wanted = |name| ["", "all"].contains(&&*only) || only.split(',').any(|one| one == name);
    cases.retain(|case| is_wanted(case.function));
    assert!(!cases.is_empty(), "no function is called {only}");
    let entries = cases.iter().flat_map(|case| {
        let by_tool = (case.by_tool && is_tool(case.function)).then_some(true);
        let doors = [Some(false), by_tool].into_iter().flatten();
        doors.map(|by_tool| Entry {
            case: *case,
            by_tool,
        })
    });
    let (ways, mut differences) = in_worlds(entries.collect(), |world, entry| {
        Box::pin(async move { healthy_run(&world, entry).await })
    })
    .await;
    let mut ways = ways;
    ways.sort_by_key(|way| way.entry.to_string());
    let writes = env::var(WRITES).is_ok();
    let mut others = BTreeSet::new();
    if only.is_empty() && !writes {
        let mut harmed = BTreeSet::new();
        for way in &mut ways {
            let (entry, row) = (way.entry, way.entry.row());
            way.calls.retain(|call| {
                let is_first = harmed.insert((row, call.to_string()));
                if !is_first {
                    others.insert(format!("{entry}, {call}, "));
                }
                is_first
            });
        }
    }
    let ways: Vec<Arc<Way>> = ways.into_iter().map(Arc::new).collect();
    let groups: Vec<Group> = ways.iter().flat_map(Group::all_of).collect();
    println!(
        "{}",
        table(&ways, groups.iter().flat_map(|group| &group.jobs))
    );
    let (came, panics) = in_worlds(groups, |world, group| {
        Box::pin(async move { outcomes_of(&world, group).await })
    })
    .await;
    differences.extend(panics);
    let mut outcomes = Vec::new();
    for (job, outcome) in came.into_iter().flatten() {
        match outcome {
            Ok(outcome) => outcomes.push((job, outcome)),
            Err(panic) => differences.push(format!("{job}: {panic}")),
        }
    }
    for function in cases
        .iter()
        .map(|case| case.function)
        .collect::<BTreeSet<_>>()
    {
        let seen = written(function, &outcomes);
        let file = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("tests/outcomes")
            .join(format!("{function}.txt"));
        if writes && seen.is_empty() {
            let _not_there = fs::remove_file(&file);
        } else if writes {
            fs::write(&file, &seen).expect("a file that can be written");
        }
        let mut known = fs::read_to_string(&file).unwrap_or_default();
        if !others.is_empty() {
            let is_harmed = |line: &&str| !others.iter().any(|other| line.starts_with(other));
            known = known
                .lines()
                .filter(is_harmed)
                .collect::<Vec<_>>()
                .join("\n");
            if known.lines().count() == 1 {
                known.clear();
            }
        }
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
        let (seen, known) = (lines(&seen), lines(&known));
        differences.extend(
            seen.difference(&known)
                .map(|line| format!("{function}: saw {line}")),
        );
        differences.extend(
            known
                .difference(&seen)
                .map(|line| format!("{function}: not {line}")),
        );
    }
    differences.sort();
    assert!(
        differences.is_empty(),
        "{}:\n{}",
        differences.len(),
        differences.join("\n")
    );
}

/// The names of harms in the files, in their order there.
const NAMES: [(&str, &[Harm]); 4] = [
    ("Lost once", &[Harm::Once(FaultKind::Lost)]),
    ("Denied", &[Harm::Lasting(FaultKind::Denied)]),
    (
        "Throttle or Internal",
        &[
            Harm::Lasting(FaultKind::Throttle),
            Harm::Lasting(FaultKind::Internal),
        ],
    ),
    ("Lost", &[Harm::Lasting(FaultKind::Lost)]),
];

/// The outcomes of a function that the plain rule does not cover, a line for each call and outcome.
fn written(function: &str, outcomes: &[(Job, Outcome)]) -> String {
    let mut harms: BTreeMap<(String, String), BTreeSet<usize>> = BTreeMap::new();
    for (job, outcome) in outcomes {
        let Way {
            entry, attempts, ..
        } = &*job.way;
        let is_plain = *outcome == Outcome::plain(&entry.case, job.harm, *attempts);
        if let [call] = &job.calls[..]
            && entry.case.function == function
            && !is_plain
        {
            let line = (format!("{entry}, {call}"), outcome.to_string());
            let name = NAMES
                .iter()
                .position(|(_, harms)| harms.contains(&job.harm));
            harms.entry(line).or_default().insert(name.expect("a name"));
        }
    }
    let mut text = String::new();
    for ((call, outcome), harms) in harms {
        let harms: Vec<&str> = harms.into_iter().map(|name| NAMES[name].0).collect();
        let harms = harms.join(" or ");
        let _infallible = writeln!(text, "{call}, {harms}: {outcome}");
    }
    if !text.is_empty() {
        text.insert_str(0, &heading(function));
    }
    text
}

fn heading(function: &str) -> String {
    format!(
        "# What harmed calls of {function} come to where the plain rule does not hold. The sweep writes this: see harness/case.rs.\n"
    )
}

/// Whether a function has an agent's tool too.
fn is_tool(function: &str) -> bool {
    let operation = auth_api::Contract::embedded().operation(function);
    operation.is_some_and(|operation| operation.tool.is_some())
}

/// Something to do in a world that suits a case.
trait Of: fmt::Display {
    fn case(&self) -> &Case;
}

impl Of for Entry {
    fn case(&self) -> &Case {
        &self.case
    }
}

impl Of for Group {
    fn case(&self) -> &Case {
        &self.way.entry.case
    }
}

async fn world_with(settings: &[(&str, &str)]) -> TestWorld {
    TestWorld::with_settings(&[&ROOMY_MAILBOXES, settings].concat()).await
}

/// The results of jobs, and the messages of those that panicked.
type Came<Thing> = (Vec<Thing>, Vec<String>);

/// A job under way.
type Doing<Thing> = Pin<Box<dyn Future<Output = Thing> + Send>>;

/// Does jobs in a handful of worlds, each renewed after every job.
async fn in_worlds<Job, Thing>(
    jobs: Vec<Job>,
    act: fn(Arc<TestWorld>, Job) -> Doing<Thing>,
) -> Came<Thing>
where
    Job: Of + Send + 'static,
    Thing: Send + 'static,
{
    let jobs = Arc::new(Mutex::new(VecDeque::from(jobs)));
    let mut workers = JoinSet::new();
    for _ in 0..WORLDS {
        let jobs = jobs.clone();
        workers.spawn(async move {
            let mut settings: &[(&str, &str)] = &[];
            let mut world = Arc::new(world_with(settings).await);
            let (mut things, mut panics) = (Vec::new(), Vec::new());
            loop {
                let job = jobs.lock().expect("no panic meanwhile").pop_front();
                let Some(job) = job else {
                    return (things, panics);
                };
                let name = job.to_string();
                let Case {
                    settings: wanted,
                    fresh,
                    ..
                } = *job.case();
                if fresh || wanted != settings {
                    settings = wanted;
                    world = Arc::new(world_with(settings).await);
                }
                match tokio::spawn(act(world.clone(), job)).await {
                    Ok(thing) => things.push(thing),
                    Err(panic) => {
                        panics.push(format!("{name}: {}", words(&*panic.into_panic())));
                        world.forget();
                        world = Arc::new(world_with(settings).await);
                        continue;
                    }
                }
                world.renew();
            }
        });
    }
    let came = workers.join_all().await;
    let (things, panics): (Vec<_>, Vec<_>) = came.into_iter().unzip();
    (things.into_iter().flatten().collect(), panics.concat())
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "a panic".to_owned())
}

/// A case without a failure.
async fn healthy_run(world: &TestWorld, entry: Entry) -> Way {
    let Entry { case, by_tool } = entry;
    let mut stage = case.prepare(world).await;
    if by_tool {
        stage.goes_by_tool(case.function);
    }
    let spent = attempts(world).await;
    let since = world.last_call();
    let answer = stage.act().await;
    assert!(case.is_healthy(&answer), "{case}: {answer:?}");
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let made = world.calls(since).into_iter();
    let calls = made
        .filter(|call| call.function == case.function && call.action != case.denied)
        .map(|call| {
            let nth = seen.entry(call.action.clone()).or_default();
            *nth += 1;
            Call {
                service: call.service,
                action: call.action,
                nth: *nth,
            }
        })
        .collect();
    let spent_now = attempts(world).await;
    world.clear_faults();
    case.go_on(&mut stage, &answer).await;
    Way {
        entry,
        calls,
        attempts: spent_now.saturating_sub(spent),
        remains: Remains::of(world).await,
        wrong_codes: wrong_codes(world).await,
    }
}

/// The outcomes of harms, or the messages of those that panicked. Everything before the request is
/// done once.
async fn outcomes_of(world: &TestWorld, group: Group) -> Vec<(Job, Result<Outcome, String>)> {
    let Entry { case, by_tool } = group.way.entry;
    let mut stage = case.prepare(world).await;
    if by_tool {
        stage.goes_by_tool(case.function);
    }
    let ready = world.moment();
    let spent = attempts(world).await;
    let mut outcomes = Vec::new();
    for job in group.jobs {
        let outcome = AssertUnwindSafe(async {
            let outcome = outcome(world, stage.clone(), spent, &job).await;
            world.judge();
            outcome
        });
        let outcome = outcome.catch_unwind().await;
        let outcome = outcome.map_err(|panic| words(&*panic));
        world.return_to(&ready);
        outcomes.push((job, outcome));
    }
    outcomes
}

/// Harms one call of a case, then performs a person's steps until the request's effect is reached.
/// The end is the same, unless the person began again.
async fn outcome(world: &TestWorld, mut stage: Stage<'_>, spent: usize, job: &Job) -> Outcome {
    let Job { way, calls, harm } = job;
    let Entry { case, by_tool } = way.entry;
    let since = world.last_call();
    for call in calls {
        world.fault(harm.fault(case.function, call));
    }
    let answer = stage.act().await;
    world.clear_faults();
    for call in calls {
        assert_struck(world, since, call, *harm);
    }
    assert_clear(&answer);
    if answer.status >= 500 {
        world.assert_tells_nothing(&answer);
    }
    // A healthy refusal may come with a challenge of Cognito's, without tokens.
    if !case.is_healthy(&answer) {
        assert_no_session_is_forgotten(world, since, &answer);
    }
    let spent_now = attempts(world).await;
    let then = case.go_on(&mut stage, &answer).await;
    if ["initiate-otp", "resend-otp", "verify-otp"].contains(&case.function) {
        assert_counted(world, by_tool).await;
        // A browser's right code does not clear the tool's count.
        let wrong_codes = wrong_codes(world).await;
        assert!(
            by_tool || wrong_codes <= way.wrong_codes + 1,
            "{wrong_codes}"
        );
    }
    if then != Then::FreshStart {
        Remains::of(world).await.assert_same(&way.remains);
    }
    let outcome = Outcome {
        answer: answer.in_short(),
        then,
        // After the end of the sign-in, its attempts no longer count.
        attempts: spent_now.saturating_sub(spent),
    };
    assert_allowed(job, &outcome);
    outcome
}

/// The rules that no file of outcomes may excuse. A call that did not act and is retried leaves no
/// trace. A failure names the side at fault. No harm costs more than the one attempt that Cognito
/// may have evaluated.
fn assert_allowed(job: &Job, outcome: &Outcome) {
    let (way, harm) = (&job.way, job.harm);
    let case = &way.entry.case;
    if harm == Harm::Once(FaultKind::Throttle) {
        assert_eq!(*outcome, Outcome::plain(case, harm, way.attempts));
    }
    let is_said = outcome.answer == case.healthy
        || harm
            .refused()
            .is_none_or(|refused| outcome.answer == refused)
        // A public document needs no grant.
        || (harm == Harm::Lasting(FaultKind::Denied) && outcome.answer.starts_with("503"))
        || outcome.answer.starts_with("30")
        // The mail with a code is the purpose of the request.
        || (outcome.answer == "502 EMAIL_DELIVERY_FAILED"
            && job.calls.iter().all(|call| call.service == "ses"))
        || FUNCTION_ERRORS.contains(&outcome.answer.as_str());
    assert!(is_said, "{outcome}");
    assert!(outcome.attempts <= 1, "{outcome}");
}

/// How functions that are no operations report a failure: the trigger through Cognito, the
/// authorizer to its gateway, scheduled work to its alarm.
const FUNCTION_ERRORS: [&str; 4] = [
    "400 UserLambdaValidationException",
    "500 Undecided",
    "500 ScheduledWorkFailed",
    "500 FeedbackNotNoted",
];

/// The SDK's own budget for retries is not the subject here: it must not have run dry.
fn assert_struck(world: &TestWorld, since: u64, call: &Call, harm: Harm) {
    let lost = matches!(
        harm,
        Harm::Once(FaultKind::Lost) | Harm::Lasting(FaultKind::Lost)
    );
    let failed = world.calls(since).into_iter().filter(|made| {
        made.action == call.action
            && match made.status {
                None => lost,
                Some(status) => !lost && status >= 400,
            }
    });
    let wanted = match harm {
        Harm::Once(_) | Harm::Lasting(FaultKind::Denied) => 1,
        Harm::Lasting(_) => TRIES as usize,
    };
    assert!(
        failed.count() >= wanted,
        "{call:?} {harm:?} was not struck {wanted} times"
    );
}

/// The sweep by function and door: its cases, their calls, and how many of these meet each kind of
/// harm.
fn table<'a>(ways: &[Arc<Way>], jobs: impl Iterator<Item = &'a Job>) -> String {
    let kinds = [
        ("denied", Harm::Lasting(FaultKind::Denied)),
        ("throttled", Harm::Lasting(FaultKind::Throttle)),
        ("failing", Harm::Lasting(FaultKind::Internal)),
        ("lost", Harm::Lasting(FaultKind::Lost)),
        ("throttled once", Harm::Once(FaultKind::Throttle)),
        ("lost once", Harm::Once(FaultKind::Lost)),
    ];
    let mut rows: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    let empty = || vec![0; 2 + kinds.len()];
    for way in ways {
        let row = rows.entry(way.entry.row()).or_insert_with(empty);
        row[0] += 1;
        row[1] += way.calls.len();
    }
    for job in jobs {
        let row = rows.entry(job.way.entry.row()).or_insert_with(empty);
        let kind = kinds.iter().position(|(_, harm)| *harm == job.harm);
        row[2 + kind.expect("a column")] += job.calls.len();
    }
    let mut table = "| function | door | cases | calls |".to_owned();
    for (kind, _) in kinds {
        let _infallible = write!(table, " {kind} |");
    }
    table.push_str("\n| --- | --- |");
    table.push_str(&" ---: |".repeat(2 + kinds.len()));
    let mut sums = empty();
    for ((function, door), row) in &rows {
        let _infallible = write!(table, "\n| {function} | {door} |");
        for (sum, number) in sums.iter_mut().zip(row) {
            *sum += number;
            let _infallible = write!(table, " {number} |");
        }
    }
    table.push_str("\n| all | |");
    for sum in sums {
        let _infallible = write!(table, " {sum} |");
    }
    table.push('\n');
    table
}
