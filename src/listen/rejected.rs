//! Connections that end before there is a request to tell of: their lines in the log.

use std::net::SocketAddr;

use super::clock::Stage;
use crate::config::Bytes;

/// The most headers that a request may have. It is hyper's own bound, which is cheapest left alone.
const HEADERS: usize = 100;

/// The longest URL (bytes): the bound of hyper's types. It is told of in the same way.
const URL: usize = 65_534;

/// What was sent is no request: it has been answered with 400, 414 or 431.
pub(super) fn misunderstood(peer: SocketAddr, error: &hyper::Error, header_size: Bytes) {
    if error.is_parse_too_large() {
        tracing::info!(
            %peer,
            reason = %format_args!(
                "{error}: above limits.header_size ({header_size}), more than {HEADERS} headers, or a URL of more than {URL} bytes"
            ),
            "request not understood"
        );
    } else {
        tracing::info!(%peer, reason = %error, "request not understood");
    }
}

/// The client has been too slow. Phones leave idle connections behind all the time.
pub(super) fn cut_off(peer: SocketAddr, stage: Stage) {
    let reason = match stage {
        Stage::Idle => return tracing::debug!(%peer, "connection closed: idle for limits.idle"),
        Stage::Header => "a request's headers took longer than limits.header",
        Stage::Request | Stage::Answered => "no progress with an answer within limits.request",
        Stage::Body => "a body took longer than limits.upload",
    };
    tracing::info!(%peer, reason, "connection cut off");
}
