//! One file, or one upload, over whatever the URL says: with redirects and challenges as phones take them.

use std::net::SocketAddr;

use bytes::Bytes;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Request, Response};

use super::http::{self, Connection, Payload};
use super::tls::Manner;
use super::trust::{Identity, Trust};
use super::{Lookup, Wire, tftp};
use crate::phone::credentials::{Challenge, Covered, Credentials};
use crate::phone::event::{Event, Events};
use crate::phone::failure::Failure;
use crate::phone::family::{NameCheck, TlsLimits};
use crate::phone::url::{self, Scheme, Url};

/// Answers to challenges, after which the phone gives up (Cisco "Provisioning", table of HTTP results).
const LOGINS: u8 = 2;

/// Octets of an error's body, or of an answer to an upload, that are read so that its connection can be used again.
const UNHEEDED: usize = 64 * 1024;

/// What is asked, and by whom.
pub(crate) struct Ask<'a> {
    pub(crate) method: Method,
    pub(crate) url: Url,
    /// Where to connect to.
    pub(crate) places: Vec<SocketAddr>,
    pub(crate) user_agent: &'a str,
    /// The headers that an 8865 was seen to send besides.
    pub(crate) is_mpp: bool,
    /// Whether `FIPS_Mode` is on.
    pub(crate) fips: bool,
    pub(crate) upload: Option<Upload>,
    pub(crate) credentials: Option<&'a Credentials>,
    pub(crate) trust: &'a Trust,
    pub(crate) identity: Option<&'a Identity>,
    pub(crate) tls: &'a TlsLimits,
    pub(crate) check: NameCheck,
    pub(crate) keep: Keep,
}

impl Keep {
    /// Where reading stops.
    pub(super) fn limit(self) -> usize {
        match self {
            Self::Whole(limit) | Self::Count(limit) => limit,
            Self::Nothing => UNHEEDED,
        }
    }
}

/// A body to send.
#[derive(Debug, Clone)]
pub(crate) struct Upload {
    pub(crate) body: Bytes,
    pub(crate) content_type: String,
    pub(crate) headers: Vec<(String, String)>,
}

/// What to do with a body that comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// Keep it, up to so many octets.
    Whole(usize),
    /// Count it, up to so many octets.
    Count(usize),
    /// It says nothing that matters: what answers an upload.
    Nothing,
}

/// The methods that phones use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Post,
    Put,
}

/// What came.
#[derive(Debug, Clone)]
pub(crate) struct Got {
    pub(crate) body: Bytes,
    pub(crate) octets: u64,
    /// `Content-Length`, where there was one.
    pub(crate) announced: Option<u64>,
    /// `Content-Encoding`, in the order in which they were applied.
    pub(crate) codings: Vec<String>,
}

/// What a server said to a challenge, so that the next answer is another one.
struct Login {
    challenge: Challenge,
    proxy: bool,
    count: u32,
}

impl Method {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }

    /// The method that a parameter names; POST is the default of both that there are.
    pub(crate) fn of_upload(parameter: &str) -> Self {
        if parameter.trim().eq_ignore_ascii_case("PUT") { Self::Put } else { Self::Post }
    }
}

/// Fetches, or uploads.
pub(crate) async fn fetch(wire: &Wire, ask: Ask<'_>, events: &mut dyn Events) -> Result<Got, Failure> {
    match ask.url.scheme {
        Scheme::Tftp => over_tftp(wire, &ask, events).await,
        Scheme::Http | Scheme::Https => over_http(wire, ask, events).await,
    }
}

async fn over_tftp(wire: &Wire, ask: &Ask<'_>, events: &mut dyn Events) -> Result<Got, Failure> {
    let url = ask.url.to_string();
    let mut failure = Failure::NoServer;
    for peer in ask.places.iter().copied() {
        let method = if ask.upload.is_some() { "WRQ" } else { "RRQ" };
        events.tell(Event::Asked { method, url: &url, peer, user_agent: None });
        let mut came = 0;
        let result = match &ask.upload {
            Some(upload) => tftp::write(wire, &ask.url, peer, &upload.body).await.map(|()| Bytes::new()),
            None => tftp::read(wire, (&ask.url, peer), ask.keep, &mut came, events).await,
        };
        let octets = count(came);
        let status = if result.is_ok() { "the file" } else { "a part of the file" };
        if result.is_ok() || octets > 0 {
            events.tell(Event::Answered { status, octets, headers: "" });
        }
        match result {
            Ok(body) => return Ok(Got { body, octets, announced: None, codings: Vec::new() }),
            // The next address may be another server.
            Err(silent @ Failure::Connect { .. }) => failure = silent,
            Err(other) => return Err(other),
        }
    }
    Err(failure)
}

async fn over_http(wire: &Wire, mut ask: Ask<'_>, events: &mut dyn Events) -> Result<Got, Failure> {
    let (mut connection, mut login, mut logins, mut redirects) = (None, None::<Login>, 0, 0);
    let home = ask.url.host.clone();
    loop {
        let (response, peer_done) = exchange(wire, &ask, login.as_mut(), connection.take(), events).await?;
        connection = Some(peer_done);
        let status = response.status().as_u16();
        match status {
            200..=299 if status == 200 || ask.keep == Keep::Nothing => {
                return received(wire, &ask, response, events).await;
            }
            301 | 302 => {
                redirects += 1;
                if redirects > wire.limits.redirects {
                    return Err(Failure::RedirectLoop(wire.limits.redirects));
                }
                ask.url = url::redirected(&ask.url, text(response.headers(), &header::LOCATION).unwrap_or_default())?;
                events.tell(Event::Redirected(&ask.url.to_string()));
                ask.places = wire.places(&ask.url, Lookup::Address).await?;
                login = None;
            }
            300..=399 => return Err(Failure::Redirect(status)),
            401 | 407 => {
                // libcurl keeps a password to the host that it was given for.
                let credentials = ask.credentials.filter(|_| ask.url.host == home).ok_or(Failure::NoCredentials);
                let challenge = challenge(response.headers(), status, ask.fips)?;
                credentials?;
                if logins == LOGINS {
                    return Err(Failure::Unauthorized(LOGINS));
                }
                logins += 1;
                events.tell(Event::Challenged(&challenge.describe()));
                login = Some(Login { challenge, proxy: status == 407, count: 0 });
            }
            404 => return Err(Failure::NotFound),
            _ => return Err(Failure::Status(status)),
        }
        drain(wire, response).await;
    }
}

/// Asks once, over the connection that is there or a new one.
async fn exchange(
    wire: &Wire,
    ask: &Ask<'_>,
    mut login: Option<&mut Login>,
    connection: Option<Connection>,
    events: &mut dyn Events,
) -> Result<(Response<hyper::body::Incoming>, Connection), Failure> {
    let (limits, names) = (&wire.limits, &wire.names);
    let (trust, identity, check) = (ask.trust, ask.identity, ask.check);
    let manner = Manner { trust, identity, limits: ask.tls, check, names, patience: limits.connect };
    let mut connection = connection.filter(|open| open.leads_to(&ask.url));
    loop {
        let mut open = match connection.take() {
            Some(open) => open,
            None => Connection::open(wire, manner, &ask.url, &ask.places, events).await?,
        };
        let reused = open.is_used();
        let request = request(ask, login.as_deref_mut())?;
        let (asked, peer, user_agent) = (ask.url.to_string(), open.peer(), Some(ask.user_agent));
        events.tell(Event::Asked { method: ask.method.as_str(), url: &asked, peer, user_agent });
        match http::in_time(limits.answer, "to answer", open.ask(request)).await {
            Ok(response) => {
                let (status, headers) = (response.status().to_string(), telling(response.headers()));
                let octets = announced(response.headers()).unwrap_or(0);
                if !response.status().is_success() {
                    events.tell(Event::Answered { status: &status, octets, headers: &headers });
                }
                return Ok((response, open));
            }
            // The server may close what is idle whenever it likes: only a fresh connection tells of trouble.
            Err(Failure::Protocol { .. } | Failure::HungUp) if reused => {}
            Err(failure) => return Err(failure),
        }
    }
}

fn request(ask: &Ask<'_>, login: Option<&mut Login>) -> Result<Request<Payload>, Failure> {
    let mut request = Request::builder().method(ask.method.as_str()).uri(&ask.url.path);
    request = request.header(header::HOST, url::host_header(&ask.url)).header(header::USER_AGENT, ask.user_agent);
    if ask.is_mpp {
        request = request.header(header::ACCEPT_ENCODING, "deflate, gzip");
    }
    request = request.header(header::ACCEPT, "*/*");
    if ask.is_mpp {
        request = request.header(header::ACCEPT_LANGUAGE, "en").header(header::ACCEPT_CHARSET, "iso-8859-1");
    }
    if let (Some(login), Some(credentials)) = (login, ask.credentials) {
        login.count += 1;
        let cnonce = nonce();
        let (method, path, count) = (ask.method.as_str(), ask.url.path.as_str(), login.count);
        let answer = login.challenge.answer(credentials, Covered { method, path, cnonce: &cnonce, count });
        let name = if login.proxy { header::PROXY_AUTHORIZATION } else { header::AUTHORIZATION };
        let unfit = |_| Failure::Url("user name or password holds characters that no header can".to_owned());
        let mut value = HeaderValue::from_str(answer.expose()).map_err(unfit)?;
        value.set_sensitive(true);
        request = request.header(name, value);
    }
    let mut body = Payload::default();
    if let Some(upload) = &ask.upload {
        request = request.header(header::CONTENT_TYPE, &upload.content_type);
        for (name, value) in &upload.headers {
            request = request.header(name, value);
        }
        body = Payload(Some(upload.body.clone()));
    }
    request.body(body).map_err(|error| Failure::Url(format!("cannot ask for `{}`: {error}", ask.url.path)))
}

async fn received(
    wire: &Wire,
    ask: &Ask<'_>,
    response: Response<hyper::body::Incoming>,
    events: &mut dyn Events,
) -> Result<Got, Failure> {
    let (head, body) = response.into_parts();
    let mut came = 0;
    let received = http::receive(body, ask.keep, &mut came);
    let received = http::in_time(wire.limits.answer, "to send the file", received).await;
    let (status, headers, octets) = (head.status.to_string(), telling(&head.headers), count(came));
    match announced(&head.headers).filter(|_| received.is_err()) {
        None => events.tell(Event::Answered { status: &status, octets, headers: &headers }),
        Some(length) => {
            let headers = format!("Content-Length: {length}; {headers}");
            events.tell(Event::Answered { status: &status, octets, headers: headers.trim_end_matches("; ") });
        }
    }
    let body = received?;
    if ask.keep == Keep::Nothing && head.status != 200 {
        events.tell(Event::Noted("old firmware takes any answer but 200 for a failed upload (CSCvh16689)"));
    }
    let codings = head.headers.get_all(header::CONTENT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let codings = codings.flat_map(|value| value.split(',')).map(|coding| coding.trim().to_ascii_lowercase());
    let codings = codings.filter(|coding| !coding.is_empty() && coding != "identity").collect();
    Ok(Got { body, octets, announced: announced(&head.headers), codings })
}

/// Reads what comes with an error, so that the connection is free again; what does not end soon closes it.
async fn drain(wire: &Wire, response: Response<hyper::body::Incoming>) {
    let mut ignored = 0;
    let body = http::receive(response.into_body(), Keep::Nothing, &mut ignored);
    let _ = http::in_time(wire.limits.connect, "to end", body).await;
}

fn challenge(headers: &HeaderMap, status: u16, fips: bool) -> Result<Challenge, Failure> {
    let name = if status == 407 { header::PROXY_AUTHENTICATE } else { header::WWW_AUTHENTICATE };
    let offered = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    match fips {
        true => Challenge::choose_under_fips(offered).map_err(Failure::ChallengeUnderFips),
        false => Challenge::choose(offered).map_err(Failure::Challenge),
    }
}

fn count(octets: usize) -> u64 {
    u64::try_from(octets).unwrap_or(u64::MAX)
}

fn announced(headers: &HeaderMap) -> Option<u64> {
    text(headers, &header::CONTENT_LENGTH)?.parse().ok()
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The headers that decide what a phone does next.
fn telling(headers: &HeaderMap) -> String {
    let names = [
        ("Content-Type", header::CONTENT_TYPE),
        ("Content-Encoding", header::CONTENT_ENCODING),
        ("Location", header::LOCATION),
    ];
    let told = names.iter().filter_map(|(label, name)| Some(format!("{label}: {}", text(headers, name)?)));
    told.collect::<Vec<_>>().join("; ")
}

/// A text that nobody can foretell.
fn nonce() -> String {
    let mut octets = [0; 16];
    // Without random numbers there was no TLS either; a Digest answer then only misses its protection from prepared tables.
    let _ = openssl::rand::rand_bytes(&mut octets);
    data_encoding::HEXLOWER.encode(&octets)
}
