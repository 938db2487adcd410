//! Transfers on a network that loses nothing.

use super::*;
use crate::tftp::TransferResult;

fn delivered(bytes: u64) -> Ending {
    Ending { bytes, result: TransferResult::Delivered }
}

#[tokio::test]
async fn a_file_of_any_length_arrives_whole_in_both_kinds_of_body() {
    let mut server = start(calm());
    for kind in ["bytes", "file"] {
        for length in [0, 1, 511, 512, 513, 5000, 40_000] {
            let mut client = Client::new(&server);
            client.request(&format!("{kind}/{length}"), &[]);
            assert!(client.rest(1, 512, 1).await == content(length), "{kind} of {length}");
            assert_eq!(server.ending().await, delivered(length as u64));
        }
    }
}

#[tokio::test]
async fn a_transfer_has_a_port_of_its_own_on_the_address_of_the_listener() {
    let server = start(calm());
    let mut client = Client::new(&server);
    client.request("bytes/10", &[]);
    client.data().await;
    assert_eq!(client.from.ip(), server.address.ip());
    assert_ne!(client.from.port(), server.address.port());
}

#[tokio::test]
async fn ipv6_is_served() {
    let Ok(socket) = UdpSocket::bind("[::1]:0") else { return };
    let server = start_on(socket, calm());
    let mut client = Client::new(&server);
    client.request("bytes/600", &[]);
    assert_eq!(client.rest(1, 512, 1).await, content(600));
}

#[tokio::test]
async fn a_wildcard_listener_for_both_families_serves_both() {
    let Ok(socket) = UdpSocket::bind("[::]:0") else { return };
    let mut server = start_on(socket, calm());
    for own in ["[::1]", "127.0.0.1"] {
        server.address = format!("{own}:{}", server.address.port()).parse().expect("an address");
        let mut client = Client::new(&server);
        client.request("bytes/600", &[]);
        assert_eq!(client.rest(1, 512, 1).await, content(600), "{own}");
    }
}

#[tokio::test]
async fn block_numbers_roll_over_to_zero() {
    let mut server = start(calm());
    let mut client = Client::new(&server);
    let length = 8 * 65_540 + 3;
    client.request(&format!("file/{length}"), &[("blksize", "8"), ("windowsize", "32")]);
    assert_eq!(client.next().await, b"\0\x06blksize\x008\0windowsize\x0032\0");
    client.ack(0);
    assert!(client.rest(1, 8, 32).await == content(length));
    assert_eq!(server.ending().await, delivered(length as u64));
}

#[tokio::test]
async fn options_are_granted_within_the_limits() {
    let server = start(calm());
    let mut client = Client::new(&server);
    let asked = [("tsize", "0"), ("blksize", "65464"), ("timeout", "6"), ("windowsize", "1000"), ("x", "y")];
    client.request("bytes/5000", &asked);
    assert_eq!(client.next().await, b"\0\x06blksize\x001468\0tsize\x005000\0timeout\x006\0windowsize\x0064\0");
    client.ack(0);
    assert_eq!(client.rest(1, 1468, 64).await, content(5000));
}

#[tokio::test]
async fn a_window_is_sent_without_waiting_and_the_next_one_after_its_acknowledgement() {
    let server = start(calm());
    let mut client = Client::new(&server);
    client.request("bytes/5000", &[("windowsize", "4")]);
    client.next().await;
    client.ack(0);
    assert_eq!(client.blocks(4).await, [1, 2, 3, 4]);
    client.nothing().await;
    client.ack(4);
    assert_eq!(client.blocks(4).await, [5, 6, 7, 8]);
}

#[tokio::test]
async fn netascii_is_converted_and_its_size_told_as_sent() {
    let mut server = start(calm());
    let mut client = Client::new(&server);
    client.knock(&read_request("text", "NetASCII", &[("tsize", "0"), ("blksize", "8")]));
    assert_eq!(client.next().await, b"\0\x06blksize\x008\0tsize\x0019\0");
    client.ack(0);
    assert_eq!(client.rest(1, 8, 1).await, b"one\r\ntwo\r\0three\r\0\r\n");
    assert_eq!(server.ending().await, delivered(19));
}

#[tokio::test]
async fn many_clients_share_a_single_port() {
    let mut server = start(Settings { single_port: true, ..calm() });
    let clients = (0..10usize).map(|number| {
        let mut client = Client::new(&server);
        let (length, listener) = (number * 1000, server.address);
        tokio::spawn(async move {
            client.request(&format!("file/{length}"), &[]);
            assert!(client.rest(1, 512, 1).await == content(length), "client {number}");
            assert_eq!(client.from, listener);
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.expect("served");
    }
    for _ in 0..10 {
        assert_eq!(server.ending().await.result, TransferResult::Delivered);
    }
}

#[tokio::test]
async fn the_next_file_may_come_from_the_same_port_at_once() {
    for single_port in [false, true] {
        let mut server = start(Settings { single_port, ..calm() });
        let mut client = Client::new(&server);
        for length in [100, 200] {
            client.request(&format!("bytes/{length}"), &[]);
            assert_eq!(client.rest(1, 512, 1).await, content(length));
        }
        assert_eq!(server.ending().await, delivered(100));
        assert_eq!(server.ending().await, delivered(200));
    }
}

#[tokio::test]
async fn a_stopped_server_ends_what_it_has_begun_and_begins_nothing() {
    for single_port in [false, true] {
        let mut server = start(Settings { single_port, ..calm() });
        let mut client = Client::new(&server);
        client.request("bytes/600", &[]);
        client.data().await;
        server.stop.cancel();
        client.ack(1);
        assert_eq!(client.rest(2, 512, 1).await.len(), 600 - 512);
        assert_eq!(server.ending().await, delivered(600));
        server.tasks.close();
        tokio::time::timeout(Duration::from_secs(2), server.tasks.wait()).await.expect("all tasks ended");
    }
}
