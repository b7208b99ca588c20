//! Tokens: how they are issued, refreshed, checked and revoked.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use local_kit::Millis;
use ring::digest::{SHA256, digest};
use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::{Map, Value, json};

use crate::app_client::AppClient;
use crate::pool::Pool;
use crate::refusal::{Exception, Refusal};
use crate::service::Service;
use crate::trigger::{Metadata, Occasion, Overrides};
use crate::user::User;

/// The scope of every access token of an API sign-in; it opens the operations on one's own account.
const OWN_ACCOUNT: &str = "aws.cognito.signin.user.admin";

/// The scope that an id token requires (`OpenID` Connect Core section 3.1.2.1).
pub(crate) const OPENID: &str = "openid";

/// Every refresh token begins as a JWE header does:
/// `{"cty":"JWT","enc":"A256GCM","alg":"RSA-OAEP"}`.
const REFRESH_TOKEN_HEADER: &str = r#"{"cty":"JWT","enc":"A256GCM","alg":"RSA-OAEP"}"#;

/// Why tokens are issued, in the trigger's words.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    SignIn,
    NewPassword,
    Hosted,
    Refresh,
}

impl Reason {
    const fn source(self) -> &'static str {
        match self {
            Self::SignIn => "TokenGeneration_Authentication",
            Self::NewPassword => "TokenGeneration_NewPasswordChallenge",
            Self::Hosted => "TokenGeneration_HostedAuth",
            Self::Refresh => "TokenGeneration_RefreshTokens",
        }
    }
}

/// A sign-in, which its tokens share through all refreshes.
struct SignIn {
    origin_jti: String,
    event_id: String,
    auth_time: i64,
    /// Those that were granted at the hosted sign-in; `None` for one by the API.
    scopes: Option<Vec<String>>,
    nonce: Option<String>,
}

impl SignIn {
    fn scopes(&self) -> Vec<String> {
        self.scopes
            .clone()
            .unwrap_or_else(|| vec![OWN_ACCOUNT.to_owned()])
    }
}

/// The start of a sign-in.
pub(crate) struct Grant {
    pub(crate) origin_jti: String,
    /// When the person proved their identity, in seconds.
    pub(crate) auth_time: i64,
    pub(crate) scopes: Option<Vec<String>>,
    pub(crate) nonce: Option<String>,
}

impl Grant {
    pub(crate) fn of_the_api(service: &Service) -> Self {
        Self {
            origin_jti: local_kit::uuid(service.random()),
            auth_time: service.now() / 1_000,
            scopes: None,
            nonce: None,
        }
    }
}

/// `AuthenticationResult` of a completed sign-in.
pub(crate) async fn sign_in(
    service: &Service,
    pool: &Pool,
    client: &AppClient,
    user: &User,
    reason: Reason,
    metadata: Option<&Metadata>,
    grant: Grant,
) -> Result<Value, Refusal> {
    let sign_in = SignIn {
        origin_jti: grant.origin_jti,
        event_id: local_kit::uuid(service.random()),
        auth_time: grant.auth_time,
        scopes: grant.scopes,
        nonce: grant.nonce,
    };
    let scopes = sign_in.scopes();
    let overrides = ask_trigger(service, pool, client, user, reason, metadata, &scopes).await?;
    let now = service.now();
    let expires = now + client.settings.refresh_seconds() * 1_000;
    let (user, refresh_token) = service.store.change(now, |transaction| {
        let user = present(transaction, pool, &user.username)?;
        transaction
            .prepare_cached(
                "INSERT INTO sign_ins (origin_jti, pool, client, username, auth_time, expires)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                sign_in.origin_jti,
                pool.id,
                client.id,
                user.username,
                sign_in.auth_time,
                expires
            ])?;
        if let Some(scopes) = &sign_in.scopes {
            transaction
                .prepare_cached(
                    "INSERT INTO grants (origin_jti, scopes, expires) VALUES (?1, ?2, ?3)",
                )?
                .execute(params![sign_in.origin_jti, scopes.join(" "), expires])?;
        }
        let token = add_refresh_token(service, transaction, &sign_in.origin_jti, expires)?;
        Ok((user, token))
    })?;
    let mut result = issue(service, pool, client, &user, &sign_in, &overrides, now)?;
    result["RefreshToken"] = json!(refresh_token);
    Ok(result)
}

/// The user's present record: the user may have been deleted or disabled while a trigger ran.
fn present(connection: &Connection, pool: &Pool, username: &str) -> Result<User, Refusal> {
    let user = User::find(connection, pool, username)?;
    if user.enabled {
        Ok(user)
    } else {
        Err(Refusal::user_disabled())
    }
}

async fn ask_trigger(
    service: &Service,
    pool: &Pool,
    client: &AppClient,
    user: &User,
    reason: Reason,
    metadata: Option<&Metadata>,
    scopes: &[String],
) -> Result<Overrides, Refusal> {
    let Some(config) = &pool.settings.lambda_config.pre_token_generation_config else {
        return Ok(Overrides::default());
    };
    let mut request = json!({
        "userAttributes": user.trigger_attributes(),
        "groupConfiguration": {
            "groupsToOverride": [],
            "iamRolesToOverride": [],
            "preferredRole": null,
        },
        "scopes": scopes,
    });
    if let Some(metadata) = metadata {
        request["clientMetadata"] = json!(metadata);
    }
    let event = Occasion {
        version: "2",
        source: reason.source(),
        region: &service.options.region,
        pool: &pool.id,
        client: &client.id,
        username: &user.username,
    }
    .event(&request, &json!({"claimsAndScopeOverrideDetails": null}));
    let answer = service
        .functions
        .invoke("PreTokenGeneration", &config.lambda_arn, &event)
        .await?;
    Overrides::read(&answer)
}

fn issue(
    service: &Service,
    pool: &Pool,
    client: &AppClient,
    user: &User,
    sign_in: &SignIn,
    overrides: &Overrides,
    now: Millis,
) -> Result<Value, Refusal> {
    let keys = service.keys(&pool.id)?;
    let issued = now / 1_000;
    let common = |token_use: &str, validity: i64| {
        let mut claims = Map::new();
        claims.insert("sub".to_owned(), json!(user.sub));
        claims.insert("iss".to_owned(), json!(service.issuer(&pool.id)));
        claims.insert("origin_jti".to_owned(), json!(sign_in.origin_jti));
        claims.insert("event_id".to_owned(), json!(sign_in.event_id));
        claims.insert("token_use".to_owned(), json!(token_use));
        claims.insert("auth_time".to_owned(), json!(sign_in.auth_time));
        claims.insert("iat".to_owned(), json!(issued));
        claims.insert("exp".to_owned(), json!(issued + validity));
        claims.insert("jti".to_owned(), json!(local_kit::uuid(service.random())));
        claims
    };

    let hosted = sign_in.scopes.is_some();
    let mut scopes = sign_in.scopes();
    let granted = scopes.clone();
    let mut access = common("access", client.settings.access_seconds());
    access.insert("client_id".to_owned(), json!(client.id));
    access.insert("username".to_owned(), json!(user.username));
    if hosted {
        access.insert("version".to_owned(), json!(2));
    }
    overrides.apply_to_access(&mut access, &mut scopes);
    access.insert("scope".to_owned(), json!(scopes.join(" ")));
    let access = keys.access.sign(&Value::Object(access));
    let mut result = json!({
        "AccessToken": access,
        "ExpiresIn": client.settings.access_seconds(),
        "TokenType": "Bearer",
    });
    if hosted && !granted.iter().any(|scope| scope == OPENID) {
        return Ok(result);
    }

    let mut id = common("id", client.settings.id_seconds());
    id.insert("aud".to_owned(), json!(client.id));
    id.insert("cognito:username".to_owned(), json!(user.username));
    if hosted {
        id.insert("at_hash".to_owned(), json!(half_hash(&access)));
    }
    if let Some(nonce) = &sign_in.nonce {
        id.insert("nonce".to_owned(), json!(nonce));
    }
    for (name, value) in &user.attributes {
        let may_read = |names: &Vec<String>| names.contains(name);
        if !client
            .settings
            .read_attributes
            .as_ref()
            .is_none_or(may_read)
            || (hosted && !opens(&granted, name))
        {
            continue;
        }
        let value = if name.ends_with("_verified") {
            json!(value == "true")
        } else {
            json!(value)
        };
        id.insert(name.clone(), value);
    }
    overrides.apply_to_id(&mut id);
    result["IdToken"] = json!(keys.id.sign(&Value::Object(id)));
    Ok(result)
}

/// `at_hash` (`OpenID` Connect Core section 3.1.3.6).
fn half_hash(token: &str) -> String {
    let hash = digest(&SHA256, token.as_bytes());
    URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16])
}

/// Whether scopes give the client an attribute: `openid` alone and `profile` give all, `email` and
/// `phone` their own.
pub(crate) fn opens(scopes: &[String], attribute: &str) -> bool {
    let has = |name: &str| scopes.iter().any(|scope| scope == name);
    match attribute {
        _ if has("profile") => true,
        _ if !has("email") && !has("phone") => has(OPENID),
        "email" | "email_verified" => has("email"),
        "phone_number" | "phone_number_verified" => has("phone"),
        _ => false,
    }
}

/// Makes a refresh token and keeps its hash. It looks like the JWE of the real one: five parts,
/// about 1.6 KB.
fn add_refresh_token(
    service: &Service,
    connection: &Connection,
    origin_jti: &str,
    expires: Millis,
) -> Result<String, Refusal> {
    let mut token = URL_SAFE_NO_PAD.encode(REFRESH_TOKEN_HEADER);
    for part in [256, 12, 832, 16] {
        token.push('.');
        token += &local_kit::base64url(service.random(), part);
    }
    connection
        .prepare_cached(
            "INSERT INTO refresh_tokens (key, origin_jti, expires) VALUES (?1, ?2, ?3)",
        )?
        .execute(params![key_of(&token), origin_jti, expires])?;
    Ok(token)
}

fn key_of(token: &str) -> Vec<u8> {
    digest(&SHA256, token.as_bytes()).as_ref().to_vec()
}

/// A refresh token that was found and may be used.
struct Refreshable {
    user: User,
    origin_jti: String,
    auth_time: i64,
    expires: Millis,
    spent: bool,
    scopes: Option<Vec<String>>,
}

fn look_up(
    connection: &Connection,
    pool: &Pool,
    client: &AppClient,
    token: &str,
    now: Millis,
) -> Result<Refreshable, Refusal> {
    type Row = (String, Option<Millis>, Millis, String, String, i64, bool);
    let row: Option<Row> = connection
        .prepare_cached(
            "SELECT t.origin_jti, t.spent, t.expires, s.client, s.username, s.auth_time, s.revoked
             FROM refresh_tokens t JOIN sign_ins s ON s.origin_jti = t.origin_jti WHERE t.key = ?1",
        )?
        .query_row([key_of(token)], |row| {
            Ok((
                row.get(0)?,
                row.get(1)?,
                row.get(2)?,
                row.get(3)?,
                row.get(4)?,
                row.get(5)?,
                row.get(6)?,
            ))
        })
        .optional()?;
    let Some((origin_jti, spent, expires, owner, username, auth_time, revoked)) = row else {
        return Err(Refusal::not_authorized("Invalid Refresh Token"));
    };
    if owner != client.id {
        return Err(Refusal::not_authorized("Invalid Refresh Token"));
    }
    let user = present(connection, pool, &username)?;
    if revoked {
        return Err(Refusal::not_authorized("Refresh Token has been revoked"));
    }
    if now >= expires {
        return Err(Refusal::not_authorized("Refresh Token has expired"));
    }
    if let Some(spent) = spent {
        let grace = client.settings.rotation_grace().unwrap_or(0) * 1_000;
        if now >= spent + grace {
            return Err(Refusal::new(
                Exception::RefreshTokenReuse,
                "Refresh Token has been rotated and can not be used again",
            ));
        }
    }
    let scopes: Option<String> = connection
        .prepare_cached("SELECT scopes FROM grants WHERE origin_jti = ?1")?
        .query_row([&origin_jti], |row| row.get(0))
        .optional()?;
    Ok(Refreshable {
        scopes: scopes.map(|scopes| scopes.split(' ').map(str::to_owned).collect()),
        user,
        origin_jti,
        auth_time,
        expires,
        spent: spent.is_some(),
    })
}

/// The user of this refresh token, for the `SECRET_HASH` of a refresh.
pub(crate) fn owner_of(
    service: &Service,
    pool: &Pool,
    client: &AppClient,
    token: &str,
) -> Result<User, Refusal> {
    let now = service.now();
    service
        .store
        .read(|connection| Ok(look_up(connection, pool, client, token, now)?.user))
}

/// `AuthenticationResult` of a refresh. If tokens rotate, it has the next refresh token, which ends
/// at the time of this one.
///
/// The trigger is called first and the token read again after it. So a failing trigger does not use
/// up the token, and one transaction decides between concurrent refreshes.
pub(crate) async fn refresh(
    service: &Service,
    pool: &Pool,
    client: &AppClient,
    token: &str,
    metadata: Option<&Metadata>,
) -> Result<Value, Refusal> {
    let now = service.now();
    let before = service
        .store
        .read(|connection| look_up(connection, pool, client, token, now))?;
    let scopes = before
        .scopes
        .unwrap_or_else(|| vec![OWN_ACCOUNT.to_owned()]);
    let overrides = ask_trigger(
        service,
        pool,
        client,
        &before.user,
        Reason::Refresh,
        metadata,
        &scopes,
    )
    .await?;
    let now = service.now();
    let (refreshable, next) = service.store.change(now, |transaction| {
        let refreshable = look_up(transaction, pool, client, token, now)?;
        if client.settings.rotation_grace().is_none() {
            return Ok((refreshable, None));
        }
        if !refreshable.spent {
            transaction
                .prepare_cached("UPDATE refresh_tokens SET spent = ?2 WHERE key = ?1")?
                .execute(params![key_of(token), now])?;
        }
        let next = add_refresh_token(
            service,
            transaction,
            &refreshable.origin_jti,
            refreshable.expires,
        )?;
        Ok((refreshable, Some(next)))
    })?;
    let sign_in = SignIn {
        origin_jti: refreshable.origin_jti,
        event_id: local_kit::uuid(service.random()),
        auth_time: refreshable.auth_time,
        scopes: refreshable.scopes,
        nonce: None,
    };
    let mut result = issue(
        service,
        pool,
        client,
        &refreshable.user,
        &sign_in,
        &overrides,
        now,
    )?;
    if let Some(next) = next {
        result["RefreshToken"] = json!(next);
    }
    Ok(result)
}

/// Ends the sign-in of a refresh token. An unknown token, or another client's, has no effect.
pub(crate) fn revoke(
    connection: &Connection,
    client: &AppClient,
    token: &str,
) -> Result<(), Refusal> {
    connection
        .prepare_cached(
            "UPDATE sign_ins SET revoked = 1 WHERE client = ?2
             AND origin_jti = (SELECT origin_jti FROM refresh_tokens WHERE key = ?1)",
        )?
        .execute(params![key_of(token), client.id])?;
    Ok(())
}

/// Ends one sign-in.
pub(crate) fn revoke_sign_in(connection: &Connection, origin_jti: &str) -> Result<(), Refusal> {
    connection
        .prepare_cached("UPDATE sign_ins SET revoked = 1 WHERE origin_jti = ?1")?
        .execute([origin_jti])?;
    Ok(())
}

/// Ends all sign-ins of a user.
pub(crate) fn revoke_all(
    connection: &Connection,
    pool: &Pool,
    username: &str,
) -> Result<(), Refusal> {
    connection
        .prepare_cached("UPDATE sign_ins SET revoked = 1 WHERE pool = ?1 AND username = ?2")?
        .execute(params![pool.id, username])?;
    Ok(())
}

/// The holder of a checked access token.
pub(crate) struct Holder {
    pub(crate) pool: Pool,
    pub(crate) client: AppClient,
    pub(crate) user: User,
    pub(crate) scopes: Vec<String>,
}

/// Checks the access token of an operation on one's own account, its scope included.
pub(crate) fn holder(service: &Service, token: &str) -> Result<Holder, Refusal> {
    let holder = bearer(service, token)?;
    if holder.scopes.iter().any(|scope| scope == OWN_ACCOUNT) {
        return Ok(holder);
    }
    Err(Refusal::not_authorized(
        "Access Token does not have required scopes",
    ))
}

/// Checks an access token: signature, kind, time, revocation, user.
pub(crate) fn bearer(service: &Service, token: &str) -> Result<Holder, Refusal> {
    let invalid = || Refusal::not_authorized("Invalid Access Token");
    let claims = unverified_claims(token).ok_or_else(invalid)?;
    let pool = claims["iss"]
        .as_str()
        .and_then(|issuer| issuer.rsplit_once('/'))
        .map(|(_, pool)| pool.to_owned())
        .ok_or_else(invalid)?;
    let keys = service.keys(&pool).map_err(|_| invalid())?;
    let claims = keys.access.verify(token).ok_or_else(invalid)?;
    if claims["token_use"] != "access" || claims["iss"] != service.issuer(&pool).as_str() {
        return Err(invalid());
    }
    let expires = claims["exp"].as_i64().ok_or_else(invalid)?;
    if service.now() >= expires * 1_000 {
        return Err(Refusal::not_authorized("Access Token has expired"));
    }
    service.store.read(|connection| {
        let pool = Pool::find(connection, &pool)?;
        let client = claims["client_id"].as_str().unwrap_or_default();
        let client = AppClient::look_for(connection, client)?.ok_or_else(invalid)?;
        let username = claims["username"].as_str().unwrap_or_default();
        let user = User::find(connection, &pool, username)?;
        let revoked: Option<bool> = connection
            .prepare_cached("SELECT revoked FROM sign_ins WHERE origin_jti = ?1")?
            .query_row([claims["origin_jti"].as_str()], |row| row.get(0))
            .optional()?;
        if revoked != Some(false) {
            return Err(Refusal::not_authorized("Access Token has been revoked"));
        }
        if !user.enabled {
            return Err(Refusal::user_disabled());
        }
        let scope = claims["scope"].as_str().unwrap_or_default();
        Ok(Holder {
            pool,
            client,
            user,
            scopes: scope.split(' ').map(str::to_owned).collect(),
        })
    })
}

/// Whether a text is a signed token of ours rather than a refresh token.
pub(crate) fn is_signed_token(token: &str) -> bool {
    unverified_claims(token).is_some_and(|claims| claims["token_use"].is_string())
}

fn unverified_claims(token: &str) -> Option<Value> {
    let mut parts = token.split('.');
    let (_, claims, _) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
}
