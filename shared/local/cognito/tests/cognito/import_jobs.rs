//! Import jobs: the file, what becomes of its rows, and the sign-ins of those who came with hashes.

use aws_sdk_cognitoidentityprovider as sdk;
use cognito_local::State;
use sdk::types::{PasswordHashingAlgorithmType, UserImportJobStatusType, UserImportJobType};

use crate::world::{PASSWORD, World, refusal};

const NINA: &str = "nina@example.com";
const ROLE: &str = "arn:aws:iam::000000000000:role/import";

/// Hashes of [`PASSWORD`]: by libcrypt, by Python's hashlib, by the reference implementation of
/// Argon2, and again by hashlib.
const BCRYPT: &str = "$2b$05$abcdefghijklmnopqrstuuprk/rqhgcPTYTHLq52sX1mIsVNYyi5u";
const SCRYPT: &str = "16384$8$1$000102030405060708090a0b0c0d0e0f$4d763a94ae7f800d409a359cc1a22a7bcda64e295aab852194e8ea1e58422236";
const ARGON2ID: &str = "$argon2id$v=19$m=4096,t=2,p=1$AAECAwQFBgcICQoLDA0ODw$VuS7cPAd7hhUQyOAqCOgXuYlIlfLPndOJAgBe1KNFyw";
const PBKDF2: &str =
    "$pbkdf2-sha256$29000$AAECAwQFBgcICQoLDA0ODw$vmuc48XHwMRdJbxDmr8ofKf/pi8QeiKOiGiI5plzeQY";

impl World {
    async fn import_job(
        &self,
        algorithm: Option<PasswordHashingAlgorithmType>,
    ) -> UserImportJobType {
        let creating = self.sdk.create_user_import_job().job_name("people");
        let created = creating
            .user_pool_id(&self.pool)
            .cloud_watch_logs_role_arn(ROLE)
            .set_password_hashing_algorithm(algorithm)
            .send()
            .await
            .unwrap();
        created.user_import_job.unwrap()
    }

    async fn described(&self, job: &str) -> UserImportJobType {
        let describing = self.sdk.describe_user_import_job().user_pool_id(&self.pool);
        let described = describing.job_id(job).send().await.unwrap();
        described.user_import_job.unwrap()
    }

    async fn start_job(
        &self,
        job: &str,
    ) -> Result<
        sdk::operation::start_user_import_job::StartUserImportJobOutput,
        sdk::error::SdkError<sdk::operation::start_user_import_job::StartUserImportJobError>,
    > {
        let starting = self.sdk.start_user_import_job().user_pool_id(&self.pool);
        starting.job_id(job).send().await
    }

    /// The job after its end.
    async fn ended(&self, job: &str) -> UserImportJobType {
        loop {
            let described = self.described(job).await;
            let status = described.status().unwrap();
            if !matches!(
                status,
                UserImportJobStatusType::Pending | UserImportJobStatusType::InProgress
            ) {
                return described;
            }
            tokio::task::yield_now().await;
        }
    }

    /// A file whose rows have these addresses and hashes.
    async fn file(&self, rows: &[(&str, &str)]) -> String {
        let header = self.sdk.get_csv_header().user_pool_id(&self.pool);
        let mut columns = header.send().await.unwrap().csv_header().to_vec();
        columns.push("password_hash".to_owned());
        let mut file = columns.join(",") + "\n";
        for (email, hash) in rows {
            let value = |column: &String| match column.as_str() {
                "cognito:username" | "email" => (*email).to_owned(),
                "email_verified" => "TRUE".to_owned(),
                "cognito:mfa_enabled" => "false".to_owned(),
                "password_hash" => hash.replace(',', "\\,"),
                _ => String::new(),
            };
            file += &(columns.iter().map(value).collect::<Vec<_>>().join(",") + "\n");
        }
        file
    }

    /// Runs a job of this algorithm to its end.
    async fn imported(
        &self,
        algorithm: PasswordHashingAlgorithmType,
        rows: &[(&str, &str)],
    ) -> UserImportJobType {
        let job = self.import_job(Some(algorithm)).await;
        let file = self.file(rows).await;
        assert_eq!(upload(job.pre_signed_url().unwrap(), file).await, 200);
        self.start_job(job.job_id().unwrap()).await.unwrap();
        self.ended(job.job_id().unwrap()).await
    }

    async fn status_of(&self, email: &str) -> String {
        let getting = self.sdk.admin_get_user().user_pool_id(&self.pool);
        let user = getting.username(email).send().await.unwrap();
        user.user_status().unwrap().to_string()
    }
}

async fn upload(url: &str, file: String) -> u16 {
    let sending = reqwest::Client::new()
        .put(url)
        .header("x-amz-server-side-encryption", "aws:kms");
    sending.body(file).send().await.unwrap().status().as_u16()
}

fn counts(job: &UserImportJobType) -> (i64, i64, i64) {
    (
        job.imported_users(),
        job.skipped_users(),
        job.failed_users(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn people_sign_in_with_the_password_behind_the_hash_they_came_with() {
    let world = World::new().await;
    for (algorithm, email, hash) in [
        (
            PasswordHashingAlgorithmType::Bcrypt,
            "b@example.com",
            BCRYPT,
        ),
        (
            PasswordHashingAlgorithmType::Scrypt,
            "s@example.com",
            SCRYPT,
        ),
        (
            PasswordHashingAlgorithmType::Argon2Id,
            "a@example.com",
            ARGON2ID,
        ),
        (
            PasswordHashingAlgorithmType::Pbkdf2Sha256,
            "p@example.com",
            PBKDF2,
        ),
    ] {
        let job = world.imported(algorithm.clone(), &[(email, hash)]).await;
        assert_eq!(job.status(), Some(&UserImportJobStatusType::Succeeded));
        assert_eq!(job.password_hashing_algorithm(), Some(&algorithm));
        assert_eq!(counts(&job), (1, 0, 0));
        assert_eq!(world.status_of(email).await, "CONFIRMED");
        assert_eq!(
            refusal(world.password_sign_in(email, "Wrong-Horse-7").await),
            "NotAuthorizedException: Incorrect username or password."
        );
        world.password_sign_in(email, PASSWORD).await.unwrap();
    }
    assert!(world.mails.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_cannot_be_imported_leaves_the_others_alone() {
    let world = World::new().await;
    world.user_with_password(NINA).await;
    let rows = [
        (NINA, BCRYPT),
        ("malformed@example.com", "$2b$10$tooshort"),
        ("costly@example.com", &BCRYPT.replace("$2b$05$", "$2b$13$")),
        ("other@example.com", PBKDF2),
        ("not an address", BCRYPT),
        ("without@example.com", ""),
        ("omar@example.com", BCRYPT),
    ];
    let job = world
        .imported(PasswordHashingAlgorithmType::Bcrypt, &rows)
        .await;
    assert_eq!(job.status(), Some(&UserImportJobStatusType::Succeeded));
    assert_eq!(counts(&job), (2, 4, 1));
    assert_eq!(
        world.status_of("without@example.com").await,
        "RESET_REQUIRED"
    );
    assert_eq!(
        refusal(world.password_sign_in("without@example.com", "").await),
        "InvalidParameterException: Missing required parameter PASSWORD"
    );
    world.sign_in("omar@example.com").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_the_file_does_not_call_verified_is_nobodys() {
    let world = World::new().await;
    let job = world
        .import_job(Some(PasswordHashingAlgorithmType::Bcrypt))
        .await;
    let file = world.file(&[(NINA, BCRYPT)]).await.replace("TRUE", "false");
    upload(job.pre_signed_url().unwrap(), file).await;
    world.start_job(job.job_id().unwrap()).await.unwrap();
    let job = world.ended(job.job_id().unwrap()).await;
    assert_eq!(counts(&job), (0, 0, 1));
    let listing = world.sdk.list_users().user_pool_id(&world.pool);
    assert!(listing.send().await.unwrap().users().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_goes_to_its_jobs_own_url_within_a_quarter_of_an_hour() {
    let world = World::new().await;
    let job = world.import_job(None).await;
    let url = job.pre_signed_url().unwrap();
    let plain = reqwest::Client::new().put(url).body("x").send().await;
    assert_eq!(plain.unwrap().status(), 403, "without the signed header");
    let other = world.import_job(None).await;
    let (signed, id) = (url.rsplit_once('=').unwrap().1, other.job_id().unwrap());
    let forged = format!("{}/_import/{id}?Signature={signed}", world.url);
    assert_eq!(upload(&forged, "x".to_owned()).await, 403);
    world.clock.advance(15 * 60);
    assert_eq!(upload(url, "x".to_owned()).await, 403);
    world.clock.advance(24 * 60 * 60);
    let late = world.described(job.job_id().unwrap()).await;
    assert_eq!(late.status(), Some(&UserImportJobStatusType::Expired));
    assert!(late.completion_message().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_starts_once_and_with_a_file_of_the_pools_columns() {
    let world = World::new().await;
    let job = world.import_job(None).await;
    let id = job.job_id().unwrap();
    let unmet = "PreconditionNotMetException";
    assert_eq!(
        refusal(world.start_job(id).await),
        format!("{unmet}: No CSV file was uploaded.")
    );
    // The column of hashes is one too many for a job without an algorithm.
    let file = world.file(&[(NINA, "")]).await;
    upload(job.pre_signed_url().unwrap(), file).await;
    world.start_job(id).await.unwrap();
    let failed = world.ended(id).await;
    assert_eq!(failed.status(), Some(&UserImportJobStatusType::Failed));
    assert_eq!(
        refusal(world.start_job(id).await),
        format!("{unmet}: The user import job is not in the status Created.")
    );
    let stopping = world.sdk.stop_user_import_job().user_pool_id(&world.pool);
    assert_eq!(
        refusal(stopping.job_id(id).send().await),
        format!("{unmet}: The user import job is not active.")
    );
    let absent = world.start_job("import-absent").await;
    assert!(refusal(absent).starts_with("ResourceNotFoundException"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_stopped_keeps_whom_it_has_imported() {
    let world = World::new().await;
    let job = world
        .import_job(Some(PasswordHashingAlgorithmType::Bcrypt))
        .await;
    let id = job.job_id().unwrap();
    let emails: Vec<String> = (0..20_000).map(|n| format!("n{n}@example.com")).collect();
    let rows: Vec<_> = emails
        .iter()
        .map(|email| (email.as_str(), BCRYPT))
        .collect();
    let file = world.file(&rows).await;
    upload(job.pre_signed_url().unwrap(), file).await;
    let other = world.import_job(None).await;
    let empty = world.file(&[]).await;
    upload(other.pre_signed_url().unwrap(), empty).await;
    world.start_job(id).await.unwrap();
    assert_eq!(
        refusal(world.start_job(other.job_id().unwrap()).await),
        "PreconditionNotMetException: Another user import job is active."
    );
    let stopping = world.sdk.stop_user_import_job().user_pool_id(&world.pool);
    let stopped = stopping.job_id(id).send().await.unwrap();
    let status = stopped.user_import_job.unwrap().status.unwrap();
    assert_eq!(status, UserImportJobStatusType::Stopping);
    let ended = loop {
        let job = world.described(id).await;
        if job.status() == Some(&UserImportJobStatusType::Stopped) {
            break job;
        }
        tokio::task::yield_now().await;
    };
    let imported = ended.imported_users();
    assert!(imported < 20_000, "{imported}");
    if imported > 0 {
        world
            .password_sign_in("n0@example.com", PASSWORD)
            .await
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_lost_its_process_has_failed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pool.sqlite");
    let open = async || {
        let file = file.clone();
        World::with(move |plan| plan.options.state = State::File(file)).await
    };
    let before = open().await;
    let job = before.import_job(None).await;
    let id = job.job_id().unwrap();
    let emails: Vec<String> = (0..20_000).map(|n| format!("n{n}@example.com")).collect();
    let rows: Vec<_> = emails.iter().map(|email| (email.as_str(), "")).collect();
    let file = before.file(&rows).await.replace(",password_hash", "");
    let file = file.replace(",\n", "\n");
    assert_eq!(upload(job.pre_signed_url().unwrap(), file).await, 200);
    before.start_job(id).await.unwrap();
    // The first world is still running, as if it had been stopped in the middle.
    let after = open().await;
    let failed = after.described(id).await;
    assert_eq!(failed.status(), Some(&UserImportJobStatusType::Failed));
    assert!(failed.completion_date().is_some());
    assert_eq!(failed.completion_message(), None, "the header is right");
    let ended = before.ended(id).await;
    assert_eq!(ended.status(), Some(&UserImportJobStatusType::Failed));
}

#[tokio::test]
async fn jobs_are_listed_page_by_page_and_the_last_comes_first() {
    let world = World::new().await;
    let mut made = Vec::new();
    for _ in 0..3 {
        made.push(world.import_job(None).await.job_id.unwrap());
    }
    let page = |token: Option<String>| {
        let listing = world.sdk.list_user_import_jobs().max_results(2);
        listing
            .user_pool_id(&world.pool)
            .set_pagination_token(token)
            .send()
    };
    let first = page(None).await.unwrap();
    let second = page(first.pagination_token.clone()).await.unwrap();
    assert!(first.pagination_token.is_some() && second.pagination_token.is_none());
    let jobs = first
        .user_import_jobs()
        .iter()
        .chain(second.user_import_jobs());
    let listed: Vec<_> = jobs.filter_map(|job| job.job_id.clone()).collect();
    made.reverse();
    assert_eq!(listed, made);
}
