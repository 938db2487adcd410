//! What is not served, and what is said about it.

use super::*;
use crate::tftp::TransferResult;

async fn answer(datagram: &[u8]) -> (u16, String) {
    let server = start(calm());
    let mut client = Client::new(&server);
    client.knock(datagram);
    let error = client.error().await;
    client.nothing().await;
    error
}

#[tokio::test]
async fn an_unknown_name_is_not_found() {
    assert_eq!(answer(&read_request("nothing", "octet", &[])).await, (1, "file not found".into()));
    assert_eq!(answer(b"\0\x01\xff\xfe\0octet\0").await, (1, "file not found".into()));
    assert_eq!(answer(b"\0\x01\0octet\0").await, (1, "file not found".into()));
}

#[tokio::test]
async fn uploads_are_refused_with_code_2() {
    let write = Packet::Write(Request { name: b"report.xml", mode: b"octet", options: vec![] }).to_bytes();
    assert_eq!(answer(&write).await, (2, "this server takes no uploads".into()));
}

#[tokio::test]
async fn mode_mail_is_an_illegal_operation() {
    let expected = (4, "mode must be octet or netascii".into());
    assert_eq!(answer(&read_request("bytes/5", "mail", &[])).await, expected);
}

#[tokio::test]
async fn malformed_packets_get_one_short_error() {
    for datagram in [&b"\0"[..], b"\0\x01name", b"\0\x07", b"\xff\xff", &[b'x'; 1400]] {
        assert_eq!(answer(datagram).await, (4, "malformed packet".into()));
    }
}

#[tokio::test]
async fn packets_of_no_transfer_are_told_so() {
    for packet in [Packet::Ack { block: 1 }, Packet::Data { block: 1, payload: b"x" }, Packet::OptionAck(vec![])] {
        assert_eq!(answer(&packet.to_bytes()).await, (5, "unknown transfer".into()));
    }
}

#[tokio::test]
async fn an_error_never_gets_an_answer() {
    let server = start(calm());
    let mut client = Client::new(&server);
    client.knock(b"\0\x05\0\x01not found\0");
    client.knock(b"\0\x05\0");
    client.nothing().await;
}

#[tokio::test]
async fn beyond_the_limit_a_client_is_told_to_try_again() {
    for single_port in [false, true] {
        let mut server = start(Settings { single_port, max_transfers: 1, ..calm() });
        let (mut one, mut other) = (Client::new(&server), Client::new(&server));
        one.request("bytes/5", &[]);
        one.data().await;
        other.request("bytes/5", &[]);
        assert_eq!(other.error().await, (0, "busy, try again".into()));
        one.ack(1);
        server.ending().await;
        other.request("bytes/5", &[]);
        assert_eq!(other.data().await.1, content(5));
    }
}

#[tokio::test]
async fn a_file_that_has_shrunk_is_an_error_and_not_a_short_file() {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let (sender, endings) = mpsc::unbounded_channel();
    let (address, stop, tasks) = (socket.local_addr().expect("bound"), CancellationToken::new(), TaskTracker::new());
    let answer = move |_, _| {
        let sender = sender.clone();
        async move {
            let body = Body::File { file: tempfile::tempfile().expect("a temporary file"), start: 0, length: 100 };
            Ok(Offer { body, finished: Box::new(move |ending| drop(sender.send(ending))) })
        }
    };
    tasks.spawn(serve(socket, calm(), answer, stop.clone(), tasks.clone()));
    let mut server = Server { address, endings, stop, tasks };
    let mut client = Client::new(&server);
    client.request("any", &[]);
    assert_eq!(client.error().await, (0, "read error".into()));
    let ending = server.ending().await;
    assert!(matches!(ending.result, TransferResult::Broken(_)), "{ending:?}");
}
