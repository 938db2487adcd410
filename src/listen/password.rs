//! Passwords on their way to the line: examined off the runtime's threads, a few at once.

use std::sync::Arc;
use std::time::Instant;

use hyper::header;

use super::Shared;
use crate::app::App;
use crate::password::Attempt;
use crate::provision::{self, Examined, Examining, Request};

/// Holds the request's `Authorization` header against the accounts that its path asks for.
pub(super) async fn examine(
    app: &Arc<App>,
    shared: &Arc<Shared>,
    head: &hyper::http::request::Parts,
    asked: &Request<'_>,
) -> Examined {
    let attempt = Attempt {
        header: head.headers.get(header::AUTHORIZATION).map(header::HeaderValue::as_bytes),
        method: head.method.as_str(),
        target: head.uri.path_and_query().map_or("", |target| target.as_str()),
    };
    let pending = match provision::examine(&app.line, asked, &attempt, Instant::now()) {
        Examining::Done(examined) => return examined,
        Examining::Pending(pending) => pending,
    };
    // A client that goes while it waits for its turn costs nothing.
    let turn = shared.examinations.clone().acquire_owned().await;
    let examined = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        pending.run()
    });
    examined.await.unwrap_or_default()
}
