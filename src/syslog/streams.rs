//! Lines over TCP: streams are accepted and read, and emptied when it is time to stop.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::frame::Frames;
use super::{Admit, Closed, Lines, Messages};

/// What is read at once from a stream.
const PIECE: usize = 16 * 1024;

/// How long a stream may say nothing.
const SILENCE: Duration = Duration::from_mins(30);

/// When it is time to stop: a stream that brings nothing for so long has brought all that the kernel had.
const QUIET: Duration = Duration::from_millis(200);

/// When it is time to stop: how long streams are accepted, and each is read, at the most.
const LAST: Duration = Duration::from_secs(2);

/// When it is time to stop: what is still taken of a stream at the most (bytes). More than any kernel queues by itself.
const LAST_BYTES: usize = 16 * 1024 * 1024;

/// What every stream is read with.
pub(super) struct Streams {
    pub(super) admit: Admit,
    pub(super) most: usize,
    pub(super) reader: Reader,
    pub(super) tasks: TaskTracker,
}

/// What one stream is read with.
#[derive(Clone)]
pub(super) struct Reader {
    pub(super) messages: Arc<Messages>,
    pub(super) lines: Lines,
    pub(super) stop: CancellationToken,
}

impl Streams {
    /// Accepts streams until it is time to stop, and then those that the kernel has.
    pub(super) async fn accept(self, tcp: TcpListener) {
        let places = Arc::new(Semaphore::new(self.most));
        loop {
            let next = async {
                let place = places.clone().acquire_owned().await.map_err(std::io::Error::other)?;
                Ok((tcp.accept().await?, place))
            };
            let accepted: std::io::Result<_> = tokio::select! {
                biased;
                () = self.reader.stop.cancelled() => break,
                accepted = next => accepted,
            };
            match accepted {
                Ok((stream, place)) => self.begin(stream, place),
                Err(error) => {
                    tracing::warn!(%error, "syslog over tcp");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
        if let Err(error) = self.accept_rest(tcp, &places).await {
            tracing::warn!(%error, "syslog over tcp: streams that were not accepted yet are lost");
        }
    }

    /// Accepts what is in the kernel's queue.
    async fn accept_rest(&self, tcp: TcpListener, places: &Arc<Semaphore>) -> std::io::Result<()> {
        // The kernel itself is asked: what the runtime knows of it may be older.
        let tcp = tcp.into_std()?;
        let until = Instant::now() + LAST;
        while Instant::now() < until {
            let place = timeout_at(until, places.clone().acquire_owned()).await?;
            let place = place.map_err(std::io::Error::other)?;
            match tcp.accept() {
                Ok((stream, peer)) => {
                    stream.set_nonblocking(true)?;
                    self.begin((TcpStream::from_std(stream)?, peer), place);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                // Its client has gone already (accept(2)).
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn begin(&self, (stream, peer): (TcpStream, SocketAddr), place: OwnedSemaphorePermit) {
        let Some(share) = (self.admit)(peer.ip()) else {
            tracing::warn!(target: "phoneprov::syslog", %peer, "closed: its address has as many streams as it may");
            return;
        };
        let reader = self.reader.clone();
        self.tasks.spawn(async move {
            let _place = (place, share);
            // Nobody takes lines any more: there is nothing to do about it.
            let _ = reader.read(stream, peer).await;
        });
    }
}

impl Reader {
    /// Takes all lines of a stream, the last without an end, too.
    async fn read(&self, mut stream: TcpStream, peer: SocketAddr) -> Result<(), Closed> {
        let (mut frames, mut piece) = (Frames::default(), vec![0; PIECE]);
        loop {
            let read = tokio::select! {
                biased;
                () = self.stop.cancelled() => {
                    self.empty(&mut stream, peer, &mut frames).await?;
                    break;
                }
                read = timeout(SILENCE, stream.read(&mut piece)) => read,
            };
            let Ok(Ok(length @ 1..)) = read else { break };
            self.take(&mut frames, &piece[..length], peer).await?;
        }
        match frames.rest() {
            Some(line) => self.lines.take(&self.messages, &line, peer.ip()).await,
            None => Ok(()),
        }
    }

    /// Reads what the kernels of both sides still have.
    async fn empty(&self, stream: &mut TcpStream, peer: SocketAddr, frames: &mut Frames) -> Result<(), Closed> {
        let (until, mut left, mut piece) = (Instant::now() + LAST, LAST_BYTES, vec![0; PIECE]);
        while left > 0 && Instant::now() < until {
            let quiet = (Instant::now() + QUIET).min(until);
            let Ok(Ok(length @ 1..)) = timeout_at(quiet, stream.read(&mut piece)).await else { break };
            left = left.saturating_sub(length);
            self.take(frames, &piece[..length], peer).await?;
        }
        Ok(())
    }

    async fn take(&self, frames: &mut Frames, bytes: &[u8], peer: SocketAddr) -> Result<(), Closed> {
        frames.push(bytes);
        while let Some(line) = frames.whole() {
            self.lines.take(&self.messages, &line, peer.ip()).await?;
        }
        Ok(())
    }
}

impl Lines {
    /// Reads a line that has just come, and puts it in unless there is nothing in it.
    pub(super) async fn take(&self, messages: &Messages, bytes: &[u8], peer: std::net::IpAddr) -> Result<(), Closed> {
        let line = messages.read(bytes, peer, Timestamp::now());
        if line.text.is_empty() { Ok(()) } else { self.send(line).await }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;

    use super::*;
    use crate::syslog::{Heard, queue};

    /// What streams are taken with, where the lines come out, and where to connect to.
    async fn listening(most: usize) -> (Streams, Heard, TcpListener, SocketAddr) {
        let tcp = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
        let address = tcp.local_addr().expect("bound");
        let (lines, heard) = queue(64 * 1024 * 1024);
        let reader = Reader { messages: Arc::default(), lines, stop: CancellationToken::new() };
        let admit: Admit = Box::new(|_| Some(Box::new(())));
        (Streams { admit, most, reader, tasks: TaskTracker::new() }, heard, tcp, address)
    }

    fn texts(mut heard: Heard) -> Vec<String> {
        std::iter::from_fn(|| heard.try_recv()).map(|line| line.text).collect()
    }

    async fn over(streams: Streams, tcp: TcpListener) {
        let tasks = streams.tasks.clone();
        streams.accept(tcp).await;
        tasks.close();
        tasks.wait().await;
    }

    #[tokio::test]
    async fn what_the_kernel_has_at_a_stop_is_taken_of_streams_that_were_never_accepted() {
        let (streams, heard, tcp, address) = listening(2).await;
        // More streams than there are places: those that end make room.
        let mut clients = Vec::new();
        for number in 0..3 {
            let mut client = TcpStream::connect(address).await.expect("a connection");
            client.write_all(format!("one {number}\nlast {number}").as_bytes()).await.expect("loopback");
            clients.push(client);
        }
        streams.reader.stop.cancel();
        over(streams, tcp).await;
        let mut texts = texts(heard);
        texts.sort_unstable();
        assert_eq!(texts, ["last 0", "last 1", "last 2", "one 0", "one 1", "one 2"]);
        drop(clients);
    }

    #[tokio::test]
    async fn a_stream_that_never_falls_silent_does_not_keep_the_stop() {
        let (streams, mut heard, tcp, address) = listening(2).await;
        let mut client = TcpStream::connect(address).await.expect("a connection");
        streams.reader.stop.cancel();
        let taken = tokio::spawn(async move {
            let mut taken = 0;
            while let Some(line) = heard.recv().await {
                heard.done(&line);
                taken += 1;
            }
            taken
        });
        let babble = tokio::spawn(async move { while client.write_all(b"more\n").await.is_ok() {} });
        let began = Instant::now();
        over(streams, tcp).await;
        assert!(began.elapsed() < LAST * 2, "{:?}", began.elapsed());
        babble.abort();
        assert!(taken.await.expect("no panic") > 1);
    }
}
