//! `[limits]`: what one client, and all of them, may take.

use serde::Deserialize;

use super::{Bytes, Period};

/// Bounds on everything that a client can make the server hold or wait for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Connections open at once, over all listeners; more wait in the kernel's queue.
    pub connections: u32,
    /// The same from one address, trusted proxies excepted: a site behind one address may have many phones, but nobody has
    /// all places.
    pub connections_per_address: usize,
    /// From the first byte of a TLS handshake to its end.
    pub handshake: Period,
    /// From the first byte of a request to the end of its headers.
    pub header: Period,
    /// Between two requests of one connection, and before the first.
    pub idle: Period,
    /// Without progress while an answer is sent.
    pub request: Period,
    /// A request's line and headers together; at least 8 KiB.
    pub header_size: Bytes,
    /// A request's path and query.
    pub url_size: Bytes,
    /// TFTP transfers under way at once, on each listener.
    pub transfers: usize,
    /// The same from one address: a site behind one address may have many phones, but nobody has all places.
    pub transfers_per_address: usize,
    /// One TFTP transfer from its request to its end.
    pub transfer: Period,
    /// For what was begun, after SIGTERM.
    pub drain: Period,
    /// A phone's report, as it is sent.
    pub report_size: Bytes,
    /// A problem report, as it is sent.
    pub prt_size: Bytes,
    /// An upload from its headers to its end.
    pub upload: Period,
    /// Uploads under way at once.
    pub uploads: u32,
    /// The same from one address.
    pub uploads_per_address: usize,
}

impl Limits {
    /// The least that a request's line and headers may be bounded to: less is not enough for the reader (hyper).
    const LEAST_HEADER: Bytes = Bytes::kibibytes(8);

    /// Refuses bounds that cannot be kept, and those within which nothing works.
    pub(super) fn check(self) -> Result<Self, String> {
        let (size, least) = (self.header_size, Self::LEAST_HEADER);
        if size < least {
            return Err(format!("limits.header_size: {size} is too little for a request: expected {least} or more"));
        }
        let zeros = [
            ("connections", self.connections == 0, "1"),
            ("connections_per_address", self.connections_per_address == 0, "1"),
            ("handshake", self.handshake.is_zero(), "\"1s\""),
            ("header", self.header.is_zero(), "\"1s\""),
            ("idle", self.idle.is_zero(), "\"1s\""),
            ("request", self.request.is_zero(), "\"1s\""),
            ("url_size", self.url_size.count() == 0, "\"256\""),
            ("transfers", self.transfers == 0, "1"),
            ("transfers_per_address", self.transfers_per_address == 0, "1"),
            ("transfer", self.transfer.is_zero(), "\"1s\""),
            ("report_size", self.report_size.count() == 0, "\"64 KiB\""),
            ("prt_size", self.prt_size.count() == 0, "\"1 MiB\""),
            ("upload", self.upload.is_zero(), "\"1s\""),
            ("uploads", self.uploads == 0, "1"),
            ("uploads_per_address", self.uploads_per_address == 0, "1"),
        ];
        match zeros.into_iter().find(|(_, is_zero, _)| *is_zero) {
            Some((key, _, some)) => {
                Err(format!("limits.{key} is 0, within which nothing ever works: expected {some} or more"))
            }
            None => Ok(self),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 16_384,
            connections_per_address: 12_288,
            handshake: Period::seconds(10),
            header: Period::seconds(10),
            idle: Period::seconds(60),
            request: Period::seconds(60),
            header_size: Bytes::kibibytes(16),
            url_size: Bytes::kibibytes(2),
            transfers: 1024,
            transfers_per_address: 256,
            transfer: Period::seconds(600),
            drain: Period::seconds(30),
            report_size: Bytes::kibibytes(4 * 1024),
            prt_size: Bytes::kibibytes(32 * 1024),
            upload: Period::seconds(600),
            uploads: 64,
            uploads_per_address: 16,
        }
    }
}
