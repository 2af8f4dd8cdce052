//! A token whose file is rotated, lost, and no file at all.
//!
//! Not here: what else a request says (`chakra::tests`).

use std::path::Path;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::chakra::Config;
use crate::core::process::Procedure;
use crate::files::EVERY;
use crate::tls;

const LIMIT: Duration = Duration::from_secs(10);

fn kept_in(file: &Path) -> Token {
    Token::new(SecretSource::File(file.to_owned()))
}

/// A folder, the file in it that holds this, and the token that is kept there.
fn holding(text: &str) -> (tempfile::TempDir, std::path::PathBuf, Token) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, text).unwrap();
    let token = kept_in(&file);
    (folder, file, token)
}

/// Watches while `change` does what it likes to the file; answers the changes noticed once `wanted` are, or after some more
/// looks.
async fn noticed(token: &Token, wanted: u64, change: impl AsyncFnOnce()) -> u64 {
    let (changes, mut seen) = watch::channel(0);
    let told = async {
        change().await;
        drop(tokio::time::timeout(EVERY * 3, seen.wait_for(|count| *count > wanted)).await);
        *seen.borrow()
    };
    tokio::select! {
        never = token.follow(changes) => match never {},
        told = tokio::time::timeout(EVERY * 15, told) => told.expect("within the deadline"),
    }
}

/// Long enough for the file to be looked at.
async fn a_lookup() {
    tokio::time::sleep(EVERY * 3 / 2).await; // tidy: allow sleep, a check that finds nothing new tells nobody
}

/// What a request would show now.
async fn shown(token: &Token) -> Result<String, String> {
    let header = tokio::time::timeout(LIMIT * 2, token.header(LIMIT)).await;
    header.expect("within the deadline").map(|value| value.to_str().unwrap().to_owned())
}

/// Until the watch shows this.
async fn until_shown(token: &Token, wanted: &str) {
    let mut seen = token.shown.subscribe();
    let shown = seen.wait_for(|shown| shown.as_ref().is_some_and(|value| value.to_str().unwrap() == wanted));
    tokio::time::timeout(EVERY * 5, shown).await.expect("within the deadline").unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_new_token_is_noticed_once() {
    let (_folder, file, token) = holding("one\n");
    let count = noticed(&token, 1, async || {
        a_lookup().await;
        std::fs::write(&file, "two\n").unwrap();
    });
    assert_eq!(count.await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_changed_between_the_loading_and_the_first_lookup_is_noticed() {
    let (_folder, file, token) = holding("one\n");
    std::fs::write(&file, "two\n").unwrap();
    assert_eq!(noticed(&token, 1, async || ()).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_can_be_read_again_is_a_new_one_and_one_that_cannot_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    let token = kept_in(&file);
    let count = noticed(&token, 2, async || {
        a_lookup().await;
        std::fs::write(&file, "one").unwrap();
        a_lookup().await;
        std::fs::remove_file(&file).unwrap();
        a_lookup().await;
        std::fs::write(&file, "one").unwrap();
    });
    assert_eq!(count.await, 2);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_written_again_with_the_same_token_is_no_news() {
    let (folder, file, token) = holding("one\n");
    let count = noticed(&token, 0, async || {
        a_lookup().await;
        std::fs::write(folder.path().join("next"), "one\r\n").unwrap();
        std::fs::rename(folder.path().join("next"), &file).unwrap();
    });
    assert_eq!(count.await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_given_never_changes() {
    let token = Token::new(SecretSource::Given(Secret::new("swordfish")));
    assert_eq!(noticed(&token, 0, async || ()).await, 0);
    assert_eq!(shown(&token).await.unwrap(), "Bearer swordfish");
}

#[tokio::test(start_paused = true)]
async fn while_nobody_watches_each_request_reads_the_file() {
    let (_folder, file, token) = holding("one");
    assert_eq!(shown(&token).await.unwrap(), "Bearer one");
    std::fs::write(&file, "two").unwrap();
    assert_eq!(shown(&token).await.unwrap(), "Bearer two");
    std::fs::remove_file(&file).unwrap();
    assert!(shown(&token).await.unwrap_err().contains("No such file"));
}

#[tokio::test(start_paused = true)]
async fn a_watched_token_is_read_when_it_changes_and_the_last_one_stays_where_its_file_is_gone() {
    let (_folder, file, token) = holding("one");
    let count = noticed(&token, 1, async || {
        until_shown(&token, "Bearer one").await;
        std::fs::write(&file, "two").unwrap();
        assert_eq!(shown(&token).await.unwrap(), "Bearer one", "nothing is read for a request");
        until_shown(&token, "Bearer two").await;
        std::fs::remove_file(&file).unwrap();
        a_lookup().await;
        assert_eq!(shown(&token).await.unwrap(), "Bearer two");
    });
    assert_eq!(count.await, 1);
}

#[tokio::test(start_paused = true)]
async fn after_a_refusal_the_next_request_reads_the_file_at_once() {
    let (_folder, file, token) = holding("one");
    let count = noticed(&token, 1, async || {
        until_shown(&token, "Bearer one").await;
        std::fs::write(&file, "two").unwrap();
        token.refused(&HeaderValue::from_static("Bearer zero"));
        assert_eq!(shown(&token).await.unwrap(), "Bearer one", "that was another one");
        token.refused(&HeaderValue::from_static("Bearer one"));
        assert_eq!(shown(&token).await.unwrap(), "Bearer two");
    });
    assert_eq!(count.await, 1);
}

#[tokio::test(start_paused = true)]
async fn while_no_file_can_be_opened_for_want_of_descriptors_the_last_token_stays_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    let spent = || std::io::Error::from_raw_os_error(24).to_string();
    assert!(kept_in(&file).kept(spent()).is_err(), "there never was one");
    std::fs::write(&file, "one").unwrap();
    let token = kept_in(&file);
    assert_eq!(token.kept(spent()).unwrap(), "Bearer one", "the one that was read at the start");
    std::fs::write(&file, "two").unwrap();
    assert_eq!(shown(&token).await.unwrap(), "Bearer two");
    assert_eq!(token.kept(spent()).unwrap(), "Bearer two");
}

#[tokio::test(start_paused = true)]
async fn a_token_file_that_becomes_a_pipe_holds_up_nobody() {
    let (_folder, file, token) = holding("one");
    let count = noticed(&token, 1, async || {
        until_shown(&token, "Bearer one").await;
        std::fs::remove_file(&file).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&file).status().unwrap().success());
        a_lookup().await;
        assert_eq!(shown(&token).await.unwrap(), "Bearer one");
        token.refused(&HeaderValue::from_static("Bearer one"));
        assert!(shown(&token).await.unwrap_err().contains("is a pipe"));
        std::fs::remove_file(&file).unwrap();
        std::fs::write(&file, "two").unwrap();
        until_shown(&token, "Bearer two").await;
    });
    assert_eq!(count.await, 1);
}

/// Answers each request with 401, and tells which token each showed.
async fn refusing(listener: TcpListener, requests: usize) -> Vec<String> {
    let mut shown = Vec::new();
    for _ in 0..requests {
        let (mut stream, mut head) = (listener.accept().await.unwrap().0, String::new());
        while !head.contains("\r\n\r\n{") {
            let mut bytes = [0; 1024];
            let count = stream.read(&mut bytes).await.unwrap();
            head.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
        }
        shown.extend(head.lines().filter_map(|line| line.strip_prefix("authorization: ")).map(str::to_owned));
        let answer = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        stream.write_all(answer).await.unwrap();
    }
    shown
}

#[tokio::test]
async fn a_401_makes_the_next_request_read_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "one").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client::new(&Config {
        base_url: format!("http://{}", listener.local_addr().unwrap()).parse().unwrap(),
        token: SecretSource::File(file.clone()),
        timeout: LIMIT,
        connect_timeout: LIMIT / 2,
        max_reply: 1000,
        tls: tls::Files::default(),
        proxy: None,
        proxy_login: None,
    });
    let client = client.unwrap();
    let procedure = Procedure::new("lead").unwrap();
    let asking = async {
        until_shown(&client.token, "Bearer one").await;
        std::fs::write(&file, "two").unwrap();
        client.check_access(&procedure).await;
        client.check_access(&procedure).await;
    };
    let both = async { tokio::join!(asking, refusing(listener, 2)) };
    let ((), shown) = tokio::select! {
        never = watch(client.clone(), watch::channel(0).0) => match never {},
        both = tokio::time::timeout(LIMIT, both) => both.expect("within the deadline"),
    };
    assert_eq!(shown[1], "Bearer two", "{shown:?}");
}
