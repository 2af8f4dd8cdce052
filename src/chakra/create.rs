//! One create: `POST {base}/v1/ext/procedure/{procedure}/process`, sent once.
//!
//! Not here: whether to send it again, and what the reply means.

use super::Client;
use super::send::Question;
use crate::core::process::CreateProcess;
use crate::core::reply::Reply;

impl Client {
    /// Sends `request` once and tells what came back.
    pub async fn create(&self, request: &CreateProcess) -> Reply {
        let body = body(request);
        self.send(Question { procedure: &request.procedure, path: "process", body, attribute: None }).await
    }
}

#[expect(clippy::expect_used, reason = "a CreateProcess is texts, numbers and JSON values, and all of them serialize")]
fn body(request: &CreateProcess) -> Vec<u8> {
    serde_json::to_vec(request).expect("a CreateProcess serializes")
}
