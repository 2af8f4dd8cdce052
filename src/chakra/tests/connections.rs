//! Which connection a request goes on: shared while that works, and one of its own where a server cuts those used again.
//!
//! Not here: for how long (`reuse`).

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::peer::{Peer, Seen, Then};
use super::{Client, config, http, lost, request, within};
use crate::core::reply::{Lost, Reply};

const CREATES: usize = 40;

/// What this work of a client came to against a server that does so with each connection, and what the server answered.
async fn against<T>(then: Then, work: impl AsyncFnOnce(Client) -> T) -> (T, Vec<Seen>) {
    let peer = Peer::new().await;
    let client = Client::new(&config(&format!("http://{}", peer.address()))).unwrap();
    let answer = http("200 OK", "Content-Type: application/json\r\n", "{}");
    let (sender, mut answered) = mpsc::channel(1000);
    let done = within(async {
        tokio::select! {
            never = peer.answer_each(&answer, then, sender) => match never {},
            done = work(client) => done,
        }
    })
    .await;
    let mut seen = Vec::new();
    while let Ok(request) = answered.try_recv() {
        seen.push(request);
    }
    (done, seen)
}

async fn creates(client: Client) -> Vec<Reply> {
    let (mut replies, request) = (Vec::new(), request());
    for _ in 0..CREATES {
        replies.push(client.create(&request).await);
    }
    replies
}

async fn at_once(client: &Client, count: usize) -> Vec<Reply> {
    let mut running = JoinSet::new();
    for _ in 0..count {
        let client = client.clone();
        running.spawn(async move { client.create(&request()).await });
    }
    running.join_all().await
}

fn lost_among(replies: &[Reply]) -> usize {
    replies.iter().filter(|reply| lost(reply) == Some(Lost::Reset)).count()
}

#[tokio::test]
async fn a_server_that_keeps_its_connections_is_asked_on_one() {
    let (replies, seen) = against(Then::Keeps, creates).await;
    assert_eq!(lost_among(&replies), 0);
    assert!(seen.len() == CREATES && seen.iter().all(|request| request.connection == 1));
}

#[tokio::test]
async fn of_many_creates_to_a_server_that_cuts_each_reused_connection_one_is_in_doubt() {
    let (replies, seen) = against(Then::Cuts, creates).await;
    assert_eq!((lost_among(&replies), lost(&replies[1])), (1, Some(Lost::Reset)), "the first on a connection again");
    assert_eq!(seen.len(), CREATES - 1);
    assert!(seen[1..].iter().all(|request| request.header("connection") == ["close"]));
}

#[tokio::test]
async fn a_server_that_closes_behind_each_answer_without_a_word_costs_one_doubt_at_most() {
    let (replies, seen) = against(Then::Closes, creates).await;
    assert!(lost_among(&replies) <= 1, "{replies:?}");
    assert!(seen.len() >= CREATES - 1, "{}", seen.len());
}

#[tokio::test]
async fn of_creates_that_go_at_once_only_those_under_way_at_the_first_cut_are_in_doubt() {
    let (rounds, _) = against(Then::Cuts, async |client| {
        (at_once(&client, 8).await, at_once(&client, 8).await, at_once(&client, 8).await)
    })
    .await;
    assert_eq!((lost_among(&rounds.0), lost_among(&rounds.2)), (0, 0), "{rounds:?}");
    assert!((1..=8).contains(&lost_among(&rounds.1)), "{:?}", rounds.1);
}

#[tokio::test]
async fn a_repeat_goes_on_a_connection_of_its_own_even_where_connections_are_kept() {
    let (_, seen) = against(Then::Keeps, async |client| {
        let request = request();
        client.create(&request).await;
        client.create_apart(&request).await;
        client.create_apart(&request).await;
        client.create(&request).await
    })
    .await;
    let connections: Vec<_> = seen.iter().map(|request| request.connection).collect();
    assert_eq!(connections, [1, 2, 3, 1]);
    assert_eq!(seen[1].header("connection"), ["close"]);
}
