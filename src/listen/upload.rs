//! What phones send: let in by the line, read within bounds of size and time, and put into the vault.

use std::sync::Arc;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::{self, HeaderName};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::body::Reply;
use super::clock::{Clock, Stage};
use super::http::{self, Asker};
use super::inflow::Inflow;
use super::refusal::Look;
use super::toll::Unanswered;
use super::{Shared, password};
use crate::app::App;
use crate::case::{FileName, Label, Remark};
use crate::config::{Accept, Report};
use crate::device::DeviceName;
use crate::log::Record;
use crate::provision::{self, Body, Form, Guess, Outcome, Problem, Refusal, Request, Upload, UploadFault};
use crate::store::{NewUpload, Quota, StoreError, UploadKind};
use crate::vault::{Deposit, Kept, Vault, VaultError};

/// Pieces of a body that wait to be written.
const WAITING: usize = 4;

/// Whether a method sends something.
pub(super) fn is_one(method: &Method) -> bool {
    matches!(*method, Method::POST | Method::PUT)
}

/// Answers a request that sends something: with 200 and nothing else where it is kept (204 and 20x are failures to phones'
/// old firmware, Cisco bug `CSCvh16689`).
pub(super) async fn respond(
    app: Arc<App>,
    asker: Asker,
    clock: Clock,
    request: hyper::Request<Incoming>,
    mut record: Box<Record>,
) -> Result<hyper::Response<Reply>, Unanswered> {
    let taken = take(&app, &asker, &clock, request, &mut record).await;
    clock.enter(Stage::Request);
    let reply = |record, body| Reply::new(body, record, clock, true);
    match taken {
        Ok(()) => {
            record.ends(Outcome::Kept, None);
            let mut answer = hyper::Response::new(reply(record, Body::Bytes(Bytes::new())));
            *answer.status_mut() = StatusCode::OK;
            Ok(answer)
        }
        Err((refusal, challenges, guess)) => {
            record.ends(Outcome::of_refusal(&refusal), Some(refusal.to_string()));
            http::refused(&app, record, (Look::of(&refusal, challenges), guess), reply).await
        }
    }
}

/// Walks the line and takes in what it lets in; else what is answered, and what that is paid as.
async fn take(
    app: &Arc<App>,
    asker: &Asker,
    clock: &Clock,
    request: hyper::Request<Incoming>,
    record: &mut Record,
) -> Result<(), (Refusal, Vec<String>, Option<Guess>)> {
    let (head, body) = request.into_parts();
    let shared = &asker.session.shared;
    let mut wanted = http::read(app, asker, &head);
    if app.line.rules.ask() {
        wanted.password = Box::pin(password::examine(app, shared, &head, &wanted)).await;
    }
    let accepted = match provision::accept(&app.line, &wanted, record.trail()) {
        Err(Refusal::Unread(name)) => app.accept(shared.store.as_ref(), &mut wanted, record.trail(), name).await,
        accepted => accepted,
    };
    let taken = match accepted {
        Ok(upload) => {
            let taking = Taking { app, shared, clock, head: &head, wanted: &wanted, upload: Arc::new(upload) };
            taking.run(body, record).await
        }
        Err(refusal) => Err(refusal),
    };
    taken.map_err(|refusal| {
        let challenges = provision::challenges(&app.line, &wanted, std::time::Instant::now());
        let guess = Guess::of(&wanted, &refusal);
        (refusal, challenges, guess)
    })
}

/// An upload that was let in.
struct Taking<'a> {
    app: &'a Arc<App>,
    shared: &'a Arc<Shared>,
    clock: &'a Clock,
    head: &'a Parts,
    wanted: &'a Request<'a>,
    upload: Arc<Upload>,
}

/// Who sends something, as far as anybody says.
struct Sender {
    /// The device, as the store names it.
    device: DeviceName,
    /// What the client calls the file.
    label: String,
    /// The phone's user, by a form.
    user: String,
}

impl Taking<'_> {
    async fn run(&self, body: Incoming, record: &mut Record) -> Result<(), Refusal> {
        let limits = &self.app.config.limits;
        let vault = self.shared.vault.clone().ok_or(UploadFault::Vault("there is no vault".into()))?;
        let address = self.wanted.peer.ip();
        let share = self.shared.upload_shares.take(address, limits.uploads_per_address);
        let _share = share.ok_or(UploadFault::Busy("uploads_per_address"))?;
        self.clock.enter(Stage::Body);
        let turn = timeout(limits.request.duration(), self.shared.uploads.acquire()).await;
        let _turn = turn.map_err(|_| UploadFault::Busy("uploads"))?;
        let (kept, sender) = match self.upload.accept() {
            Accept::Report(_) => self.report(vault.clone(), body, record).await?,
            Accept::Problem => self.problem(vault.clone(), body, record).await?,
        };
        self.enter(vault, kept, sender).await
    }

    /// A report: read whole, opened, and kept as what is in it.
    async fn report(&self, vault: Arc<Vault>, body: Incoming, record: &mut Record) -> Result<(Kept, Sender), Refusal> {
        let known = self.upload.device().ok_or(UploadFault::Nobody)?;
        let sender = Sender { device: known.device().name(), label: String::new(), user: String::new() };
        let limits = &self.app.config.limits;
        let mut inflow = Inflow::new(body, limits, ("report_size", limits.report_size.count()))?;
        let body = inflow.whole(&mut record.trail().received).await?;
        let (app, upload) = (self.app.clone(), self.upload.clone());
        let codings = self.header(header::CONTENT_ENCODING);
        let turn = self.shared.heavy.clone().acquire_owned().await;
        let opened = blocking(move || {
            let _turn = turn;
            provision::open(&app.line, &upload, &codings, &body)
        });
        let text = opened.await?;
        let kept = blocking(move || {
            let mut deposit = vault.begin(Some(text.len() as u64)).map_err(fault)?;
            deposit.write(text.as_bytes()).map_err(fault)?;
            deposit.finish().map_err(|error| fault(error).into())
        });
        Ok((kept.await?, sender))
    }

    /// A problem report: passed on as it comes, and kept once all of it is there and it is known whose it is.
    async fn problem(&self, vault: Arc<Vault>, body: Incoming, record: &mut Record) -> Result<(Kept, Sender), Refusal> {
        let limits = &self.app.config.limits;
        let form = Form::announced(&self.header(header::CONTENT_TYPE)).map_err(UploadFault::Form)?;
        if form.is_none() && self.upload.device().is_none() {
            return Err(UploadFault::Nobody.into());
        }
        let mut inflow = Inflow::new(body, limits, ("prt_size", limits.prt_size.count()))?;
        let (pieces, coming) = mpsc::channel(WAITING);
        let announced = inflow.announced();
        let writing = tokio::task::spawn_blocking(move || write(&vault, (form, announced), coming));
        while let Some(bytes) = inflow.next().await? {
            record.trail().received += bytes.len() as u64;
            // Whoever writes says why he has stopped.
            if pieces.send(Piece::Bytes(bytes)).await.is_err() {
                break;
            }
        }
        let _ = pieces.send(Piece::End).await;
        let written = writing.await.map_err(|error| UploadFault::Vault(error.to_string()))?;
        let (deposit, problem) = written?;
        let sender = self.sender(problem, record).await?;
        let kept = blocking(move || deposit.finish().map_err(|error| fault(error).into()));
        Ok((kept.await?, sender))
    }

    /// Whose a problem report is. What its form says counts where nothing else does, and is of a device of the store.
    async fn sender(&self, problem: Problem, record: &mut Record) -> Result<Sender, Refusal> {
        let store = self.shared.store.as_ref().ok_or(UploadFault::Nobody)?;
        let read =
            async |name: &DeviceName| store.device(name).await.map_err(|error| Refusal::Store(error.to_string()));
        let device = match problem.sender(&self.app.line, self.wanted, &self.upload)? {
            None => {
                let known = self.upload.device().ok_or(UploadFault::Nobody)?;
                Problem::certified(self.wanted, known.device())?;
                known.device().name()
            }
            Some(name) => {
                record.trail().claimed = problem.named.clone();
                let entry = read(&name).await?.ok_or_else(|| Refusal::UnknownDevice(name.to_string()))?;
                if !entry.device.enabled {
                    return Err(Refusal::Disabled(entry.device.name()));
                }
                Problem::certified(self.wanted, &entry.device)?;
                entry.device.name()
            }
        };
        if let Some(serial) = problem.serial() {
            let owner = read(&DeviceName::Serial(serial.clone())).await?;
            problem.owned(owner.map(|entry| entry.device.name()), &device)?;
        }
        Ok(Sender { device, label: problem.label, user: problem.user })
    }

    /// Enters what is kept into the store: what is not there, is not there for anybody.
    async fn enter(&self, vault: Arc<Vault>, kept: Kept, sender: Sender) -> Result<(), Refusal> {
        let store = self.shared.store.as_ref().ok_or(UploadFault::Nobody)?;
        let name = kept.name.clone();
        let upload = NewUpload {
            kind: kind(self.upload.accept()),
            at: Timestamp::now(),
            device: Some(sender.device),
            case: None,
            label: self.label(&sender.label, &sender.user)?,
            address: self.wanted.peer.ip().to_canonical().to_string(),
            kept,
            total: None,
        };
        let quota = self.app.config.uploads.as_ref().map(Quota::from).unwrap_or_default();
        let Err(error) = store.add_upload(upload, quota).await else { return Ok(()) };
        let removed = blocking(move || vault.remove(&name).map_err(|error| fault(error).into())).await;
        if let Err(removed) = removed {
            tracing::warn!(error = %removed, "an upload that is not listed is still there");
        }
        Err(match error {
            StoreError::Quota { .. } | StoreError::Crowded { .. } => UploadFault::Full(error.to_string()).into(),
            other => Refusal::Store(other.to_string()),
        })
    }

    /// What a file is called: as its client says, or as the path ends.
    fn label(&self, said: &str, user: &str) -> Result<Label, Refusal> {
        let path = self.wanted.path.as_ref().ok().and_then(|path| path.segments().next_back()).unwrap_or_default();
        let said = if said.is_empty() { path } else { said };
        let name = FileName::shortened(said.as_bytes()).map_err(|error| UploadFault::Vault(error.to_string()))?;
        let description = Remark::description(user.as_bytes());
        Ok(Label { description, ..Label::named(name) })
    }

    /// A header's text; of several, all of them as one.
    fn header(&self, name: HeaderName) -> String {
        let values = self.head.headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
        values.collect::<Vec<_>>().join(",")
    }
}

/// A part of a body on its way to the vault, or that there is no more. A channel that ends without is a client that went.
enum Piece {
    Bytes(Bytes),
    End,
}

/// Writes what comes until its end, out of its form where it is in one.
fn write(
    vault: &Vault,
    (mut form, announced): (Option<Form>, Option<u64>),
    mut coming: mpsc::Receiver<Piece>,
) -> Result<(Deposit, Problem), UploadFault> {
    let mut deposit = vault.begin(announced).map_err(fault)?;
    let mut size = 0;
    loop {
        let Piece::Bytes(bytes) = coming.blocking_recv().ok_or(UploadFault::Broken)? else { break };
        let mut put = |bytes: &[u8]| {
            size += bytes.len();
            deposit.write(bytes).map_err(fault)
        };
        match &mut form {
            Some(form) => form.push(&bytes, put)?,
            None => put(&bytes)?,
        }
    }
    let problem = match form {
        Some(form) => form.finish().map(|(fields, file)| Problem::of(&fields, &file))?,
        None => Problem::default(),
    };
    if size == 0 { Err(UploadFault::Empty) } else { Ok((deposit, problem)) }
}

/// Runs what takes a thread for a while.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Refusal> + Send + 'static) -> Result<T, Refusal> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(UploadFault::Vault(error.to_string()).into()))
}

fn fault(error: VaultError) -> UploadFault {
    match error {
        VaultError::Full { .. } => UploadFault::Full(error.to_string()),
        other => UploadFault::Vault(other.to_string()),
    }
}

fn kind(accept: Accept) -> UploadKind {
    match accept {
        Accept::Report(Report::Full) => UploadKind::Report,
        Accept::Report(Report::Delta) => UploadKind::Delta,
        Accept::Report(Report::Status) => UploadKind::Status,
        Accept::Problem => UploadKind::Prt,
    }
}
