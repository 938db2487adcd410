//! One HTTP exchange over a connection of its own, or over the one that is still open to the same server.

use std::convert::Infallible;
use std::error::Error as _;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::task::AbortHandle;

use super::fetch::Keep;
use super::first_octet::FirstOctet;
use super::tls::{self, Manner};
use super::{Wire, broken};
use crate::phone::event::{Event, Events};
use crate::phone::failure::Failure;
use crate::phone::url::{self, Scheme, Url};

/// A connection that waits for a request.
pub(super) struct Connection {
    origin: String,
    peer: SocketAddr,
    sender: SendRequest<Payload>,
    /// Whether something was asked over it: then the server may have closed it meanwhile.
    used: bool,
    /// What an http:// server answered with.
    first: FirstOctet,
    _task: Task,
}

/// The task that moves a connection's octets; it ends with the connection.
struct Task(AbortHandle);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A body that is there as a whole, or none.
#[derive(Debug, Clone, Default)]
pub(super) struct Payload(pub(super) Option<Bytes>);

impl Connection {
    /// Opens a connection to the server of a URL.
    pub(super) async fn open(
        wire: &Wire,
        manner: Manner<'_>,
        url: &Url,
        places: &[SocketAddr],
        events: &mut dyn Events,
    ) -> Result<Self, Failure> {
        let stream = wire.connect(places).await?;
        let peer = stream.peer_addr().map_err(|error| broken("TCP", &error))?;
        let first = FirstOctet::default();
        let (sender, task) = match url.scheme {
            Scheme::Https => {
                let (stream, agreed) = tls::connect(stream, &url.host, manner).await?;
                events.tell(Event::Secured(&agreed));
                begin(TokioIo::new(stream)).await?
            }
            Scheme::Http | Scheme::Tftp => begin(TokioIo::new(first.watch(stream))).await?,
        };
        Ok(Self { origin: url::origin(url), peer, sender, used: false, first, _task: task })
    }

    /// Whether this leads to the server of the URL and is still open.
    pub(super) fn leads_to(&self, url: &Url) -> bool {
        self.origin == url::origin(url) && !self.sender.is_closed()
    }

    /// Whom it leads to.
    pub(super) fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Whether a request went over it before.
    pub(super) fn is_used(&self) -> bool {
        self.used
    }

    /// Asks, and waits for the answer's headers.
    pub(super) async fn ask(&mut self, request: Request<Payload>) -> Result<Response<Incoming>, Failure> {
        self.used = true;
        self.sender.ready().await.map_err(|error| self.unanswered(&error))?;
        self.sender.send_request(request).await.map_err(|error| self.unanswered(&error))
    }

    fn unanswered(&self, error: &hyper::Error) -> Failure {
        let cause = "it answered in TLS; is https:// meant?".to_owned();
        match self.first.is_tls() {
            true => Failure::Protocol { protocol: "HTTP", cause, alert: None },
            false => unanswered(error),
        }
    }
}

async fn begin<T>(stream: TokioIo<T>) -> Result<(SendRequest<Payload>, Task), Failure>
where
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = http1::Builder::new();
    // As in the capture of an 8865: `User-Agent`, not `user-agent`.
    builder.title_case_headers(true).max_buf_size(64 * 1024).max_headers(100);
    let (sender, connection) = builder.handshake(stream).await.map_err(|error| broken("HTTP", &error))?;
    // What goes wrong shows in the answer, or in its absence.
    let task = tokio::spawn(async move { drop(connection.await) });
    Ok((sender, Task(task.abort_handle())))
}

/// Why there is no answer. A connection that ends instead of one is no broken protocol, unless TLS says why.
fn unanswered(error: &hyper::Error) -> Failure {
    let ended = |error: &io::Error| {
        matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe)
    };
    let was_reset = error.source().and_then(|source| source.downcast_ref()).is_some_and(ended);
    let has_ended = error.is_incomplete_message() || error.is_closed() || error.is_canceled() || was_reset;
    match broken("HTTP", error) {
        Failure::Protocol { alert: None, .. } if has_ended => Failure::HungUp,
        failure => failure,
    }
}

/// Reads a body to its end, and counts: what came of one that is cut off is told too.
pub(super) async fn receive(body: Incoming, keep: Keep, octets: &mut usize) -> Result<Bytes, Failure> {
    let limit = keep.limit();
    let mut body = std::pin::pin!(body);
    let mut kept = BytesMut::new();
    while let Some(frame) = std::future::poll_fn(|context| body.as_mut().poll_frame(context)).await {
        let frame = frame.map_err(|error| broken("HTTP", &error))?;
        let Ok(data) = frame.into_data() else { continue };
        *octets = octets.saturating_add(data.len());
        if *octets > limit {
            return Err(Failure::Large { what: "the file", limit });
        }
        if matches!(keep, Keep::Whole(_)) {
            kept.extend_from_slice(&data);
        }
    }
    Ok(kept.freeze())
}

/// Lets something take so long and no longer.
pub(super) async fn in_time<T>(
    patience: Duration,
    stage: &'static str,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let slow = Failure::Slow { seconds: patience.as_secs(), stage };
    tokio::time::timeout(patience, work).await.unwrap_or(Err(slow))
}

impl Body for Payload {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|body| Ok(Frame::data(body))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let length = self.0.as_ref().map_or(0, Bytes::len);
        SizeHint::with_exact(u64::try_from(length).unwrap_or(u64::MAX))
    }
}
