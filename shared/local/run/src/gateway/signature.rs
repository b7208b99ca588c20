//! The IAM authorizer. It verifies a Signature Version 4 by signing the request again.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, HOST};
use axum::http::request::Parts;
use serde::Serialize;
use time::PrimitiveDateTime;
use time::macros::format_description;
use url::form_urlencoded;

use crate::world::account::{
    ACCESS_KEY_ID, ACCOUNT_ID, CALLER_ID, REGION, SECRET_ACCESS_KEY, USER_ARN,
};

/// The name under which requests to an HTTP API are signed.
const SIGNING_NAME: &str = "execute-api";

/// How far the time of a signature may lie from the gateway's own.
const SKEW: Duration = Duration::from_mins(5);

/// The longest life of a presigned URL: seven days.
const LONGEST_LIFE: u64 = 604_800;

/// The signer of a request, as in its event.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Signer {
    access_key: &'static str,
    account_id: &'static str,
    caller_id: &'static str,
    user_arn: &'static str,
    user_id: &'static str,
}

/// The signer, if the request carries a valid signature of the local run's credentials, for this
/// API, within the time.
pub(super) fn caller(parts: &Parts, body: &[u8], now: SystemTime) -> Option<Signer> {
    let genuine = if parts.headers.contains_key(AUTHORIZATION) {
        signed_in_a_header(parts, body, now)
    } else {
        signed_in_the_query(parts, body, now)
    };
    genuine?.then_some(Signer {
        access_key: ACCESS_KEY_ID,
        account_id: ACCOUNT_ID,
        caller_id: CALLER_ID,
        user_arn: USER_ARN,
        user_id: CALLER_ID,
    })
}

/// The distance between the signature's time and the gateway's, if it is too long. A clock that a
/// test has moved refuses every client that signs by the system's clock.
pub(super) fn time_apart(parts: &Parts, now: SystemTime) -> Option<Duration> {
    let query = parts.uri.query().unwrap_or_default();
    let in_query = form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "X-Amz-Date")
        .map(|(_, date)| date.into_owned());
    let in_header = only(&parts.headers, "x-amz-date").map(str::to_owned);
    let at = instant(&in_header.or(in_query)?)?;
    Some(distance(at, now)).filter(|apart| *apart > SKEW)
}

/// The content of an `Authorization` header.
#[derive(PartialEq)]
struct Stated<'a> {
    credential: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
}

impl<'a> Stated<'a> {
    fn parse(header: &'a str) -> Option<Self> {
        let mut parts = header
            .strip_prefix("AWS4-HMAC-SHA256 ")?
            .split(',')
            .map(str::trim);
        let stated = Self {
            credential: parts.next()?.strip_prefix("Credential=")?,
            signed_headers: parts.next()?.strip_prefix("SignedHeaders=")?,
            signature: parts.next()?.strip_prefix("Signature=")?,
        };
        parts.next().is_none().then_some(stated)
    }
}

fn signed_in_a_header(parts: &Parts, body: &[u8], now: SystemTime) -> Option<bool> {
    let stated = Stated::parse(only(&parts.headers, AUTHORIZATION.as_str())?)?;
    let at = instant(only(&parts.headers, "x-amz-date")?)?;
    if distance(at, now) > SKEW {
        return None;
    }
    let mut settings = SigningSettings::default();
    settings.excluded_headers = None;
    if lists(stated.signed_headers, "x-amz-content-sha256") {
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    }
    let request = Signed {
        parts,
        body,
        query: parts.uri.query().unwrap_or_default(),
        headers: stated.signed_headers,
    };
    let (headers, _) = request.sign_again(at, settings)?;
    let expected = headers
        .iter()
        .find(|(name, _)| *name == AUTHORIZATION.as_str())?;
    Some(Stated::parse(&expected.1)? == stated)
}

/// The parameters that a presigned URL carries.
const PRESIGNED: [&str; 6] = [
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
];

fn signed_in_the_query(parts: &Parts, body: &[u8], now: SystemTime) -> Option<bool> {
    let query = parts.uri.query()?;
    let mut stated = PRESIGNED.map(|_| None);
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if let Some(place) = PRESIGNED.iter().position(|known| *known == name)
            && stated[place].replace(value).is_some()
        {
            return None;
        }
    }
    let [_, _, Some(date), Some(expires), Some(signed_headers), _] = &stated else {
        return None;
    };
    let at = instant(date)?;
    let life = expires
        .parse()
        .ok()
        .filter(|life| (1..=LONGEST_LIFE).contains(life))
        .map(Duration::from_secs)?;
    if at > now + SKEW || now > at + life {
        return None;
    }
    let mut settings = SigningSettings::default();
    settings.excluded_headers = None;
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(life);
    let unsigned: Vec<&str> = query
        .split('&')
        .filter(|pair| {
            let (name, _) = pair.split_once('=').unwrap_or((pair, ""));
            !PRESIGNED.contains(&name)
        })
        .collect();
    let request = Signed {
        parts,
        body,
        query: &unsigned.join("&"),
        headers: signed_headers,
    };
    let (_, expected) = request.sign_again(at, settings)?;
    let as_expected = PRESIGNED.iter().zip(&stated).all(|(name, stated)| {
        expected
            .iter()
            .any(|(known, value)| known == name && stated.as_deref() == Some(value))
    });
    Some(as_expected && expected.len() == PRESIGNED.len())
}

/// The signed parts of a request.
struct Signed<'a> {
    parts: &'a Parts,
    body: &'a [u8],
    query: &'a str,
    /// The names of the headers, with semicolons between them.
    headers: &'a str,
}

/// Names and values of headers or of parameters.
type Pairs = Vec<(String, String)>;

impl Signed<'_> {
    /// The headers and the parameters that the local run's credentials would have added to this
    /// request.
    fn sign_again(&self, at: SystemTime, settings: SigningSettings) -> Option<(Pairs, Pairs)> {
        if !lists(self.headers, HOST.as_str()) {
            return None;
        }
        let mut headers = Vec::new();
        for name in self.headers.split(';') {
            let mut values = self.parts.headers.get_all(name).iter().peekable();
            values.peek()?;
            for value in values {
                headers.push((name, value.to_str().ok()?));
            }
        }
        let host = only(&self.parts.headers, HOST.as_str())?;
        let path = self.parts.uri.path();
        let uri = match self.query {
            "" => format!("http://{host}{path}"),
            query => format!("http://{host}{path}?{query}"),
        };
        let identity: Identity =
            Credentials::from_keys(ACCESS_KEY_ID, SECRET_ACCESS_KEY, None).into();
        let signing = v4::SigningParams::builder()
            .identity(&identity)
            .region(REGION)
            .name(SIGNING_NAME)
            .time(at)
            .settings(settings)
            .build()
            .ok()?
            .into();
        let request = SignableRequest::new(
            self.parts.method.as_str(),
            uri,
            headers.into_iter(),
            SignableBody::Bytes(self.body),
        )
        .ok()?;
        let (instructions, _) = sign(request, &signing).ok()?.into_parts();
        let headers = instructions.headers();
        let parameters = instructions.params().iter();
        Some((
            headers
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            parameters
                .map(|(name, value)| ((*name).to_owned(), value.to_string()))
                .collect(),
        ))
    }
}

fn lists(signed_headers: &str, name: &str) -> bool {
    signed_headers.split(';').any(|listed| listed == name)
}

/// The value of a header that occurs exactly once.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

fn instant(text: &str) -> Option<SystemTime> {
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    let instant = PrimitiveDateTime::parse(text, format).ok()?;
    Some(instant.assume_utc().into())
}

fn distance(one: SystemTime, other: SystemTime) -> Duration {
    one.duration_since(other)
        .unwrap_or_else(|error| error.duration())
}
