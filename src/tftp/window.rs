//! Which block is due next, and what an acknowledgement means (RFC 1350 §2, RFC 7440 §4). No I/O, no time.
//!
//! Blocks are counted from 1 without end; on the wire they are 16 bits wide and roll over to 0. Block 0 stands for the
//! OACK, which is acknowledged as block 0 (RFC 2347).

/// The blocks under way: sent, but not acknowledged.
#[derive(Debug)]
pub(super) struct Window {
    first: u64,
    next: u64,
    size: u64,
    last: Option<u64>,
}

/// What an acknowledgement did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// Nothing: it repeats an earlier one or names a block that is not under way.
    ///
    /// Nothing may be sent in answer, or each delayed packet would be doubled to the end of the transfer, the
    /// Sorcerer's Apprentice Syndrome (RFC 1123 §4.2.3.1).
    Stale,
    /// Blocks have arrived; the next ones are due.
    Advanced,
    /// The last block has arrived.
    Complete,
}

impl Window {
    /// A window of `size` blocks at the start of a transfer; `from` is 0 if an OACK comes first, else 1.
    #[must_use]
    pub(super) fn new(from: u64, size: u16) -> Self {
        Self { first: from, next: from, size: size.max(1).into(), last: None }
    }

    /// The number of the next block to send, or `None` until an acknowledgement or a timeout.
    #[must_use]
    pub(super) fn due(&self) -> Option<u64> {
        let end = if self.first == 0 { 1 } else { self.first + self.size };
        let within_file = self.last.is_none_or(|last| self.next <= last);
        (self.next < end && within_file).then_some(self.next)
    }

    /// The due block has been sent.
    pub(super) fn sent(&mut self) {
        self.next += 1;
    }

    /// Block `number` turned out to be the last.
    pub(super) fn end_at(&mut self, number: u64) {
        self.last = Some(number);
    }

    /// The oldest block that is not acknowledged; all before it have arrived.
    #[must_use]
    pub(super) fn first(&self) -> u64 {
        self.first
    }

    /// The newest block under way as the wire has it. Once it is acknowledged, no acknowledgement that matters can be
    /// waiting behind it.
    #[must_use]
    pub(super) fn newest(&self) -> u16 {
        wire(self.next.wrapping_sub(1))
    }

    /// Takes an acknowledgement. One in the middle of the window tells of a loss: sending goes on right after it
    /// (RFC 7440 §4).
    pub(super) fn acknowledge(&mut self, block: u16) -> Progress {
        let ahead = u64::from(block.wrapping_sub(wire(self.first)));
        if ahead >= self.next - self.first {
            return Progress::Stale;
        }
        let acknowledged = self.first + ahead;
        self.first = acknowledged + 1;
        self.next = self.first;
        if self.last == Some(acknowledged) { Progress::Complete } else { Progress::Advanced }
    }

    /// Whether the last block has been acknowledged.
    #[must_use]
    pub(super) fn is_complete(&self) -> bool {
        self.last.is_some_and(|last| self.first > last)
    }

    /// No acknowledgement came in time: the whole window is due again.
    pub(super) fn rewind(&mut self) {
        self.next = self.first;
    }
}

/// The 16 bits of a block number that a packet carries.
#[must_use]
pub(super) fn wire(number: u64) -> u16 {
    let [.., high, low] = number.to_be_bytes();
    u16::from_be_bytes([high, low])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn send_all(window: &mut Window) -> Vec<u64> {
        std::iter::from_fn(|| window.due().inspect(|_| window.sent())).collect()
    }

    #[test]
    fn a_full_window_waits_for_its_acknowledgement() {
        let mut window = Window::new(1, 3);
        assert_eq!(send_all(&mut window), [1, 2, 3]);
        assert_eq!(window.acknowledge(3), Progress::Advanced);
        assert_eq!(send_all(&mut window), [4, 5, 6]);
    }

    #[test]
    fn nothing_follows_the_option_ack_until_it_is_acknowledged() {
        let mut window = Window::new(0, 2);
        assert_eq!(send_all(&mut window), [0]);
        assert_eq!(window.acknowledge(0), Progress::Advanced);
        assert_eq!(send_all(&mut window), [1, 2]);
    }

    #[test]
    fn a_repeated_or_foreign_acknowledgement_changes_nothing() {
        let mut window = Window::new(1, 2);
        send_all(&mut window);
        window.acknowledge(2);
        send_all(&mut window);
        for block in [2, 1, 0, 5, 65535] {
            assert_eq!(window.acknowledge(block), Progress::Stale, "block {block}");
        }
        assert_eq!(window.due(), None);
    }

    #[test]
    fn an_acknowledgement_inside_the_window_goes_back_to_the_gap() {
        let mut window = Window::new(1, 4);
        send_all(&mut window);
        assert_eq!(window.acknowledge(2), Progress::Advanced);
        assert_eq!(send_all(&mut window), [3, 4, 5, 6]);
    }

    #[test]
    fn the_transfer_is_complete_with_its_last_block() {
        let mut window = Window::new(1, 4);
        window.end_at(2);
        assert_eq!(send_all(&mut window), [1, 2]);
        assert_eq!(window.acknowledge(1), Progress::Advanced);
        assert_eq!(send_all(&mut window), [2]);
        assert_eq!(window.acknowledge(2), Progress::Complete);
    }

    #[test]
    fn block_numbers_roll_over_to_zero() {
        let mut window = Window::new(65534, 4);
        assert_eq!(send_all(&mut window), [65534, 65535, 65536, 65537]);
        assert_eq!(window.newest(), 1);
        assert_eq!(window.acknowledge(0), Progress::Advanced);
        assert_eq!(window.first(), 65537);
    }

    #[test]
    fn a_timeout_makes_the_whole_window_due_again() {
        let mut window = Window::new(1, 2);
        send_all(&mut window);
        window.rewind();
        assert_eq!(send_all(&mut window), [1, 2]);
    }

    #[test]
    fn an_acknowledgement_before_anything_is_sent_is_stale() {
        assert_eq!(Window::new(1, 2).acknowledge(1), Progress::Stale);
    }
}
