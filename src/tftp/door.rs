//! A read request on the line that HTTP walks: identify, authorize, resolve, render, compress, encrypt, respond.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{Denial, Ending, Offer, ReadRequest, Settings, TransferResult, Wish};
use crate::app::App;
use crate::config::Protocol;
use crate::listen::{Shared, toll};
use crate::log::Record;
use crate::profile::path::{RequestPath, key_of};
use crate::provision::{
    self, Conditions, Examined, Guess, Outcome, Presented, Refusal, Request, Response, Trail, Verb,
};

/// Serves a TFTP listener until it is told to stop.
pub async fn serve(socket: UdpSocket, settings: Settings, shared: Arc<Shared>, stop: CancellationToken) {
    let tasks = shared.tasks.clone();
    let answer = move |wish, peer| answer(shared.clone(), wish, peer);
    if let Err(error) = super::serve(socket, settings, answer, stop, tasks).await {
        tracing::error!(%error, "a tftp listener ended");
    }
}

async fn answer(shared: Arc<Shared>, wish: Wish, peer: SocketAddr) -> Result<Offer, Denial> {
    let app = shared.app();
    let (name, read) = match &wish {
        Wish::Read(read) => (&read.name, Ok(read)),
        Wish::Refused { name, reason } => (name, Err(*reason)),
    };
    let path = String::from_utf8_lossy(name).into_owned();
    let mut record = Record::new(shared.metrics.clone(), Protocol::Tftp, peer, path, &app.config.log);
    if let Some(journal) = &shared.journal {
        record.tell(journal, None);
    }
    let read = match read {
        Ok(read) => read,
        Err(reason) => {
            record.decided(Trail::default(), Outcome::Refused, Some(reason.to_owned()));
            record.finish(0);
            return Err(Denial::NotFound);
        }
    };
    let Walked { result, trail, guess } = walk(&app, &shared, read, peer).await;
    record.decided(trail, Outcome::of(&result), result.as_ref().err().map(ToString::to_string));
    // While the store is away nobody knows whether there is a profile: the phone asks again.
    let away = matches!(result, Err(Refusal::Store(_)));
    let Ok(response) = result else {
        let paid = toll::pay(&app, &record, guess).await;
        if paid.is_err() {
            record.unanswered();
        }
        record.finish(0);
        return Err(if paid.is_ok() && !away { Denial::NotFound } else { Denial::Silence });
    };
    record.gives(&response);
    Ok(Offer { body: response.body, finished: Box::new(move |ending| finish(&mut record, ending)) })
}

/// How far a request came along the line.
struct Walked {
    result: Result<Response, Refusal>,
    trail: Trail,
    /// What a refusal is paid as.
    guess: Option<Guess>,
}

/// Walks the line; what takes long to make is made off the runtime's threads.
async fn walk(app: &App, shared: &Shared, read: &ReadRequest, peer: SocketAddr) -> Walked {
    let mut trail = Trail::default();
    let mut wanted = request(&read.name, peer);
    // One turn of the runtime may bring many requests, of which the last came in after it.
    app.line.tree.root().hear();
    let admitted = match provision::admit(&app.line, &wanted, &mut trail) {
        Err(Refusal::Unread(name)) => Box::pin(app.admit(shared.store.as_ref(), &mut wanted, &mut trail, name)).await,
        admitted => admitted,
    };
    let profile = match admitted {
        Ok(profile) if profile.is_heavy() => profile,
        Ok(profile) => {
            return Walked { result: provision::finish(&app.line, &wanted, &profile), trail, guess: None };
        }
        Err(refusal) => {
            let guess = Guess::of(&wanted, &refusal);
            return Walked { result: Err(refusal), trail, guess };
        }
    };
    let turn = shared.heavy.clone().acquire_owned().await;
    let (line, name) = (app.line.clone(), read.name.clone());
    let made = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        line.tree.root().hear();
        provision::finish(&line, &request(&name, peer), &profile)
    });
    let made = made
        .await
        .unwrap_or_else(|error| Err(Refusal::File { file: "the profile".into(), error: std::io::Error::other(error) }));
    Walked { result: made, trail, guess: None }
}

fn request(name: &[u8], peer: SocketAddr) -> Request<'_> {
    Request {
        transport: Protocol::Tftp,
        peer,
        verb: Verb::Get,
        path: RequestPath::from_tftp(name),
        key: std::str::from_utf8(name).ok().and_then(key_of),
        presented: &Presented::Nothing,
        models: None,
        password: Examined::default(),
        accepts_gzip: false,
        conditions: Conditions::default(),
        read: Vec::new(),
    }
}

fn finish(record: &mut Record, ending: Ending) {
    match ending.result {
        TransferResult::Delivered => {}
        TransferResult::Vanished => record.broken("the client stopped answering"),
        TransferResult::Refused { code, text } => record.broken(&format!("the client sent error {code}: {text:?}")),
        TransferResult::OverTime => record.broken("the transfer took longer than limits.transfer"),
        TransferResult::Stopped => record.broken("the server stopped"),
        TransferResult::Broken(error) => record.broken(&error),
    }
    record.finish(ending.bytes);
}
