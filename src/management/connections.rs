//! Which connections the management API does not show, so that they lead to another cluster.
//!
//! Not here: making them (`amqp`), and subscriptions, which are looked for each minute (`survey`).

use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::Config;
use super::api::Api;

/// A connection is shown after so long for certain: the API gathers every 5 s.
const SHOWN_AFTER: Duration = Duration::from_secs(15);
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Users with one of these tags see the connections of others.
const SEES_ALL: [&str; 2] = ["administrator", "monitoring"];

/// Which of the connections with these names, made by `user`, are not shown; none where this API or its user would not show them
/// at all. Takes up to 5 s where all are shown, and 15 s otherwise; each question may take `timeout`.
///
/// # Errors
/// Says why the API could not be asked.
pub async fn not_shown(config: &Config, user: &str, names: &[String]) -> Result<Vec<String>, String> {
    let api = Api::open(config).await?;
    if !shows(&api, user).await? {
        return Ok(Vec::new());
    }
    let until = Instant::now() + SHOWN_AFTER;
    loop {
        let path = ["vhosts", config.vhost.as_str(), "connections"];
        let told = api.get(&path, "user_provided_name,client_properties.connection_name").await?;
        let missing = missing(names, &told.unwrap_or_default());
        if missing.is_empty() || Instant::now() >= until {
            return Ok(missing);
        }
        sleep(LOOK_EVERY).await;
    }
}

/// Whether it shows connections of this user to the user who asks.
async fn shows(api: &Api, user: &str) -> Result<bool, String> {
    let overview = api.get(&["overview"], "disable_stats").await?.unwrap_or_default();
    let me = api.get(&["whoami"], "name,tags").await?.unwrap_or_default();
    Ok(overview["disable_stats"] != true && (me["name"] == user || sees_all(&me["tags"])))
}

/// Written as a list by some versions, and with commas by others.
fn sees_all(tags: &Value) -> bool {
    let words: Vec<_> = match tags {
        Value::String(text) => text.split(',').map(str::trim).collect(),
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    words.iter().any(|tag| SEES_ALL.contains(tag))
}

fn missing(names: &[String], told: &Value) -> Vec<String> {
    let is_shown = |name: &&String| {
        told.as_array().into_iter().flatten().any(|connection| {
            [&connection["user_provided_name"], &connection["client_properties"]["connection_name"]]
                .into_iter()
                .any(|shown| shown == name.as_str())
        })
    };
    names.iter().filter(|name| !is_shown(name)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_connection_is_known_by_either_place_of_its_name() {
        let names = ["a", "b", "c"].map(str::to_owned);
        let told = json!([{ "user_provided_name": "a" }, { "client_properties": { "connection_name": "b" } }, {}]);
        assert_eq!(missing(&names, &told), ["c"]);
        for nothing in [json!([]), json!(null)] {
            assert_eq!(missing(&names, &nothing), names);
        }
    }

    #[test]
    fn who_sees_the_connections_of_others_is_told_by_the_tags_in_each_form_that_versions_have_written() {
        for tags in [json!("administrator"), json!("management, monitoring"), json!(["policymaker", "administrator"])] {
            assert!(sees_all(&tags), "{tags}");
        }
        for tags in [json!("management"), json!(["management", "policymaker"]), json!([]), json!(null)] {
            assert!(!sees_all(&tags), "{tags}");
        }
    }
}
