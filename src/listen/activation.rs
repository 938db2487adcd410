//! Codes on their way to the line: a new phone that presents a good one becomes a device of the store.

use std::sync::Arc;
use std::time::Instant;

use super::{Shared, toll};
use crate::app::App;
use crate::metrics::CodeOutcome;
use crate::password::CodeFault;
use crate::provision::{Examined, PendingCode, Request};

/// What throttles know all codes by: there is no account to tell them apart.
const ACCOUNT: &str = "code";

/// Holds a code against the store's, later where many were wrong.
pub(super) async fn examine(
    app: &Arc<App>,
    shared: &Arc<Shared>,
    asked: &Request<'_>,
    pending: PendingCode,
) -> Examined {
    let address = asked.peer.ip();
    if app.throttle.suspects(address, ACCOUNT, Instant::now())
        && toll::hold(app, &shared.metrics, asked.peer).await.is_err()
    {
        shared.metrics.code(CodeOutcome::Unexamined);
        return pending.pass_over();
    }
    let activated = activate(app, shared, &pending, &address.to_string()).await;
    shared.metrics.code(outcome(activated.as_ref().err()));
    let examined = match activated {
        Ok(account) => pending.is_right(&account),
        Err(fault) => pending.is_wrong(fault),
    };
    if examined.is_wrong() {
        shared.metrics.throttle.wrong_passwords.inc();
        if let Some(alarm) = app.throttle.mistaken(address, ACCOUNT, Instant::now()) {
            toll::raise(&alarm, &shared.metrics, shared.journal.as_deref());
        }
    }
    examined
}

/// The name of the device that the phone is from now on.
async fn activate(
    app: &Arc<App>,
    shared: &Arc<Shared>,
    pending: &PendingCode,
    address: &str,
) -> Result<String, CodeFault> {
    let code = pending.code().ok_or(CodeFault::Unknown)?.clone();
    let identity = pending.identity().ok_or(CodeFault::Nobody)?;
    let (Some(store), Some(inventory)) = (&shared.store, &app.line.inventory) else { return Err(CodeFault::Away) };
    let turn = shared.examinations.clone().acquire_owned().await;
    let print = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        code.print()
    });
    let print = print.await.ok().and_then(Result::ok).ok_or(CodeFault::Away)?;
    let away = |error| {
        tracing::error!(%error, "a code cannot be held against the store's");
        CodeFault::Away
    };
    let name = store.activate(&print, identity, address).await.map_err(away)??;
    tracing::info!(device = %name, "a phone was activated by a code");
    // That it was unknown a moment ago is forgotten.
    store.tell(inventory).await.map_err(away)?;
    Ok(name.to_string().trim_start_matches("sn:").to_owned())
}

/// What is counted; a code without a fault has activated a phone.
fn outcome(fault: Option<&CodeFault>) -> CodeOutcome {
    match fault {
        None => CodeOutcome::Activated,
        Some(CodeFault::Unknown) => CodeOutcome::Unknown,
        Some(CodeFault::Used) => CodeOutcome::Used,
        Some(CodeFault::Expired) => CodeOutcome::Expired,
        Some(CodeFault::Enrolled) => CodeOutcome::Enrolled,
        Some(CodeFault::Nobody) => CodeOutcome::Nobody,
        Some(CodeFault::Away) => CodeOutcome::Away,
    }
}
