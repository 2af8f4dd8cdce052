//! The configuration of a dispatcher under test: its rules, and what differs between the tests.
//!
//! Not here: the dispatcher (`dispatcher`).

use std::path::Path;

use chakra_bridge::ready::{Ready, load_with};

use super::dispatcher::Commands;
use crate::support::standin::StandIn;

const RULES: &str = r#"
[[rule]]
name = "noise"
type = "noise"
action = "skip"

[[rule]]
name = "lead"
type = "lead.*"
procedure = "lead"
data = { event_key = "{{ key }}", name = "{{ event.name }}" }

[[rule]]
name = "named"
type = "named"
procedure = "{{ event.procedure }}"
data = { event_key = "{{ key }}" }

[[rule]]
name = "sought"
type = "sought"
procedure = "lead"
reconcile_by = "event_key"
data = { event_key = "{{ key }}" }

[[rule]]
name = "verbatim"
type = "verbatim"
procedure = "lead"
[rule.data]
event_key = "{{ key }}"
lone = "{{ event.text }}"
list = "{{ event.list }}"
filtered = "{{ event.short | default('') }}"
mixed = "<{{ event.short }}|{{ event.short | default('') }}>"
object = { inner = ["{{ event.short }}", "{{ event.short ~ event.short }}"] }
[rule.record.data]
looked_up = "{{ event[event.name | default('short')] }}"

[[rule]]
name = "prefixed"
type = "prefixed"
procedure = "lead"
reconcile_by = "event_key"
data = { event_key = "crm-{{ key }}" }

[[rule]]
name = "shaped"
type = "shaped"
procedure = "fieldvisit"
data = { event_key = "{{ key }}", name = "{{ event.name }}" }

[[schema]]
procedure = "fieldvisit"
data = '{"properties": {"name": {"type": "string", "maxLength": 5}}, "required": ["name"]}'
"#;

fn config(api: &StandIn, token: &Path, commands: &Commands) -> String {
    format!(
        "[broker]\nurl = \"amqp://nobody@127.0.0.1\"\npassword = \"none\"\nqueue = \"none\"\n\
             [api]\nbase_url = \"{}\"\ntoken_file = \"{}\"\ntimeout = \"{}\"\nconnect_timeout = \"300ms\"\n{}\n\
             [gate]\n{}\n\
             [lookup]\nlag = \"0s\"\n\
             [retry]\ninitial = \"10ms\"\nmax_interval = \"50ms\"\nresend_after = \"0s\"\n{}\n{RULES}",
        api.url(),
        token.display(),
        commands.timeout,
        commands.api,
        commands.gate,
        commands.retry,
    )
}

/// The configuration of this API, written into a folder and loaded from there.
pub fn ready(api: &StandIn, folder: &Path, commands: &Commands) -> Ready {
    let (token, path) = (folder.join("token"), folder.join("config.toml"));
    std::fs::write(&token, StandIn::TOKEN).unwrap();
    std::fs::write(&path, config(api, &token, commands)).unwrap();
    load_with(&path, []).unwrap()
}
