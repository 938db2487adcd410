//! The admin surface: `/healthz`, `/readyz`, `/metrics`, and `/credentials` for programs with a token, on a listener of its own, never on a phone's.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};

use super::{ServeError, credentials};
use crate::config::Admin;
use crate::listen::Shared;
use crate::listen::bind::BindError;

/// Starts it, where an address is set; returns where it really listens.
pub(super) async fn start(admin: &Admin, shared: &Arc<Shared>) -> Result<Option<SocketAddr>, ServeError> {
    let Some(address) = admin.address else { return Ok(None) };
    let named = |error: io::Error| BindError::of("admin.address", address, error);
    let listener = tokio::net::TcpListener::bind(address).await.map_err(named)?;
    let bound = listener.local_addr()?;
    let stop = shared.stop.clone();
    let router = router(shared.clone()).into_make_service_with_connect_info::<SocketAddr>();
    shared.tasks.spawn(async move {
        let served = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await;
        if let Err(error) = served {
            tracing::error!(%error, "the admin surface ended");
        }
    });
    Ok(Some(bound))
}

/// Every address of the admin surface.
fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route("/credentials/case/{number}", post(credentials::post).layer(DefaultBodyLimit::max(credentials::LONGEST)))
        .with_state(shared)
}

/// Ready while the profile folder is where it was and no stop is under way.
async fn ready(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    if shared.stop.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n");
    }
    let line = shared.app().line.clone();
    match line.tree.root().is_in_place() {
        // Still worth a phone's request: that of one that is remembered, or for what needs no device.
        true if line.inventory.as_ref().is_some_and(|inventory| inventory.is_away()) => {
            (StatusCode::OK, "degraded: the store does not answer, only devices that are remembered are served\n")
        }
        true => (StatusCode::OK, "ready\n"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "the profile folder was removed or replaced: reload (SIGHUP)\n"),
    }
}

async fn metrics(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], shared.metrics.text())
}
