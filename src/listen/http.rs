//! HTTP/1.0 and 1.1 for phones: hyper reads the request, the line answers it, hyper writes the answer.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, StatusCode, Version};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::Shared;
use super::body::Reply;
use super::clock::{Clock, Stage};
use super::password;
use super::socket::LastAnswer;
use crate::app::App;
use crate::census::{Secured, Sighting};
use crate::config::Protocol;
use crate::device::Model;
use crate::log::Record;
use crate::profile::path::{PathError, RequestPath};
use crate::provision::{
    self, Body, Conditions, Examined, Outcome, Presented, Refusal, Request, Response, Status, Trail, Verb,
};

/// What every refusal says.
const NOT_FOUND: &[u8] = b"not found\n";

/// What every refusal says on the paths of a rule that asks for a password.
const UNAUTHORIZED: &[u8] = b"a password is needed\n";

/// One connection: who is at its other end, and what it works with.
pub struct Session {
    /// What the process shares.
    pub shared: Arc<Shared>,
    /// The protocol, which decides what a request can prove.
    pub transport: Protocol,
    /// The other end.
    pub peer: SocketAddr,
    /// Its certificate.
    pub presented: Presented,
    /// Its TLS, where it has any.
    pub security: Option<Security>,
    /// Told when the client wants no more than the answer under way.
    pub(super) last: LastAnswer,
}

/// What only a connection over TLS has.
pub struct Security {
    /// What was agreed on.
    pub secured: Secured,
    /// The only models that the listener serves; `None`: all.
    pub models: Option<Arc<[Model]>>,
    /// The connection is counted in the census.
    pub is_noted: AtomicBool,
}

/// Serves one connection to its end: the client's wish, an error, a limit, or the server's stop.
pub async fn serve<S>(session: Session, stream: S)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (clock, header_size) = limits(&session.shared);
    let io = Timed { io: TokioIo::new(stream), clock: clock.clone() };
    let session = Arc::new(session);
    let service = service_fn(|request| {
        if is_last(&request) {
            session.last.comes_now();
        }
        respond(session.clone(), clock.clone(), request)
    });
    let mut http = http1::Builder::new();
    http.max_buf_size(header_size).header_read_timeout(None);
    if session.transport == Protocol::Http {
        // Profiles are small: copying one behind its headers costs less than a system call with two parts. TLS gathers
        // the parts itself.
        http.writev(false);
    }
    let mut connection = std::pin::pin!(http.serve_connection(io, service));
    let mut watch = std::pin::pin!(clock.watch());
    let mut stopped = std::pin::pin!(session.shared.stop.cancelled());
    // What a certificate proves does not outlive the configuration that judged it: after a reload a phone comes again.
    let mut apps = session.shared.apps.clone();
    apps.mark_unchanged();
    let mut draining = false;
    loop {
        tokio::select! {
            biased;
            ended = connection.as_mut() => {
                match ended {
                    // Answered with 400 or 431 before there was a path to look at.
                    Err(error) if error.is_parse() => {
                        tracing::info!(peer = %session.peer, reason = %error, "request not understood");
                    }
                    Err(error) => tracing::debug!(peer = %session.peer, %error, "connection ended"),
                    Ok(()) => {}
                }
                return;
            }
            stage = &mut watch => {
                tracing::debug!(peer = %session.peer, ?stage, "connection took too long");
                return;
            }
            _ = apps.changed(), if !draining => {
                draining = true;
                connection.as_mut().graceful_shutdown();
            }
            () = &mut stopped, if !draining => {
                draining = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

/// What the configuration allows a connection that begins now; the configuration itself is not held on to.
fn limits(shared: &Shared) -> (Clock, usize) {
    let limits = &shared.app().config.limits;
    let header_size = usize::try_from(limits.header_size.count()).unwrap_or(usize::MAX);
    (Clock::new(limits), header_size.max(8192))
}

async fn respond(
    session: Arc<Session>,
    clock: Clock,
    request: hyper::Request<Incoming>,
) -> Result<hyper::Response<Reply>, Infallible> {
    clock.enter(Stage::Request);
    if let Some(security) = &session.security {
        note(&session, security, request.headers());
    }
    let app = session.shared.app();
    let path = request.uri().path().to_owned();
    let mut record =
        Record::new(session.shared.metrics.clone(), session.transport, session.peer, path, &app.config.log);
    let body_wanted = *request.method() != Method::HEAD;
    let Walked { result, trail, challenges } = walk(&app, &session, request).await;
    let outcome = Outcome::of(&result);
    let reason = result.as_ref().err().map(ToString::to_string);
    record.decided(trail, outcome, reason);
    let response = if let Ok(response) = result {
        answer(response, |body| Reply::new(body, record, clock, body_wanted))
    } else {
        tokio::time::sleep_until((record.began() + provision::REFUSAL_TAKES).into()).await;
        refusal(&challenges, |body| Reply::new(body, record, clock, body_wanted))
    };
    Ok(response)
}

/// Counts a connection in the census: its first request says what phone it is of.
fn note(session: &Session, security: &Security, headers: &HeaderMap) {
    if security.is_noted.load(Ordering::Relaxed) || security.is_noted.swap(true, Ordering::Relaxed) {
        return;
    }
    let user_agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    let proven = session.presented.identity().map(Arc::as_ref);
    session.shared.census.note(&Sighting { secured: &security.secured, user_agent, proven });
}

/// How far a request came along the line.
struct Walked {
    result: Result<Response, Refusal>,
    trail: Trail,
    /// What a refusal asks for; none where it is "not found".
    challenges: Vec<String>,
}

/// Whether the connection ends with this request (RFC 9112 §9.3), and nothing of the client's is left to read: closing a
/// socket that holds unread bytes loses what is still to be sent.
fn is_last<B>(request: &hyper::Request<B>) -> bool {
    let headers = request.headers();
    let mut wishes = headers.get_all(header::CONNECTION).iter().flat_map(|wish| wish.as_bytes().split(|&b| b == b','));
    let ends = match request.version() {
        Version::HTTP_11 => wishes.any(|wish| wish.trim_ascii().eq_ignore_ascii_case(b"close")),
        _ => !wishes.any(|wish| wish.trim_ascii().eq_ignore_ascii_case(b"keep-alive")),
    };
    ends && !headers.contains_key(header::CONTENT_LENGTH) && !headers.contains_key(header::TRANSFER_ENCODING)
}

/// Walks the line; what takes long to make is made off the runtime's threads.
async fn walk(app: &Arc<App>, session: &Arc<Session>, request: hyper::Request<Incoming>) -> Walked {
    let (head, _body) = request.into_parts();
    let mut trail = Trail::default();
    let mut asked = read(app, session, &head);
    if app.line.rules.ask() {
        asked.password = Box::pin(password::examine(app, &session.shared, &head, &asked)).await;
    }
    let profile = match provision::admit(&app.line, &asked, &mut trail) {
        Ok(profile) if profile.is_heavy() => profile,
        Ok(profile) => {
            return Walked { result: provision::finish(&app.line, &asked, &profile), trail, challenges: Vec::new() };
        }
        Err(refusal) => {
            let challenges = provision::challenges(&app.line, &asked, Instant::now());
            return Walked { result: Err(refusal), trail, challenges };
        }
    };
    drop(asked);
    // A client that goes while it waits for its turn costs nothing.
    let turn = session.shared.heavy.clone().acquire_owned().await;
    let (app, session) = (app.clone(), session.clone());
    let made = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        provision::finish(&app.line, &read(&app, &session, &head), &profile)
    });
    let made = made
        .await
        .unwrap_or_else(|error| Err(Refusal::File { file: "the profile".into(), error: io::Error::other(error) }));
    Walked { result: made, trail, challenges: Vec::new() }
}

fn read<'a>(app: &App, session: &'a Session, head: &'a hyper::http::request::Parts) -> Request<'a> {
    let target = head.uri.path_and_query().map_or("", |target| target.as_str());
    let path = match target.len() as u64 > app.config.limits.url_size.count() {
        true => Err(PathError::TooLong),
        false => RequestPath::from_http(target),
    };
    let verb = match head.method {
        Method::GET => Verb::Get,
        Method::HEAD => Verb::Head,
        _ => Verb::Other,
    };
    let text = |name: HeaderName| head.headers.get(name).and_then(|value| value.to_str().ok());
    let conditions = Conditions {
        if_none_match: text(header::IF_NONE_MATCH),
        if_modified_since: text(header::IF_MODIFIED_SINCE).and_then(|date| httpdate::parse_http_date(date).ok()),
        range: text(header::RANGE),
        if_range: text(header::IF_RANGE),
    };
    Request {
        transport: session.transport,
        peer: session.peer,
        verb,
        path,
        presented: &session.presented,
        models: session.security.as_ref().and_then(|security| security.models.as_deref()),
        password: Examined::default(),
        accepts_gzip: text(header::ACCEPT_ENCODING).is_some_and(accepts_gzip),
        conditions,
    }
}

/// Whether `Accept-Encoding` names gzip and does not rule it out (RFC 9110 §12.5.3).
fn accepts_gzip(codings: &str) -> bool {
    codings.split(',').any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip") || name == "*");
        let weight = parts.find_map(|part| part.strip_prefix("q=")).and_then(|weight| weight.parse::<f32>().ok());
        named && weight.unwrap_or(1.0) > 0.0
    })
}

fn answer(response: Response, body: impl FnOnce(Body) -> Reply) -> hyper::Response<Reply> {
    let mut headers = HeaderMap::with_capacity(8 + response.headers.len());
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(response.content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if let Some(coding) = response.content_encoding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    if response.varies {
        headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    headers.insert(header::ETAG, response.validators.tag().clone());
    headers.insert(header::LAST_MODIFIED, response.validators.last_modified().clone());
    if let Some(range) = content_range(response.status) {
        headers.insert(header::CONTENT_RANGE, range);
    }
    // A rule's header stands in for ours: `extend` would send both.
    for (name, value) in response.headers {
        headers.insert(name, value);
    }
    let mut answer = hyper::Response::new(body(response.body));
    *answer.status_mut() = match response.status {
        Status::Ok => StatusCode::OK,
        Status::Partial(_) => StatusCode::PARTIAL_CONTENT,
        Status::NotModified => StatusCode::NOT_MODIFIED,
        Status::BadRange(_) => StatusCode::RANGE_NOT_SATISFIABLE,
    };
    *answer.headers_mut() = headers;
    answer
}

fn content_range(status: Status) -> Option<HeaderValue> {
    let text = match status {
        Status::Ok | Status::NotModified => return None,
        Status::Partial(range) => format!("bytes {}-{}/{}", range.first, range.last, range.total),
        Status::BadRange(total) => format!("bytes */{total}"),
    };
    HeaderValue::from_maybe_shared(Bytes::from(text)).ok()
}

/// What every refusal looks like: not found, or a password is needed, as the path alone says.
fn refusal(challenges: &[String], body: impl FnOnce(Body) -> Reply) -> hyper::Response<Reply> {
    let (status, text) = match challenges {
        [] => (StatusCode::NOT_FOUND, NOT_FOUND),
        [..] => (StatusCode::UNAUTHORIZED, UNAUTHORIZED),
    };
    let mut answer = hyper::Response::new(body(Body::Bytes(Bytes::from_static(text))));
    *answer.status_mut() = status;
    for challenge in challenges.iter().filter_map(|challenge| HeaderValue::from_str(challenge).ok()) {
        answer.headers_mut().append(header::WWW_AUTHENTICATE, challenge);
    }
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}

/// A stream that tells the clock when bytes come in and go out.
struct Timed<S> {
    io: TokioIo<S>,
    clock: Clock,
}

impl<S: AsyncRead + Unpin> Read for Timed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.io).poll_read(context, buffer);
        if let Poll::Ready(Ok(())) = &read {
            self.clock.received();
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> Write for Timed<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(context, buffer);
        if let Poll::Ready(Ok(1..)) = &written {
            self.clock.sent();
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.io).poll_flush(context);
        if let Poll::Ready(Ok(())) = &flushed {
            self.clock.flushed();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(context, buffers);
        if let Poll::Ready(Ok(1..)) = &written {
            self.clock.sent();
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_accepted_where_it_is_named_and_not_ruled_out() {
        for codings in ["gzip", "deflate, gzip", "br;q=0.5, GZIP;q=0.2", "*"] {
            assert!(accepts_gzip(codings), "{codings}");
        }
        for codings in ["", "deflate", "gzip;q=0", "identity, gzip; q=0.0"] {
            assert!(!accepts_gzip(codings), "{codings}");
        }
    }
}
