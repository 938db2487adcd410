//! Passwords on their way to the line: examined off the runtime's threads, a few at once, and later where many were wrong.

use std::sync::Arc;
use std::time::Instant;

use hyper::header;

use super::{Shared, activation, toll};
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
    let headers: Vec<&[u8]> =
        head.headers.get_all(header::AUTHORIZATION).iter().map(header::HeaderValue::as_bytes).collect();
    let attempt = Attempt {
        headers: &headers,
        method: head.method.as_str(),
        target: head.uri.path_and_query().map_or("", |target| target.as_str()),
    };
    let pending = match provision::examine(&app.line, asked, &attempt) {
        Examining::Done(examined) => return examined,
        Examining::Pending(pending) => pending,
        Examining::Code(pending) => return activation::examine(app, shared, asked, pending).await,
    };
    let user = pending.user().to_owned();
    let is_suspect = || app.throttle.suspects(asked.peer.ip(), &user, Instant::now());
    let mut has_paid = false;
    let examined = loop {
        if !has_paid && is_suspect() {
            if toll::hold(app, &shared.metrics, asked.peer).await.is_err() {
                return pending.pass_over();
            }
            has_paid = true;
        }
        if !pending.is_costly() {
            break pending.run(Instant::now());
        }
        // A client that goes while it waits for its turn costs nothing.
        let turn = shared.examinations.clone().acquire_owned().await;
        // Those whose turn came before may have been wrong, from the same address.
        if has_paid || !is_suspect() {
            let examined = tokio::task::spawn_blocking(move || {
                let _turn = turn;
                pending.run(Instant::now())
            });
            break examined.await.unwrap_or_default();
        }
    };
    if examined.is_wrong() {
        shared.metrics.throttle.wrong_passwords.inc();
        if let Some(alarm) = app.throttle.mistaken(asked.peer.ip(), &user, Instant::now()) {
            toll::raise(&alarm, &shared.metrics, shared.journal.as_deref());
        }
    }
    examined
}
