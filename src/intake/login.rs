//! Who may hand in: a case's number and a token of it.

use std::net::IpAddr;
use std::time::Instant;

use jiff::Timestamp;

use super::{Denied, Intake, Told};
use crate::app::App;
use crate::case::{CaseFault, CaseGrant, CaseNumber};
use crate::device::Secret;
use crate::event::{News, Reception};
use crate::listen::toll;
use crate::password::Token;
use crate::provision::REFUSAL_TAKES;
use crate::store::StoreError;

/// The longest name of a user that is looked at (bytes).
const LONGEST: usize = 64;

impl Intake {
    /// Holds a number and a token against the cases. A refusal takes as long whatever its reason, and longer for those who
    /// are refused again and again.
    ///
    /// # Errors
    /// The same refusal for whatever is wrong; the log says what it was.
    pub async fn login(&self, app: &App, peer: IpAddr, user: &str, token: &Secret) -> Result<CaseGrant, Denied> {
        let began = Instant::now();
        let user = &user[..user.floor_char_boundary(LONGEST)];
        // Whoever mixes the two up has typed the token as the user.
        let shown = user.parse::<CaseNumber>().map_or_else(|_| "(no number)".to_owned(), |number| number.to_string());
        let account = format!("case {shown}");
        if app.throttle.suspects(peer, &account, began) {
            let Some(_place) = app.throttle.place(peer) else {
                self.metrics.throttle.unanswered.inc();
                return Err(Denied::NoPlace);
            };
            self.metrics.throttle.slow.inc();
            tokio::time::sleep(app.throttle.settings().delay.duration()).await;
        }
        let fault = match self.examine(user, token).await {
            Ok(Ok(grant)) => return Ok(grant),
            Ok(Err(fault)) => fault,
            Err(error) => {
                tracing::error!(%error, "nobody can hand files in");
                return Err(Denied::Away(error));
            }
        };
        self.metrics.throttle.wrong_passwords.inc();
        self.metrics.case_files.refused.inc();
        if let Some(alarm) = app.throttle.mistaken(peer, &account, Instant::now()) {
            toll::raise(&alarm, &self.metrics, self.journal.as_deref());
        }
        let peer = peer.to_canonical();
        tracing::info!(target: "phoneprov::intake", %peer, case = shown, reason = %fault, "not let in");
        self.tell(peer.to_string(), format!("case {shown}: {fault}"), Reception::Denied);
        tokio::time::sleep_until((began + REFUSAL_TAKES).into()).await;
        Err(Denied::Refused)
    }

    async fn examine(&self, user: &str, token: &Secret) -> Result<Result<CaseGrant, CaseFault>, StoreError> {
        let presented = Token::presented(token);
        let Ok(number) = user.parse::<CaseNumber>() else { return Ok(Err(CaseFault::Unknown)) };
        let record = self.store.case(&number).await?;
        Ok(record.ok_or(CaseFault::Unknown).and_then(|record| record.admit(&presented, Timestamp::now())))
    }

    /// Notes a file that its client gave up, or may not hand in: why, and how much of it came (bytes).
    pub(super) fn not_kept(&self, case: &CaseNumber, told: Told<'_>, (reason, bytes): (&str, u64)) {
        let Told { file, peer, transport } = told;
        tracing::info!(target: "phoneprov::intake", %case, transport, file, peer, bytes, reason, "a file is not kept");
        self.metrics.case_files.failed.inc();
        self.tell(peer.to_owned(), format!("case {case}: {file}: {reason}"), Reception::Refused);
    }

    /// Tells of a file where events are kept.
    pub(super) fn tell(&self, address: String, text: String, reception: Reception) {
        if let Some(journal) = &self.journal {
            journal.tell(News::Uploaded { at: Timestamp::now(), device: None, address, path: None, text, reception });
        }
    }
}
