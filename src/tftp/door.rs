//! A read request on the line that HTTP walks: identify, authorize, resolve, render, compress, encrypt, respond.

use std::net::{SocketAddr, UdpSocket};

use tokio_util::sync::CancellationToken;

use super::{Ending, Offer, ReadRequest, Settings, TransferResult};
use crate::config::Protocol;
use crate::listen::Shared;
use crate::log::Record;
use crate::profile::path::RequestPath;
use crate::provision::{self, Conditions, Outcome, Presented, Refusal, Request, Trail, Verb};

/// Serves a TFTP listener until it is told to stop.
pub async fn serve(socket: UdpSocket, settings: Settings, shared: Shared, stop: CancellationToken) {
    let tasks = shared.tasks.clone();
    let answer = move |request, peer| answer(shared.clone(), request, peer);
    if let Err(error) = super::serve(socket, settings, answer, stop, tasks).await {
        tracing::error!(%error, "a tftp listener ended");
    }
}

async fn answer(shared: Shared, read: ReadRequest, peer: SocketAddr) -> Option<Offer> {
    let app = shared.app();
    let path = String::from_utf8_lossy(&read.name).into_owned();
    let mut record = Record::new(shared.metrics.clone(), Protocol::Tftp, peer, path, &app.config.log);
    let mut trail = Trail::default();
    let result = match provision::admit(&app.line, &request(&read.name, peer), &mut trail) {
        Err(refusal) => Err(refusal),
        Ok(profile) if !profile.is_heavy() => provision::finish(&app.line, &request(&read.name, peer), &profile),
        Ok(profile) => {
            let line = app.line.clone();
            let made =
                tokio::task::spawn_blocking(move || provision::finish(&line, &request(&read.name, peer), &profile));
            made.await.unwrap_or_else(|error| {
                Err(Refusal::File { file: "the profile".into(), error: std::io::Error::other(error) })
            })
        }
    };
    let reason = result.as_ref().err().map(ToString::to_string);
    record.decided(trail, Outcome::of(&result), reason);
    let Ok(response) = result else {
        tokio::time::sleep_until((record.began() + provision::REFUSAL_TAKES).into()).await;
        record.finish(0);
        return None;
    };
    Some(Offer { body: response.body, finished: Box::new(move |ending| finish(record, ending)) })
}

fn request(name: &[u8], peer: SocketAddr) -> Request<'static> {
    Request {
        transport: Protocol::Tftp,
        peer,
        verb: Verb::Get,
        path: RequestPath::from_tftp(name),
        presented: &Presented::Nothing,
        accepts_gzip: false,
        conditions: Conditions::default(),
    }
}

fn finish(mut record: Record, ending: Ending) {
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
