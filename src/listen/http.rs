//! HTTP/1.0 and 1.1 for phones: hyper reads the request, the line answers it, hyper writes the answer.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Version};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use super::Shared;
use super::accepted::accepts_gzip;
use super::answer::answer;
use super::body::Reply;
use super::client::Client;
use super::clock::{Clock, Stage};
use super::password;
use super::proxy::{self, Proxies};
use super::refusal::Look;
use super::rejected;
use super::socket::Ending;
use super::timed::Timed;
use super::toll::{self, Unanswered};
use super::upload;
use crate::app::App;
use crate::census::{Secured, Sighting};
use crate::config::{Bytes, Protocol};
use crate::device::Model;
use crate::log::Record;
use crate::profile::path::{PathError, RequestPath, key_of};
use crate::provision::{
    self, Body, Conditions, Examined, Guess, Outcome, Presented, Refusal, Request, Response, Status, Trail, Verb,
};

/// One connection: who is at its other end, and what it works with.
pub struct Session {
    /// What the process shares.
    pub shared: Arc<Shared>,
    /// The other end.
    pub client: Client,
    /// Where it is a proxy whose headers count: each request has a client of its own.
    pub proxies: Option<Arc<Proxies>>,
    /// Its TLS, where it has any.
    pub security: Option<Security>,
    /// Tells of configurations later than the one that the connection began with, that of its handshake.
    pub apps: watch::Receiver<Arc<App>>,
    /// Told when the client wants no more than the answer under way, and when it sends what is not read.
    pub(super) ending: Ending,
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

/// Who asks: the connection's other end, or the one that its proxy speaks for.
pub(super) struct Asker {
    pub(super) session: Arc<Session>,
    told: Option<Box<Client>>,
}

impl Asker {
    fn client(&self) -> &Client {
        self.told.as_deref().unwrap_or(&self.session.client)
    }
}

/// Serves one connection to its end: the client's wish, an error, a limit, or the server's stop.
pub async fn serve<S>(session: Session, stream: S)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (clock, header_size) = limits(&session.shared);
    let io = Timed::new(stream, clock.clone());
    let session = Arc::new(session);
    let service = service_fn(|request| {
        if has_body(request.headers()) {
            session.ending.leaves_a_body();
        } else if is_last(&request) {
            session.ending.comes_now();
        }
        respond(session.clone(), clock.clone(), request)
    });
    let mut http = http1::Builder::new();
    http.max_buf_size(usize::try_from(header_size.count()).unwrap_or(usize::MAX)).header_read_timeout(None);
    if session.client.transport == Protocol::Http {
        // Profiles are small: copying one behind its headers costs less than a system call with two parts. TLS gathers
        // the parts itself.
        http.writev(false);
    }
    let mut connection = std::pin::pin!(http.serve_connection(io, service));
    let mut watch = std::pin::pin!(clock.watch());
    let mut stopped = std::pin::pin!(session.shared.stop.cancelled());
    // What a certificate proves does not outlive the configuration that judged it: after a reload a phone comes again.
    let mut apps = session.apps.clone();
    let mut draining = false;
    loop {
        tokio::select! {
            biased;
            ended = connection.as_mut() => {
                match ended {
                    // Answered with 400 or 431 before there was a path to look at.
                    Err(error) if error.is_parse() => {
                        rejected::misunderstood(session.client.peer, &error, header_size);
                    }
                    Err(error) => tracing::debug!(peer = %session.client.peer, %error, "connection ended"),
                    Ok(()) => {}
                }
                return;
            }
            stage = &mut watch => {
                return rejected::cut_off(session.client.peer, stage);
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
fn limits(shared: &Shared) -> (Clock, Bytes) {
    let limits = &shared.app().config.limits;
    (Clock::new(limits), limits.header_size)
}

async fn respond(
    session: Arc<Session>,
    clock: Clock,
    request: hyper::Request<Incoming>,
) -> Result<hyper::Response<Reply>, Unanswered> {
    clock.enter(Stage::Request);
    let has_shown = !matches!(session.client.presented, Presented::Nothing);
    if has_shown && session.apps.has_changed().unwrap_or(false) {
        return Err(Unanswered::Reloaded);
    }
    // Where a proxy speaks for phones, the TLS is its own.
    if let Some(security) = session.security.as_ref().filter(|_| session.proxies.is_none()) {
        note(&session, security, request.headers());
    }
    let app = session.shared.app();
    let headers = request.headers();
    let unheard = proxy::unheard(headers, session.proxies.as_deref());
    let told = session.proxies.as_ref().map(|proxies| proxies.client(&session.client, headers)).transpose();
    let (told, misunderstood) = told.map_or_else(|error| (None, Some(error)), |told| (told.map(Box::new), None));
    let asker = Asker { session, told };
    if let Some(told) = &asker.told {
        note_certificate(&asker.session.shared, told);
    }
    let mut record = record(&app, &asker, &request, unheard);
    let body_wanted = *request.method() != Method::HEAD;
    if app.line.rules.accept() && misunderstood.is_none() && upload::is_one(request.method()) {
        return Box::pin(upload::respond(app, asker, clock, request, record)).await;
    }
    let walked = match misunderstood {
        Some(error) => Walked::refused(Refusal::Proxy(error.to_string())),
        None => walk(&app, asker, request).await,
    };
    let Walked { result, trail, challenges, guess } = walked;
    let outcome = Outcome::of(&result);
    let reason = result.as_ref().err().map(ToString::to_string);
    record.decided(trail, outcome, reason);
    match result {
        Ok(response) => {
            if body_wanted || response.status == Status::NotModified {
                record.gives(&response);
            }
            Ok(answer(response, |body| Reply::new(body, record, clock, body_wanted)))
        }
        Err(refusal) => {
            let reply = |record, body| Reply::new(body, record, clock, body_wanted);
            refused(&app, record, (Look::of(&refusal, challenges), guess), reply).await
        }
    }
}

/// The answer to who is refused, once it is paid for.
pub(super) async fn refused(
    app: &App,
    mut record: Box<Record>,
    (look, guess): (Look, Option<Guess>),
    reply: impl FnOnce(Box<Record>, Body) -> Reply,
) -> Result<hyper::Response<Reply>, Unanswered> {
    if let Err(unanswered) = toll::pay(app, &record, guess).await {
        record.unanswered();
        return Err(unanswered);
    }
    Ok(look.answer(|body| reply(record, body)))
}

/// Counts a connection in the census: its first request says what phone it is of.
fn note(session: &Session, security: &Security, headers: &HeaderMap) {
    if security.is_noted.load(Ordering::Relaxed) || security.is_noted.swap(true, Ordering::Relaxed) {
        return;
    }
    let user_agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    let proven = session.client.presented.identity().map(Arc::as_ref);
    session.shared.census.note(&Sighting { secured: &security.secured, user_agent, proven });
    note_certificate(&session.shared, &session.client);
}

/// Remembers when the client's certificate ends.
fn note_certificate(shared: &Shared, client: &Client) {
    if let Some(certified) = client.presented.certified() {
        shared.census.note_certificate(&certified.identity, &certified.credential);
    }
}

/// How far a request came along the line.
struct Walked {
    result: Result<Response, Refusal>,
    trail: Trail,
    /// What a refusal asks for; none where it is "not found".
    challenges: Vec<String>,
    /// What a refusal is paid as.
    guess: Option<Guess>,
}

impl Walked {
    /// Not a step.
    fn refused(refusal: Refusal) -> Self {
        Self { result: Err(refusal), trail: Trail::default(), challenges: Vec::new(), guess: None }
    }
}

/// Whether more follows the request's headers (RFC 9112 §6.3), which no answer of ours asks for.
fn has_body(headers: &HeaderMap) -> bool {
    headers.contains_key(header::CONTENT_LENGTH) || headers.contains_key(header::TRANSFER_ENCODING)
}

/// Whether the connection ends with this request (RFC 9112 §9.3).
fn is_last<B>(request: &hyper::Request<B>) -> bool {
    let headers = request.headers();
    let mut wishes = headers.get_all(header::CONNECTION).iter().flat_map(|wish| wish.as_bytes().split(|&b| b == b','));
    match request.version() {
        Version::HTTP_11 => wishes.any(|wish| wish.trim_ascii().eq_ignore_ascii_case(b"close")),
        _ => !wishes.any(|wish| wish.trim_ascii().eq_ignore_ascii_case(b"keep-alive")),
    }
}

fn record(app: &App, asker: &Asker, request: &hyper::Request<Incoming>, unheard: Option<&'static str>) -> Box<Record> {
    let (client, path) = (asker.client(), request.uri().path().to_owned());
    let metrics = asker.session.shared.metrics.clone();
    let mut record = Record::new(metrics, client.transport, client.peer, path, &app.config.log);
    record.came_through(client.through, unheard);
    let agent = request.headers().get(header::USER_AGENT);
    record.asks(request.method().as_str(), agent.map(HeaderValue::as_bytes));
    if let Some(journal) = &asker.session.shared.journal {
        record.tell(journal, agent.and_then(|agent| agent.to_str().ok()));
    }
    record
}

/// Walks the line; what takes long to make is made off the runtime's threads.
async fn walk(app: &Arc<App>, asker: Asker, request: hyper::Request<Incoming>) -> Walked {
    let (head, _body) = request.into_parts();
    let mut trail = Trail::default();
    let mut wanted = read(app, &asker, &head);
    if app.line.rules.ask() {
        wanted.password = Box::pin(password::examine(app, &asker.session.shared, &head, &wanted)).await;
    }
    if !asker.session.ending.takes_what_was_waited_for() {
        app.line.tree.root().hear();
    }
    let admitted = match provision::admit(&app.line, &wanted, &mut trail) {
        Err(Refusal::Unread(name)) => {
            let store = asker.session.shared.store.as_ref();
            Box::pin(app.admit(store, &mut wanted, &mut trail, name)).await
        }
        admitted => admitted,
    };
    let profile = match admitted {
        Ok(profile) if profile.is_heavy() => profile,
        Ok(profile) => {
            let result = provision::finish(&app.line, &wanted, &profile);
            return Walked { result, trail, challenges: Vec::new(), guess: None };
        }
        Err(refusal) => {
            let challenges = provision::challenges(&app.line, &wanted, Instant::now());
            let guess = Guess::of(&wanted, &refusal);
            return Walked { result: Err(refusal), trail, challenges, guess };
        }
    };
    drop(wanted);
    // A client that goes while it waits for its turn costs nothing.
    let turn = asker.session.shared.heavy.clone().acquire_owned().await;
    let app = app.clone();
    let made = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        app.line.tree.root().hear();
        provision::finish(&app.line, &read(&app, &asker, &head), &profile)
    });
    let made = made
        .await
        .unwrap_or_else(|error| Err(Refusal::File { file: "the profile".into(), error: io::Error::other(error) }));
    Walked { result: made, trail, challenges: Vec::new(), guess: None }
}

pub(super) fn read<'a>(app: &App, asker: &'a Asker, head: &'a hyper::http::request::Parts) -> Request<'a> {
    let target = head.uri.path_and_query().map_or("", |target| target.as_str());
    let path = match target.len() as u64 > app.config.limits.url_size.count() {
        true => Err(PathError::TooLong),
        false => RequestPath::from_http(target),
    };
    let verb = match head.method {
        Method::GET => Verb::Get,
        Method::HEAD => Verb::Head,
        Method::POST => Verb::Post,
        Method::PUT => Verb::Put,
        _ => Verb::Other,
    };
    let text = |name: HeaderName| head.headers.get(name).and_then(|value| value.to_str().ok());
    let conditions = Conditions {
        if_none_match: text(header::IF_NONE_MATCH),
        if_modified_since: text(header::IF_MODIFIED_SINCE).and_then(|date| httpdate::parse_http_date(date).ok()),
        range: text(header::RANGE),
        if_range: text(header::IF_RANGE),
    };
    let client = asker.client();
    Request {
        transport: client.transport,
        peer: client.peer,
        verb,
        path,
        key: key_of(target),
        presented: &client.presented,
        models: asker.session.security.as_ref().and_then(|security| security.models.as_deref()),
        password: Examined::default(),
        accepts_gzip: accepts_gzip(head.headers.get_all(header::ACCEPT_ENCODING).iter()),
        conditions,
        read: Vec::new(),
    }
}
