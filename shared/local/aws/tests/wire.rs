//! The three services, seen by an SDK client: signed requests over HTTP, and the state after a
//! restart.

#![expect(
    clippy::unwrap_used,
    reason = "a test says that something went wrong by panicking"
)]

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use aws_local::{AwsLocal, Mail, Options, State};
use serde_json::{Value, json};

struct Service {
    aws: AwsLocal,
    url: String,
    mails: Arc<Mutex<Vec<Mail>>>,
}

impl Service {
    async fn start(state: State) -> Self {
        let mails = Arc::<Mutex<Vec<Mail>>>::default();
        let counter = Mutex::new(0_u8);
        let inbox = mails.clone();
        let aws = AwsLocal::open(Options {
            region: "eu-west-1".to_owned(),
            account_id: "123456789012".to_owned(),
            state,
            clock: Arc::new(|| SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_239_650)),
            randomness: Arc::new(move |buffer| {
                for byte in buffer {
                    let mut next = counter.lock().unwrap();
                    *next = next.wrapping_mul(5).wrapping_add(17);
                    *byte = *next;
                }
            }),
            mail: Arc::new(move |mail| inbox.lock().unwrap().push(mail)),
        })
        .unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = aws.router();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { aws, url, mails }
    }

    async fn send(
        &self,
        path: &str,
        scope: &str,
        target: Option<&str>,
        body: Value,
    ) -> (u16, Value) {
        let mut request = reqwest::Client::new()
            .post(format!("{}{path}", self.url))
            .header(
                "authorization",
                format!(
                    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20270115/{scope}/aws4_request, \
                     SignedHeaders=host;x-amz-date, Signature=00"
                ),
            )
            .body(body.to_string());
        if let Some(target) = target {
            request = request
                .header("content-type", "application/x-amz-json-1.1")
                .header("x-amz-target", target);
        }
        let response = request.send().await.unwrap();
        assert!(response.headers().contains_key("x-amzn-requestid"));
        (response.status().as_u16(), response.json().await.unwrap())
    }

    async fn secrets(&self, operation: &str, body: Value) -> (u16, Value) {
        let target = format!("secretsmanager.{operation}");
        self.send("/", "eu-west-1/secretsmanager", Some(&target), body)
            .await
    }

    async fn kms(&self, operation: &str, body: Value) -> (u16, Value) {
        self.send(
            "/",
            "eu-west-1/kms",
            Some(&format!("TrentService.{operation}")),
            body,
        )
        .await
    }

    async fn ses(&self, body: Value) -> (u16, Value) {
        self.send("/v2/email/outbound-emails", "eu-west-1/ses", None, body)
            .await
    }
}

#[tokio::test]
async fn a_new_value_makes_the_former_one_previous() {
    let service = Service::start(State::Memory).await;
    let arn = service
        .aws
        .ensure_secret("app/keys", || "one".to_owned())
        .unwrap();

    let (status, first) = service
        .secrets("GetSecretValue", json!({"SecretId": arn}))
        .await;
    assert_eq!((status, &first["SecretString"]), (200, &json!("one")));
    assert_eq!(first["VersionStages"], json!(["AWSCURRENT"]));

    let (status, _) = service
        .secrets(
            "PutSecretValue",
            json!({"SecretId": "app/keys", "SecretString": "two"}),
        )
        .await;
    assert_eq!(status, 200);
    let (_, current) = service
        .secrets("GetSecretValue", json!({"SecretId": "app/keys"}))
        .await;
    let (_, previous) = service
        .secrets(
            "GetSecretValue",
            json!({"SecretId": "app/keys", "VersionStage": "AWSPREVIOUS"}),
        )
        .await;
    assert_eq!(
        (&current["SecretString"], &previous["SecretString"]),
        (&json!("two"), &json!("one"))
    );

    service
        .secrets(
            "PutSecretValue",
            json!({"SecretId": "app/keys", "SecretString": "three"}),
        )
        .await;
    let (_, described) = service
        .secrets("DescribeSecret", json!({"SecretId": "app/keys"}))
        .await;
    assert_eq!(
        described["VersionIdsToStages"].as_object().unwrap().len(),
        2
    );
}

#[tokio::test]
async fn putting_the_same_token_twice_writes_once_and_another_value_is_refused() {
    let service = Service::start(State::Memory).await;
    let token = "a".repeat(32);
    let create = json!({"Name": "s", "SecretString": "one", "ClientRequestToken": token});
    assert_eq!(service.secrets("CreateSecret", create.clone()).await.0, 200);
    let (status, again) = service.secrets("CreateSecret", create).await;
    assert_eq!(
        (status, &again["__type"]),
        (400, &json!("ResourceExistsException"))
    );

    let same = json!({"SecretId": "s", "SecretString": "one", "ClientRequestToken": token});
    assert_eq!(service.secrets("PutSecretValue", same).await.0, 200);
    let other = json!({"SecretId": "s", "SecretString": "two", "ClientRequestToken": token});
    assert_eq!(
        service.secrets("PutSecretValue", other).await.1["__type"],
        "ResourceExistsException"
    );
}

#[tokio::test]
async fn what_no_sdk_client_would_send_is_refused() {
    let service = Service::start(State::Memory).await;
    let unsigned = reqwest::Client::new()
        .post(&service.url)
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", "TrentService.Encrypt")
        .body("{}")
        .send()
        .await
        .unwrap();
    assert_eq!(unsigned.status(), 400);

    let target = Some("secretsmanager.GetSecretValue");
    let wrong_scope = service
        .send(
            "/",
            "us-east-1/secretsmanager",
            target,
            json!({"SecretId": "s"}),
        )
        .await;
    assert_eq!(wrong_scope.1["__type"], "InvalidSignatureException");
    let unknown = service.secrets("CancelRotateSecret", json!({})).await;
    assert_eq!(unknown.1["__type"], "UnknownOperationException");
    let misspelt = service
        .secrets("GetSecretValue", json!({"SecretID": "s"}))
        .await;
    assert_eq!(misspelt.1["__type"], "ValidationException");
    let missing = service
        .secrets("GetSecretValue", json!({"SecretId": "nothing"}))
        .await;
    assert_eq!(missing.1["__type"], "ResourceNotFoundException");
}

#[tokio::test]
async fn a_ciphertext_opens_under_its_own_context_only() {
    let service = Service::start(State::Memory).await;
    service.aws.ensure_key("alias/seal").unwrap();
    let context = json!({"sub": "a", "use": "totp"});
    let (status, sealed) = service
        .kms(
            "Encrypt",
            json!({"KeyId": "alias/seal", "Plaintext": "c2VjcmV0", "EncryptionContext": context}),
        )
        .await;
    assert_eq!(status, 200);
    let blob = &sealed["CiphertextBlob"];

    let opened = service
        .kms(
            "Decrypt",
            json!({"CiphertextBlob": blob, "EncryptionContext": context}),
        )
        .await;
    assert_eq!(opened.1["Plaintext"], "c2VjcmV0");
    assert_eq!(opened.1["KeyId"], sealed["KeyId"]);
    for other in [
        json!({}),
        json!({"sub": "b", "use": "totp"}),
        json!({"sub": "ause", "": "totp"}),
    ] {
        let refused = service
            .kms(
                "Decrypt",
                json!({"CiphertextBlob": blob, "EncryptionContext": other}),
            )
            .await;
        assert_eq!(
            (refused.0, &refused.1["__type"]),
            (400, &json!("InvalidCiphertextException"))
        );
    }

    let (_, data_key) = service
        .kms(
            "GenerateDataKey",
            json!({"KeyId": "alias/seal", "KeySpec": "AES_256"}),
        )
        .await;
    let opened = service
        .kms(
            "Decrypt",
            json!({"CiphertextBlob": data_key["CiphertextBlob"]}),
        )
        .await;
    assert_eq!(opened.1["Plaintext"], data_key["Plaintext"]);
}

#[tokio::test]
async fn keys_and_aliases_are_listed_by_pages_and_described() {
    let service = Service::start(State::Memory).await;
    let arns =
        ["alias/a", "alias/b", "alias/c"].map(|alias| service.aws.ensure_key(alias).unwrap());

    let mut listed = Vec::new();
    let mut request = json!({"Limit": 2});
    loop {
        let (status, page) = service.kms("ListKeys", request.clone()).await;
        assert_eq!(status, 200, "{page}");
        listed.extend(page["Keys"].as_array().unwrap().clone());
        assert_eq!(page["Truncated"], page["NextMarker"].is_string());
        let Some(marker) = page["NextMarker"].as_str() else {
            break;
        };
        request["Marker"] = marker.into();
    }
    let mut listed: Vec<&str> = listed
        .iter()
        .map(|key| key["KeyArn"].as_str().unwrap())
        .collect();
    listed.sort_unstable();
    let mut made: Vec<&str> = arns.iter().map(String::as_str).collect();
    made.sort_unstable();
    assert_eq!(listed, made);

    let (_, all) = service.kms("ListAliases", json!({})).await;
    let names: Vec<&Value> = all["Aliases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|alias| &alias["AliasName"])
        .collect();
    assert_eq!(names, ["alias/a", "alias/b", "alias/c"]);
    let (_, one) = service.kms("ListAliases", json!({"KeyId": arns[1]})).await;
    assert_eq!(one["Aliases"].as_array().unwrap().len(), 1);
    let alias = &one["Aliases"][0];
    assert_eq!(alias["AliasName"], "alias/b");

    for name in [
        json!("alias/b"),
        alias["TargetKeyId"].clone(),
        alias["AliasArn"].clone(),
    ] {
        let (status, described) = service.kms("DescribeKey", json!({"KeyId": name})).await;
        assert_eq!(status, 200, "{described}");
        let metadata = &described["KeyMetadata"];
        assert_eq!(metadata["Arn"], arns[1]);
        assert_eq!(metadata["KeyState"], "Enabled");
        assert_eq!(metadata["AWSAccountId"], "123456789012");
        assert_eq!(metadata["CreationDate"], 1_795_239_650.0);
    }
    for (operation, request, error) in [
        (
            "DescribeKey",
            json!({"KeyId": "alias/z"}),
            "NotFoundException",
        ),
        ("ListAliases", json!({"KeyId": "z"}), "NotFoundException"),
        ("ListKeys", json!({"Marker": "z"}), "InvalidMarkerException"),
        ("ListKeys", json!({"Limit": 0}), "ValidationException"),
        ("ListKeys", json!({"Limit": 1001}), "ValidationException"),
    ] {
        let (status, refused) = service.kms(operation, request).await;
        assert_eq!(
            (status, &refused["__type"]),
            (400, &json!(error)),
            "{operation}"
        );
    }
}

#[tokio::test]
async fn secrets_are_listed_by_pages_sorted_and_filtered_and_without_their_values() {
    let service = Service::start(State::Memory).await;
    for (name, description) in [
        ("app/b", "Keys"),
        ("app/a", "Tokens"),
        ("App/c", "keys too"),
    ] {
        let secret = json!({"Name": name, "Description": description, "SecretString": "hidden"});
        assert_eq!(service.secrets("CreateSecret", secret).await.0, 200);
    }
    let (_, all) = service.secrets("ListSecrets", json!({})).await;
    assert!(!all.to_string().contains("hidden"));
    let entry = &all["SecretList"][0];
    assert!(entry["ARN"].is_string() && entry["SecretVersionsToStages"].is_object());

    let filter = |key: &str, values: &[&str]| json!({"Key": key, "Values": values});
    for (filters, names) in [
        (json!([]), vec!["App/c", "app/a", "app/b"]),
        (json!([filter("name", &["app/"])]), vec!["app/a", "app/b"]),
        (json!([filter("name", &["!app/"])]), vec!["App/c"]),
        (
            json!([filter("description", &["KEYS"])]),
            vec!["App/c", "app/b"],
        ),
        (
            json!([filter("description", &["keys"]), filter("name", &["app"])]),
            vec!["app/b"],
        ),
        (json!([filter("all", &["too app"])]), vec!["App/c"]),
        (json!([filter("tag-key", &["team"])]), vec![]),
    ] {
        let mut request = json!({"SortBy": "name", "SortOrder": "asc", "MaxResults": 1});
        request["Filters"] = filters;
        let mut listed = Vec::new();
        loop {
            let (status, page) = service.secrets("ListSecrets", request.clone()).await;
            assert_eq!(status, 200, "{page}");
            listed.extend(page["SecretList"].as_array().unwrap().clone());
            let Some(next) = page["NextToken"].as_str() else {
                break;
            };
            request["NextToken"] = next.into();
        }
        let listed: Vec<&Value> = listed.iter().map(|secret| &secret["Name"]).collect();
        assert_eq!(listed, names, "{request}");
    }
    for request in [
        json!({"MaxResults": 0}),
        json!({"MaxResults": 101}),
        json!({"SortBy": "size"}),
        json!({"Filters": [filter("name", &[])]}),
        json!({"Filters": [filter("colour", &["red"])]}),
    ] {
        let refused = service.secrets("ListSecrets", request).await;
        assert_eq!(refused.1["__type"], "ValidationException");
    }
    let refused = service
        .secrets("ListSecrets", json!({"NextToken": "z"}))
        .await;
    assert_eq!(refused.1["__type"], "InvalidNextTokenException");
}

#[tokio::test]
async fn a_mail_is_handed_on_and_a_broken_header_is_not() {
    let service = Service::start(State::Memory).await;
    let mail = |subject: &str, to: &str| {
        json!({
            "FromEmailAddress": "no-reply@example.com",
            "Destination": {"ToAddresses": [to]},
            "Content": {"Simple": {"Subject": {"Data": subject}, "Body": {"Text": {"Data": "hello"}}}},
        })
    };
    let (status, sent) = service.ses(mail("Hi", "ada@example.com")).await;
    assert_eq!(status, 200);
    assert_eq!(
        service.mails.lock().unwrap()[0].message_id,
        sent["MessageId"]
    );
    assert_eq!(
        service
            .ses(mail("Hi\r\nBcc: eve@example.com", "ada@example.com"))
            .await
            .0,
        400
    );
    assert_eq!(service.ses(mail("Hi", "no address")).await.0, 400);
    assert_eq!(service.mails.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn secrets_and_keys_survive_a_restart_and_not_a_reset() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("aws.json");
    let first = Service::start(State::File(file.clone())).await;
    first.aws.ensure_secret("s", || "kept".to_owned()).unwrap();
    first.aws.ensure_key("alias/k").unwrap();
    let (_, sealed) = first
        .kms("Encrypt", json!({"KeyId": "alias/k", "Plaintext": "eA=="}))
        .await;

    let second = Service::start(State::File(file)).await;
    assert_eq!(second.aws.ensure_secret("s", || unreachable!()).unwrap(), {
        first.aws.ensure_secret("s", || unreachable!()).unwrap()
    });
    assert_eq!(second.aws.secret("s").as_deref(), Some("kept"));
    let opened = second
        .kms(
            "Decrypt",
            json!({"CiphertextBlob": sealed["CiphertextBlob"]}),
        )
        .await;
    assert_eq!(opened.1["Plaintext"], "eA==");

    second.aws.reset().unwrap();
    assert_eq!(second.aws.secret("s"), None);
}
