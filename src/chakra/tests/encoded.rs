//! Answers that come encoded although nobody asked for it.
//!
//! Not here: each encoding by itself (`encoding`).

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{Act, MAX_REPLY, answered, exchange};
use crate::core::reply::{Body, Reply, Wrapper};

const CREATED: &[u8] = br#"{"_data":{"id":"p-1"}}"#;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn encoded(status: &str, kind: &str, coding: &str, bytes: Vec<u8>) -> Act {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Encoding: {coding}\r\nContent-Length: {}\r\n\r\n",
        bytes.len()
    );
    Act::SayBytes(head, bytes)
}

fn created() -> Reply {
    answered(200, Body::Json(Wrapper { has_data: true, process: Some("p-1".into()), ..Wrapper::default() }))
}

#[tokio::test]
async fn an_answer_that_comes_encoded_is_read_as_any_other() {
    let json = "application/json";
    assert_eq!(exchange(encoded("200 OK", json, "gzip", gzip(CREATED))).await, created());
    assert_eq!(exchange(encoded("200 OK", json, "identity", CREATED.to_vec())).await, created());
    let page = exchange(encoded("403 No", "text/html", "gzip", gzip(b"<p>no"))).await;
    assert_eq!(page, answered(403, Body::Html));
    assert_eq!(exchange(encoded("200 OK", json, "gzip", Vec::new())).await, answered(200, Body::Empty));
}

#[tokio::test]
async fn an_answer_that_says_it_is_encoded_and_is_not_is_read_as_it_is() {
    for coding in ["gzip", "br", "utf-8"] {
        assert_eq!(
            exchange(encoded("200 OK", "application/json", coding, CREATED.to_vec())).await,
            created(),
            "{coding}"
        );
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_decoded_keeps_its_status_and_is_told_by_its_encoding() {
    for (coding, bytes) in
        [("br", vec![0x8b, 0x0b, 0x80, 3]), ("zstd", vec![1, 2, 3]), ("gzip", gzip(CREATED)[..15].to_vec())]
    {
        let reply = exchange(encoded("200 OK", "application/json", coding, bytes)).await;
        assert_eq!(reply.status(), Some(200), "{coding}");
        assert!(reply.detail().is_some_and(|why| why.contains(&format!("`{coding}`"))), "{reply:?}");
    }
}

#[tokio::test]
async fn what_comes_out_of_an_answer_is_held_to_the_limit() {
    let fits = format!("{{{}}}", " ".repeat(MAX_REPLY - 2));
    let bare = Body::Json(Wrapper { is_bare: true, ..Wrapper::default() });
    let told =
        async |text: String| exchange(encoded("200 OK", "application/json", "gzip", gzip(text.as_bytes()))).await;
    assert_eq!(told(fits.clone()).await, answered(200, bare));
    assert_eq!(told(format!("{fits} ")).await, answered(200, Body::Broken));
    assert_eq!(told(" ".repeat(200_000)).await, answered(200, Body::Broken));
    assert_eq!(told(format!("<html>{}", " ".repeat(200_000))).await, answered(200, Body::Html));
}
