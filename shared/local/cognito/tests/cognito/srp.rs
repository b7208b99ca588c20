//! SRP: a client written here a second time, and the clients that people use.

use std::collections::HashMap;

use aws_sdk_cognitoidentityprovider::operation::respond_to_auth_challenge::RespondToAuthChallengeOutput;
use aws_sdk_cognitoidentityprovider::types::{AuthFlowType, ChallengeNameType};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use data_encoding::HEXLOWER_PERMISSIVE;
use ring::digest::{SHA256, digest};
use ring::hmac;
use rsa::BigUint;

use crate::programs::{self, is_at_hand};
use crate::world::{PASSWORD, World, refusal};

const NINA: &str = "nina@example.com";
const NOBODY: &str = "zoe@nowhere.example";
const INCORRECT: &str = "NotAuthorizedException: Incorrect username or password.";
const WHEN: &str = "Sat Nov 21 09:00:00 UTC 2026";

/// The prime of RFC 3526 section 4, in the digits that the clients carry.
const PRIME: &str = concat!(
    "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404dd",
    "ef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed",
    "ee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf0598da48361c55d39a69163fa8fd24cf5f",
    "83655d23dca3ad961c62f356208552bb9ed529077096966d670c354e4abc9804f1746c08ca18217c32905e462e36ce3b",
    "e39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf6955817183995497cea956ae515d2261898fa0510",
    "15728e5a8aaac42dad33170d04507a33a85521abdf1cba64ecfb850458dbef0a8aea71575d060c7db3970f85a6e1e4c7",
    "abf5ae8cdb0933d71e8c94e04a25619dcee3d2261ad2ee6bf12ffa06d98a0864d87602733ec86a64521f2b18177b200c",
    "bbe117577a615d6c770988c0bad946e208e24fa074e5ab3143db5bfce0fd108e4b82d120a93ad2caffffffffffffffff",
);

fn number(hexadecimal: &str) -> BigUint {
    BigUint::parse_bytes(hexadecimal.as_bytes(), 16).unwrap()
}

/// Hexadecimal digits as the clients pad them before hashing: an even number, and the first bit not
/// set.
fn padded(digits: &str) -> Vec<u8> {
    let mut digits = digits.to_owned();
    if digits.len() % 2 == 1 {
        digits.insert(0, '0');
    } else if !matches!(digits.as_bytes()[0], b'0'..=b'7') {
        digits.insert_str(0, "00");
    }
    HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).unwrap()
}

fn hashed(parts: &[Vec<u8>]) -> BigUint {
    BigUint::from_bytes_be(digest(&SHA256, &parts.concat()).as_ref())
}

fn keyed(key: &[u8], message: &[u8]) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, message).as_ref().to_vec()
}

/// A client between its two messages.
struct Client {
    secret: BigUint,
    public: BigUint,
}

impl Client {
    fn new(seed: u8) -> Self {
        let secret = BigUint::from_bytes_be(&[seed; 128]);
        let public = BigUint::from(2_u8).modpow(&secret, &number(PRIME));
        Self { secret, public }
    }

    fn public(&self) -> String {
        self.public.to_str_radix(16)
    }

    /// `PASSWORD_CLAIM_SIGNATURE`.
    fn signature(&self, pool: &str, password: &str, challenge: &HashMap<String, String>) -> String {
        let prime = number(PRIME);
        let pool = pool.split_once('_').unwrap().1;
        let user = &challenge["USER_ID_FOR_SRP"];
        let server = number(&challenge["SRP_B"]);
        let name = format!("{pool}{user}:{password}");
        let name = digest(&SHA256, name.as_bytes()).as_ref().to_vec();
        let private = hashed(&[padded(&challenge["SALT"]), name]);
        let multiplier = hashed(&[padded(PRIME), padded("2")]);
        let scramble = hashed(&[padded(&self.public()), padded(&server.to_str_radix(16))]);
        let known = multiplier * BigUint::from(2_u8).modpow(&private, &prime) % &prime;
        let base = (server + &prime - known) % &prime;
        let shared = base.modpow(&(&self.secret + &scramble * private), &prime);
        let extracted = keyed(
            &padded(&scramble.to_str_radix(16)),
            &padded(&shared.to_str_radix(16)),
        );
        let key = keyed(&extracted, b"Caldera Derived Key\x01");
        let mut message = format!("{pool}{user}").into_bytes();
        message.extend(STANDARD.decode(&challenge["SECRET_BLOCK"]).unwrap());
        message.extend(WHEN.as_bytes());
        STANDARD.encode(keyed(&key[..16], &message))
    }
}

async fn srp_world() -> World {
    let world = World::with(|plan| {
        plan.pool.software_token_mfa = true;
        let flows = &mut plan.client.explicit_auth_flows;
        flows.push("ALLOW_USER_SRP_AUTH".to_owned());
    })
    .await;
    world.user_with_password(NINA).await;
    world
}

/// `USER_SRP_AUTH` and the server's answer.
async fn begin(world: &World, name: &str, client: &Client) -> HashMap<String, String> {
    let begun = world
        .sdk
        .initiate_auth()
        .client_id(&world.client.client_id)
        .auth_flow(AuthFlowType::UserSrpAuth)
        .auth_parameters("USERNAME", name)
        .auth_parameters("SRP_A", client.public())
        .send()
        .await
        .unwrap();
    assert_eq!(
        begun.challenge_name,
        Some(ChallengeNameType::PasswordVerifier)
    );
    assert_eq!(begun.session, None);
    begun.challenge_parameters.unwrap()
}

async fn prove(
    world: &World,
    challenge: &HashMap<String, String>,
    session: Option<String>,
    signature: &str,
) -> Result<RespondToAuthChallengeOutput, String> {
    let outcome = world
        .sdk
        .respond_to_auth_challenge()
        .client_id(&world.client.client_id)
        .challenge_name(ChallengeNameType::PasswordVerifier)
        .set_session(session)
        .challenge_responses("USERNAME", &challenge["USERNAME"])
        .challenge_responses("PASSWORD_CLAIM_SECRET_BLOCK", &challenge["SECRET_BLOCK"])
        .challenge_responses("PASSWORD_CLAIM_SIGNATURE", signature)
        .challenge_responses("TIMESTAMP", WHEN)
        .send()
        .await;
    outcome.map_err(|refused| refusal(Err::<(), _>(refused)))
}

#[tokio::test]
async fn the_right_password_signs_in_and_an_exchange_takes_one_proof() {
    let world = srp_world().await;
    for seed in 1..=8 {
        let client = Client::new(seed);
        let challenge = begin(&world, NINA, &client).await;
        let signature = client.signature(&world.pool, PASSWORD, &challenge);
        let tokens = prove(&world, &challenge, None, &signature).await.unwrap();
        assert!(tokens.authentication_result.is_some());
        assert_eq!(
            prove(&world, &challenge, None, &signature)
                .await
                .unwrap_err(),
            "NotAuthorizedException: Invalid session for the user, session can only be used once."
        );
    }
    let client = Client::new(9);
    let challenge = begin(&world, NINA, &client).await;
    let wrong = client.signature(&world.pool, "Wrong-Horse-7", &challenge);
    let right = client.signature(&world.pool, PASSWORD, &challenge);
    assert_eq!(
        prove(&world, &challenge, None, &wrong).await.unwrap_err(),
        INCORRECT
    );
    assert!(
        prove(&world, &challenge, None, &right)
            .await
            .unwrap_err()
            .contains("session can only be used once")
    );
    world.clock.advance(180);
    let late = begin(&world, NINA, &client).await;
    let signature = client.signature(&world.pool, PASSWORD, &late);
    world.clock.advance(180);
    assert_eq!(
        prove(&world, &late, None, &signature).await.unwrap_err(),
        "NotAuthorizedException: Invalid session for the user, session is expired."
    );
}

#[tokio::test]
async fn wrong_proofs_lead_to_the_lock_of_wrong_passwords() {
    let world = srp_world().await;
    let client = Client::new(3);
    let attempt = async |password: &str| {
        let challenge = begin(&world, NINA, &client).await;
        let signature = client.signature(&world.pool, password, &challenge);
        prove(&world, &challenge, None, &signature).await
    };
    for _ in 0..5 {
        assert_eq!(attempt("Wrong-Horse-7").await.unwrap_err(), INCORRECT);
    }
    let locked = "NotAuthorizedException: Password attempts exceeded";
    assert_eq!(attempt(PASSWORD).await.unwrap_err(), locked);
    assert_eq!(
        refusal(world.password_sign_in(NINA, PASSWORD).await),
        locked
    );
    world.clock.advance(1);
    attempt(PASSWORD).await.unwrap();
}

#[tokio::test]
async fn a_password_that_was_changed_in_between_proves_nothing() {
    let world = srp_world().await;
    let client = Client::new(4);
    let challenge = begin(&world, NINA, &client).await;
    let signature = client.signature(&world.pool, PASSWORD, &challenge);
    world
        .set_password(NINA, "Another-Horse-8", true)
        .await
        .unwrap();
    assert_eq!(
        prove(&world, &challenge, None, &signature)
            .await
            .unwrap_err(),
        INCORRECT
    );
    let challenge = begin(&world, NINA, &client).await;
    let signature = client.signature(&world.pool, "Another-Horse-8", &challenge);
    prove(&world, &challenge, None, &signature).await.unwrap();
}

#[tokio::test]
async fn a_name_that_nobody_has_gets_the_same_salt_every_time_and_no_proof_fits() {
    let world = srp_world().await;
    world.passwordless_user("omar@example.com").await;
    let client = Client::new(5);
    let known = begin(&world, NINA, &client).await;
    for name in [NOBODY, "omar@example.com"] {
        let first = begin(&world, name, &client).await;
        let second = begin(&world, &name.to_uppercase(), &client).await;
        assert_eq!(first["SALT"], second["SALT"]);
        assert_eq!(first["USER_ID_FOR_SRP"], second["USER_ID_FOR_SRP"]);
        assert_ne!(first["SRP_B"], second["SRP_B"]);
        for name in ["USER_ID_FOR_SRP", "SECRET_BLOCK"] {
            assert_eq!(first[name].len(), known[name].len());
        }
        let signature = client.signature(&world.pool, PASSWORD, &first);
        assert_eq!(
            prove(&world, &first, None, &signature).await.unwrap_err(),
            INCORRECT
        );
    }
}

#[tokio::test]
async fn choice_based_sign_in_takes_srp_at_once_when_asked_and_as_a_step_of_its_own() {
    let world = srp_world().await;
    let client = Client::new(6);
    let start = |parameters: &[(&str, &str)]| {
        let parameters = parameters
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        world
            .sdk
            .initiate_auth()
            .client_id(&world.client.client_id)
            .auth_flow(AuthFlowType::UserAuth)
            .set_auth_parameters(Some(parameters.collect()))
            .send()
    };
    let respond = |challenge: ChallengeNameType, session: &str, answers: &[(&str, &str)]| {
        let answers = answers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        world
            .sdk
            .respond_to_auth_challenge()
            .client_id(&world.client.client_id)
            .challenge_name(challenge)
            .session(session)
            .set_challenge_responses(Some(answers.collect()))
            .send()
    };
    let public = client.public();
    let finish = async |challenge: HashMap<String, String>, session: Option<String>| {
        assert!(session.is_some());
        let signature = client.signature(&world.pool, PASSWORD, &challenge);
        let tokens = prove(&world, &challenge, session, &signature)
            .await
            .unwrap();
        assert!(tokens.authentication_result.is_some());
    };

    let preferred = [("USERNAME", NINA), ("PREFERRED_CHALLENGE", "PASSWORD_SRP")];
    assert_eq!(
        refusal(start(&preferred).await),
        "InvalidParameterException: Missing required parameter SRP_A"
    );
    let with_number = [preferred.as_slice(), &[("SRP_A", &public)]].concat();
    let begun = start(&with_number).await.unwrap();
    finish(begun.challenge_parameters.unwrap(), begun.session).await;

    let begun = start(&preferred[..1]).await.unwrap();
    let session = begun.session.unwrap();
    let answers = [
        ("USERNAME", NINA),
        ("ANSWER", "PASSWORD_SRP"),
        ("SRP_A", &public),
    ];
    let chosen = respond(ChallengeNameType::SelectChallenge, &session, &answers)
        .await
        .unwrap();
    finish(chosen.challenge_parameters.unwrap(), chosen.session).await;

    let begun = start(&preferred[..1]).await.unwrap();
    let session = begun.session.unwrap();
    let chosen = respond(ChallengeNameType::SelectChallenge, &session, &answers[..2])
        .await
        .unwrap();
    assert_eq!(chosen.challenge_name, Some(ChallengeNameType::PasswordSrp));
    let session = chosen.session.unwrap();
    let answers = [("USERNAME", NINA), ("SRP_A", public.as_str())];
    let chosen = respond(ChallengeNameType::PasswordSrp, &session, &answers)
        .await
        .unwrap();
    finish(chosen.challenge_parameters.unwrap(), chosen.session).await;
}

#[tokio::test]
async fn a_malformed_exchange_is_refused() {
    let world = srp_world().await;
    let client = Client::new(7);
    for (public, expected) in [
        ("0", "InvalidParameterException: Invalid SRP_A."),
        (PRIME, "InvalidParameterException: Invalid SRP_A."),
        ("xyz", "InvalidParameterException: Invalid SRP_A."),
    ] {
        let outcome = world
            .sdk
            .initiate_auth()
            .client_id(&world.client.client_id)
            .auth_flow(AuthFlowType::UserSrpAuth)
            .auth_parameters("USERNAME", NINA)
            .auth_parameters("SRP_A", public)
            .send()
            .await;
        assert_eq!(refusal(outcome), expected);
    }
    let challenge = begin(&world, NINA, &client).await;
    let other = begin(&world, NINA, &client).await;
    let mut mixed = challenge.clone();
    mixed.insert("USERNAME".to_owned(), "omar@example.com".to_owned());
    let signature = client.signature(&world.pool, PASSWORD, &challenge);
    assert_eq!(
        prove(&world, &mixed, None, &signature).await.unwrap_err(),
        "NotAuthorizedException: Invalid session for the user."
    );
    assert_eq!(
        prove(&world, &other, None, &signature).await.unwrap_err(),
        INCORRECT
    );
    let untimely = world
        .sdk
        .respond_to_auth_challenge()
        .client_id(&world.client.client_id)
        .challenge_name(ChallengeNameType::PasswordVerifier)
        .challenge_responses("USERNAME", NINA)
        .challenge_responses("PASSWORD_CLAIM_SECRET_BLOCK", &challenge["SECRET_BLOCK"])
        .challenge_responses("PASSWORD_CLAIM_SIGNATURE", &signature)
        .challenge_responses("TIMESTAMP", "2026-11-21T09:00:00Z")
        .send()
        .await;
    assert_eq!(
        refusal(untimely),
        "InvalidParameterException: TIMESTAMP format should be EEE MMM d HH:mm:ss z yyyy in english."
    );
    prove(&world, &challenge, None, &signature).await.unwrap();
}

#[tokio::test]
async fn an_authenticator_is_asked_for_after_srp_too() {
    let world = srp_world().await;
    let tokens = world.sign_in(NINA).await;
    let token = tokens.access_token().unwrap();
    crate::authenticator::enrol(&world, token).await;
    crate::authenticator::prefer(&world, Some((true, true)), None)
        .await
        .unwrap();
    let client = Client::new(8);
    let challenge = begin(&world, NINA, &client).await;
    let signature = client.signature(&world.pool, PASSWORD, &challenge);
    let challenged = prove(&world, &challenge, None, &signature).await.unwrap();
    assert_eq!(
        challenged.challenge_name,
        Some(ChallengeNameType::SoftwareTokenMfa)
    );
}

/// Runs a client of another language against a world.
async fn signs_in(program: &'static str, script: &str) {
    programs::signs_in(&srp_world().await, program, script, NINA).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pycognito_signs_in() {
    if !is_at_hand("python3", &["-c", "import boto3, pycognito.aws_srp"]) {
        println!("SKIPPED: python3 with pycognito is not at hand");
        return;
    }
    signs_in("python3", "srp_pycognito.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn amazon_cognito_identity_js_signs_in() {
    if !is_at_hand("node", &["-e", "require('amazon-cognito-identity-js')"]) {
        println!("SKIPPED: node with amazon-cognito-identity-js is not at hand");
        return;
    }
    signs_in("node", "srp_identity_js.cjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn amplify_signs_in() {
    if !is_at_hand("node", &["-e", "require('aws-amplify/auth')"]) {
        println!("SKIPPED: node with aws-amplify is not at hand");
        return;
    }
    signs_in("node", "srp_amplify.cjs").await;
}
