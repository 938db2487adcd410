//! `POST /credentials/case/NUMBER` on the admin surface: an upload token for a case, for a program that has an API token.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;

use crate::case::{CaseNumber, Credential, Remark};
use crate::config::Api;
use crate::device::Secret;
use crate::listen::{Shared, toll};
use crate::password::{Holders, Token};
use crate::store::{Others, StoreError};

/// How long a token is good that a program is given.
const GOOD: SignedDuration = SignedDuration::from_hours(24 * 30);

/// The longest body that is looked at (bytes).
pub(super) const LONGEST: usize = 16 * 1024;

/// The least that a refusal takes.
const TAKES: Duration = Duration::from_millis(5);

/// The account under which wrong API tokens are counted.
const ACCOUNT: &str = "api";

/// Who wants to hand files in, as the program says.
#[derive(Debug, Deserialize)]
struct Uploader {
    username: String,
    email: String,
}

/// What it is given.
#[derive(Debug, Serialize)]
struct Given {
    username: CaseNumber,
    token: String,
    expires: String,
}

/// Why it is given nothing.
#[derive(Debug, Clone, Copy)]
enum Refusal {
    Token,
    Case,
    Body,
    Type,
    Later,
    Broken,
}

/// Answers it.
pub(super) async fn post(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path(number): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Response {
    let began = Instant::now();
    let given = match admit(&shared, peer, &headers).await {
        Ok(program) => match body {
            Ok(body) => give(&shared, &program, &number, (&headers, &body)).await,
            Err(_) => Err(Refusal::Body),
        },
        Err(refusal) => Err(refusal),
    };
    match given {
        Ok(given) => (StatusCode::OK, [(header::CACHE_CONTROL, "no-store")], Json(given)).into_response(),
        Err(refusal) => {
            tokio::time::sleep_until((began + TAKES).into()).await;
            refusal.into_response()
        }
    }
}

/// The program whose token it is.
async fn admit(shared: &Shared, peer: SocketAddr, headers: &HeaderMap) -> Result<String, Refusal> {
    let app = shared.app();
    let Some(api) = app.config.api.clone() else { return Err(Refusal::Token) };
    if app.throttle.suspects(peer.ip(), ACCOUNT, Instant::now()) {
        let _place = app.throttle.place(peer.ip()).ok_or(Refusal::Later)?;
        tokio::time::sleep(app.throttle.settings().delay.duration()).await;
    }
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.split_once(' '));
    let token = bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
    let presented = token.map(|token| Token::presented(&Secret::new(token.to_owned())));
    let holders = spawn_blocking(move || read(&api)).await.map_err(|_| Refusal::Broken)??;
    if let Some(name) = presented.and_then(|presented| holders.holder(&presented).map(str::to_owned)) {
        return Ok(name);
    }
    shared.metrics.throttle.wrong_passwords.inc();
    tracing::info!(target: "phoneprov::api", %peer, "a request without an API token that counts");
    if let Some(alarm) = app.throttle.mistaken(peer.ip(), ACCOUNT, Instant::now()) {
        toll::raise(&alarm, &shared.metrics, shared.journal.as_deref());
    }
    Err(Refusal::Token)
}

/// The file as it is there now: a token that was removed counts no more.
fn read(api: &Api) -> Result<Holders, Refusal> {
    let holders = api.read().map_err(|error| error.to_string());
    let holders = holders.and_then(|text| Holders::parse(&text).map_err(|error| error.to_string()));
    holders.map_err(|reason| {
        tracing::error!(file = %api.tokens_file.display(), reason, "nobody can use the API");
        Refusal::Broken
    })
}

async fn give(
    shared: &Shared,
    program: &str,
    number: &str,
    (headers, body): (&HeaderMap, &[u8]),
) -> Result<Given, Refusal> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        return Err(Refusal::Type);
    }
    let uploader: Uploader = serde_json::from_slice(body).map_err(|_| Refusal::Body)?;
    let [user, email] = [&uploader.username, &uploader.email].map(|text| Remark::cut(text.as_bytes(), 200));
    if user.as_str().is_empty() || !email.as_str().contains('@') {
        return Err(Refusal::Body);
    }
    let number: CaseNumber = number.parse().map_err(|_| Refusal::Case)?;
    let store = shared.store.as_ref().ok_or(Refusal::Broken)?;
    let token = Token::random().map_err(|_| Refusal::Broken)?;
    let expires = Timestamp::now().saturating_add(GOOD).map_err(|_| Refusal::Broken)?;
    let credential = Credential { print: token.print(), expires };
    let who = format!("{program} (API)");
    let how = format!("for {} <{}>", user.as_str(), email.as_str());
    // Those that other programs were given count on.
    let given = store.give_token(&number, (&credential, Others::Stay), (&who, &how)).await;
    match given {
        Ok(()) => Ok(Given { username: number, token: token.text().expose().to_owned(), expires: expires.to_string() }),
        Err(StoreError::NoSuchCase(_) | StoreError::CaseClosed(_)) => Err(Refusal::Case),
        Err(error) => {
            tracing::error!(%error, "no upload token was made");
            Err(if error.is_passing() { Refusal::Later } else { Refusal::Broken })
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, error) = match self {
            Self::Token => (StatusCode::UNAUTHORIZED, "an API token is needed: Authorization: Bearer TOKEN"),
            Self::Case => (StatusCode::NOT_FOUND, "there is no open case with this number"),
            Self::Body => (StatusCode::BAD_REQUEST, "expected JSON with username and email"),
            Self::Type => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "expected Content-Type: application/json"),
            Self::Later => (StatusCode::SERVICE_UNAVAILABLE, "not now"),
            Self::Broken => (StatusCode::INTERNAL_SERVER_ERROR, "something is wrong here: the log has it"),
        };
        let mut response = (status, Json(serde_json::json!({ "error": error }))).into_response();
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
        }
        response
    }
}
