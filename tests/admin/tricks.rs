//! Requests that mean to get more than is shown, or to break what reads them.
//!
//! Not here: what is answered to honest ones.
#![allow(dead_code, reason = "the bench that includes it uses a part of it")]

/// One of them, and the statuses that may answer it; 0 is an end without an answer.
pub struct Trick {
    pub name: &'static str,
    line: &'static str,
    more: &'static str,
    /// So many bytes of a header beside.
    padding: usize,
    pub allowed: &'static [u16],
}

impl Trick {
    const fn path(name: &'static str, line: &'static str) -> Self {
        Self { name, line, more: "", padding: 0, allowed: &[404] }
    }

    const fn broken(name: &'static str, line: &'static str) -> Self {
        Self { name, line, more: "", padding: 0, allowed: &[0, 400, 505] }
    }

    pub fn request(&self) -> Vec<u8> {
        let padding = "x".repeat(self.padding);
        let header = if padding.is_empty() { String::new() } else { format!("X: {padding}\r\n") };
        format!("{}\r\nHost: h\r\n{header}{}\r\n", self.line, self.more).into_bytes()
    }
}

const LOOKUP: Trick = Trick { name: "", line: "GET /livez HTTP/1.1", more: "", padding: 0, allowed: &[200] };

pub const TRICKS: &[Trick] = &[
    Trick::path("two slashes", "GET //livez HTTP/1.1"),
    Trick::path("a way up", "GET /livez/../metrics HTTP/1.1"),
    Trick::path("a way up in disguise", "GET /livez/%2e%2e/metrics HTTP/1.1"),
    Trick::path("a path in disguise", "GET /%6detrics HTTP/1.1"),
    Trick::path("a NUL in disguise", "GET /livez%00 HTTP/1.1"),
    Trick::path("another case", "GET /LIVEZ HTTP/1.1"),
    Trick::path("a way up from the page", "GET /status/../metrics HTTP/1.1"),
    Trick::path("a part of the page in disguise", "GET /status%2ejson HTTP/1.1"),
    Trick::path("a semicolon", "GET /metrics;x HTTP/1.1"),
    Trick::path("a wish without a desk", "POST /pause HTTP/1.1"),
    Trick::path("a way through", "CONNECT h:80 HTTP/1.1"),
    Trick::path("no path at all", "OPTIONS * HTTP/1.1"),
    Trick::broken("a NUL", "GET /livez\0 HTTP/1.1"),
    Trick::broken("HTTP/0.9", "GET /livez"),
    Trick::broken("HTTP/2", "PRI * HTTP/2.0"),
    Trick::broken("a version that is none", "GET /livez HTTP/9.9"),
    Trick::broken("TLS", "\x16\x03\x01\x02"),
    Trick::broken("two lengths", "GET /livez HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2"),
    Trick { name: "an absolute URI", line: "GET http://elsewhere/livez HTTP/1.1", ..LOOKUP },
    Trick { name: "a pipeline", more: "\r\nGET /metrics HTTP/1.1\r\nHost: h\r\n", ..LOOKUP },
    Trick { name: "a body that never comes", more: "Content-Length: 99999999999\r\n", ..LOOKUP },
    Trick { name: "a body in chunks", more: "Transfer-Encoding: chunked\r\n", ..LOOKUP },
    Trick {
        name: "a body for a probe",
        line: "POST /livez HTTP/1.1",
        more: "Content-Length: 99999999999\r\n",
        allowed: &[405],
        ..LOOKUP
    },
    Trick { name: "a method of its own", line: "FLY /livez HTTP/1.1", allowed: &[405], ..LOOKUP },
    Trick { name: "a huge header", padding: 1 << 20, allowed: &[0, 431], ..LOOKUP },
];
