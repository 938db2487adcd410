//! Transfers on a network that loses, doubles and misleads packets.

use super::*;
use crate::tftp::TransferResult;

#[tokio::test]
async fn a_lost_acknowledgement_makes_the_server_send_the_block_again() {
    let server = start(quick());
    let mut client = Client::new(&server);
    client.request("bytes/1000", &[]);
    let first = client.data().await;
    assert_eq!(client.data().await, first);
    client.ack(1);
    assert_eq!(client.rest(2, 512, 1).await, content(1000)[512..]);
}

#[tokio::test]
async fn a_lost_option_acknowledgement_is_sent_again() {
    let server = start(quick());
    let mut client = Client::new(&server);
    client.request("bytes/1000", &[("blksize", "1024")]);
    let first = client.next().await;
    assert_eq!(client.next().await, first);
    client.ack(0);
    assert_eq!(client.rest(1, 1024, 1).await, content(1000));
}

#[tokio::test]
async fn a_lost_window_is_sent_again_whole() {
    let server = start(quick());
    let mut client = Client::new(&server);
    client.request("file/5000", &[("windowsize", "3")]);
    client.next().await;
    client.ack(0);
    assert_eq!(client.blocks(6).await, [1, 2, 3, 1, 2, 3]);
}

#[tokio::test]
async fn an_acknowledgement_inside_a_window_goes_back_to_the_gap() {
    let server = start(calm());
    let mut client = Client::new(&server);
    client.request("file/5000", &[("windowsize", "4")]);
    client.next().await;
    client.ack(0);
    assert_eq!(client.blocks(4).await, [1, 2, 3, 4]);
    client.ack(1);
    assert_eq!(client.blocks(4).await, [2, 3, 4, 5]);
}

#[tokio::test]
async fn a_doubled_acknowledgement_doubles_no_data() {
    for single_port in [false, true] {
        let server = start(Settings { single_port, ..calm() });
        let mut client = Client::new(&server);
        client.request("bytes/3000", &[]);
        client.data().await;
        client.ack(1);
        client.ack(1);
        assert_eq!(client.blocks(1).await, [2]);
        client.ack(1);
        client.nothing().await;
        client.ack(2);
        assert_eq!(client.rest(3, 512, 1).await, content(3000)[1024..]);
    }
}

#[tokio::test]
async fn acknowledgements_of_blocks_not_sent_are_ignored() {
    let server = start(calm());
    let mut client = Client::new(&server);
    client.request("bytes/3000", &[]);
    client.data().await;
    client.ack(2);
    client.ack(0);
    client.ack(40_000);
    client.nothing().await;
    client.ack(1);
    assert_eq!(client.blocks(1).await, [2]);
}

#[tokio::test]
async fn a_doubled_request_starts_one_transfer() {
    for single_port in [false, true] {
        let mut server = start(Settings { single_port, ..calm() });
        let mut client = Client::new(&server);
        client.request("bytes/600", &[]);
        client.request("bytes/600", &[]);
        assert_eq!(client.blocks(1).await, [1]);
        client.request("bytes/600", &[]);
        client.nothing().await;
        client.ack(1);
        client.rest(2, 512, 1).await;
        server.ending().await;
        client.nothing().await;
        assert!(server.endings.try_recv().is_err());
    }
}

#[tokio::test]
async fn a_vanished_client_is_given_up_after_its_retries() {
    for single_port in [false, true] {
        let mut server = start(Settings { single_port, timeout: Duration::from_millis(20), ..quick() });
        let mut client = Client::new(&server);
        client.request("bytes/3000", &[]);
        assert_eq!(client.blocks(3).await, [1, 1, 1]);
        assert_eq!(client.error().await, (0, "timeout".into()));
        let ending = server.ending().await;
        assert_eq!(ending, Ending { bytes: 0, result: TransferResult::Vanished });
    }
}

#[tokio::test]
async fn a_client_whose_port_is_closed_has_vanished_at_once() {
    let mut server = start(Settings { timeout: Duration::from_mins(1), ..calm() });
    let mut client = Client::new(&server);
    client.request("bytes/3000", &[]);
    client.data().await;
    client.ack(1);
    drop(client);
    let ending = server.ending().await;
    assert_eq!(ending.result, TransferResult::Vanished);
}

#[tokio::test]
async fn a_client_that_keeps_asking_for_more_time_gets_the_time_limit() {
    let mut server = start(Settings { time_limit: Duration::from_millis(600), ..calm() });
    let mut client = Client::new(&server);
    client.request("bytes/30000", &[("timeout", "30")]);
    client.next().await;
    for block in 0..3 {
        client.ack(block);
        client.data().await;
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    assert_eq!(client.error().await, (0, "timeout".into()));
    let ending = server.ending().await;
    assert_eq!(ending, Ending { bytes: 1024, result: TransferResult::OverTime });
}

#[tokio::test]
async fn packets_from_another_port_do_not_disturb_a_transfer() {
    for single_port in [false, true] {
        let server = start(Settings { single_port, ..calm() });
        let (mut client, mut stranger) = (Client::new(&server), Client::new(&server));
        client.request("bytes/1000", &[]);
        client.data().await;
        stranger.from = client.from;
        stranger.ack(1);
        stranger.send(&Packet::Error { code: ErrorCode::UNDEFINED, text: b"stop" });
        if single_port {
            assert_eq!(stranger.error().await, (5, "unknown transfer".into()));
        }
        stranger.nothing().await;
        client.nothing().await;
        client.ack(1);
        assert_eq!(client.rest(2, 512, 1).await, content(1000)[512..]);
    }
}

#[tokio::test]
async fn a_client_may_end_its_transfer() {
    for single_port in [false, true] {
        let mut server = start(Settings { single_port, ..calm() });
        let mut client = Client::new(&server);
        client.request("bytes/1000", &[("tsize", "0")]);
        client.next().await;
        client.send(&Packet::Error { code: ErrorCode(8), text: b"too large" });
        let ending = server.ending().await;
        assert_eq!(ending.result, TransferResult::Refused { code: 8, text: "too large".into() });
        client.nothing().await;
    }
}

#[tokio::test]
async fn a_client_that_never_pauses_meets_the_time_limit_too() {
    for single_port in [false, true] {
        let mut server = start(Settings { single_port, time_limit: Duration::from_millis(100), ..calm() });
        let mut client = Client::new(&server);
        client.request("bytes/3000", &[]);
        client.data().await;
        let flood = async {
            loop {
                client.ack(9);
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            () = flood => {}
            ending = server.ending() => assert_eq!(ending.result, TransferResult::OverTime),
        }
    }
}
