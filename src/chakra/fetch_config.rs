//! Fetch Config: `GET {base}/v1/ext/config`, the procedures and attributes of the team as a document.
//!
//! Not here: what stands in it (`core::team_config`), and when to ask: only a person does.

use reqwest::header::AUTHORIZATION;
use reqwest::{StatusCode, Url};
use serde_json::Value;

use super::Client;
use super::failure;

/// The most that is read of it, in bytes: it holds the whole team, and nothing else runs meanwhile.
const CONFIG_MAX: usize = 32 * 1024 * 1024;

impl Client {
    /// Asks once for the configuration of the team. It reads and changes nothing.
    ///
    /// # Errors
    /// In words, without a piece of the answer, if it cannot be asked or does not answer with JSON.
    pub async fn fetch_config(&self) -> Result<Value, String> {
        let authorization = self.token.header(self.timeout).await?;
        let mut url = Url::clone(&self.base_url);
        let prefix = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{prefix}/v1/ext/config"));
        let http = self.http.borrow().clone();
        let asked = http.sharing.get(url).header(AUTHORIZATION, authorization).timeout(self.timeout).send().await;
        let mut response = asked.map_err(|error| failure::in_words(&error.without_url()))?;
        if response.status() != StatusCode::OK {
            return Err(format!("the API answers {}", response.status().as_u16()));
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| failure::in_words(&error.without_url()))? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > CONFIG_MAX {
                return Err(format!("the answer has more than {CONFIG_MAX} bytes"));
            }
        }
        serde_json::from_slice(&bytes).map_err(|_| "the answer is not JSON".to_owned())
    }
}
