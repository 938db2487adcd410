//! One transfer from its first packet to its ending (RFC 1350 §2, §6).
//!
//! A transfer sends its window and waits. An acknowledgement moves the window on, a duplicate moves nothing, and only a
//! timeout sends anything twice. It ends when all has arrived or the client says so, is gone, or takes too long.

use std::io;
use std::pin::{Pin, pin};

use tokio::time::{Sleep, sleep_until};

use super::blocks::Blocks;
use super::link::{Link, Reply};
use super::options::Accepted;
use super::pace::{Pace, Verdict};
use super::packet::{ErrorCode, Packet, data_header};
use super::window::{Progress, Window, wire};
use super::{Ending, TransferResult};

/// One file on its way to one client.
#[derive(Debug)]
pub(super) struct Transfer {
    link: Link,
    blocks: Blocks,
    window: Window,
    option_ack: Option<Vec<u8>>,
    packet: Vec<u8>,
    filled: usize,
    pace: Pace,
}

impl Transfer {
    /// A transfer over `link` that has not begun.
    #[must_use]
    pub(super) fn new(link: Link, blocks: Blocks, accepted: &Accepted, pace: Pace) -> Self {
        let option_ack = accepted.option_ack();
        let first = u64::from(option_ack.is_none());
        Self {
            link,
            blocks,
            window: Window::new(first, accepted.window()),
            option_ack,
            packet: vec![0; 4 + usize::from(accepted.block_size())],
            filled: 0,
            pace,
        }
    }

    /// Runs the transfer to its ending.
    pub(super) async fn run(mut self) -> Ending {
        let mut timer = pin!(sleep_until(self.pace.next_look()));
        let result = loop {
            if let Err(error) = self.send_due() {
                self.link.send(&Packet::Error { code: ErrorCode::UNDEFINED, text: b"read error" }.to_bytes());
                break TransferResult::Broken(error.to_string());
            }
            if let Some(result) = self.wait(timer.as_mut()).await {
                break result;
            }
        };
        Ending { bytes: self.bytes(), result }
    }

    /// Sends what the window has room for.
    fn send_due(&mut self) -> io::Result<()> {
        while let Some(number) = self.window.due() {
            match &self.option_ack {
                Some(option_ack) if number == 0 => self.link.send(option_ack),
                _ => self.send_block(number)?,
            }
            self.window.sent();
        }
        Ok(())
    }

    fn send_block(&mut self, number: u64) -> io::Result<()> {
        let (header, payload) = self.packet.split_at_mut(4);
        header.copy_from_slice(&data_header(wire(number)));
        let length = self.blocks.fill(number, self.window.first(), payload)?;
        if length < payload.len() {
            self.window.end_at(number);
        }
        self.filled = length;
        self.link.send(&self.packet[..4 + length]);
        Ok(())
    }

    /// Waits until something is due, or the transfer has ended.
    async fn wait(&mut self, mut timer: Pin<&mut Sleep>) -> Option<TransferResult> {
        let newest = self.window.newest();
        loop {
            let reply = tokio::select! {
                // The timer first, or a client that never pauses would never meet the time limit.
                biased;
                () = timer.as_mut() => None,
                reply = self.link.receive(newest) => Some(reply),
            };
            match reply {
                Some(Reply::Ack(block)) => match self.window.acknowledge(block) {
                    Progress::Stale => {}
                    Progress::Advanced => {
                        self.pace.advanced();
                        return None;
                    }
                    Progress::Complete => return Some(TransferResult::Delivered),
                },
                Some(Reply::Error(code, text)) => return Some(TransferResult::Refused { code: code.0, text }),
                Some(Reply::Gone) => return Some(TransferResult::Vanished),
                None => {
                    let verdict = self.pace.look();
                    timer.as_mut().reset(self.pace.next_look());
                    match verdict {
                        Verdict::Wait => {}
                        Verdict::Resend => {
                            self.window.rewind();
                            return None;
                        }
                        Verdict::End(result) => return Some(self.give_up(result)),
                    }
                }
            }
        }
    }

    fn give_up(&self, result: TransferResult) -> TransferResult {
        let text: &[u8] = if result == TransferResult::Stopped { b"server stops" } else { b"timeout" };
        self.link.send(&Packet::Error { code: ErrorCode::UNDEFINED, text }.to_bytes());
        result
    }

    /// The bytes of payload that have arrived.
    fn bytes(&self) -> u64 {
        let block_size = (self.packet.len() - 4) as u64;
        let arrived = self.window.first().saturating_sub(1);
        if self.window.is_complete() { (arrived - 1) * block_size + self.filled as u64 } else { arrived * block_size }
    }
}
