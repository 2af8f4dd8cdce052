//! A proposal as the text of a configuration.
//!
//! Not here: what is proposed (`proposal`).

use std::fmt::Write as _;

use serde_json::Value;

use super::Arguments;
use super::proposal::{Line, Proposal};

const HEAD: &str = r#"# A first configuration, made by `chakra-bridge init`. Every other key has a default.

[broker]
url = "amqps://bridge@rabbit.internal/crm"           # user, host and virtual host of your RabbitMQ
password_file = "/run/secrets/rabbitmq-password"
queue = "crm.events"                                 # the queue that your events come to

[api]
base_url = "https://api.chakrahq.com"
token_file = "/run/secrets/chakra-token"
"#;

/// The file without its case.
pub(super) fn rule(proposal: &Proposal) -> String {
    let mut text = HEAD.to_owned();
    if let Some(key) = &proposal.key {
        let _ = write!(
            text,
            "\n# What tells one event from another, where the message carries no id.\n[event]\nkey = {}\n",
            quoted(key)
        );
    }
    let _ = write!(text, "\n[[rule]]\nname = {}\n", quoted(&proposal.rule));
    if let Some(kind) = &proposal.kind {
        let _ = writeln!(text, "type = {}", quoted(kind));
    }
    let _ = write!(text, "procedure = {}\nreconcile_by = \"event_key\"\n", quoted(&proposal.procedure));
    text.push_str(
        "\n# Each name on the left must be the short id of an attribute of the procedure. Delete what nobody needs.\n",
    );
    text.push_str("[rule.data]\nevent_key = \"{{ key }}\"\n");
    lines(&mut text, &proposal.lines);
    if proposal.is_cut {
        text.push_str("# The event has more fields than are proposed.\n");
    }
    for list in &proposal.lists {
        let _ = write!(text, "\n[rule.data.{}]\neach = {}\n", list.name, quoted(&list.each));
        lines(&mut text, &list.lines);
    }
    text
}

fn lines(text: &mut String, lines: &[Line]) {
    for Line { name, expression, is_empty } in lines {
        let comment = if *is_empty { "# " } else { "" };
        let _ = writeln!(text, "{comment}{name} = {}", quoted(&format!("{{{{ {expression} }}}}")));
    }
}

/// The case: this event becomes this request.
pub(super) fn case(event: &str, arguments: &Arguments, request: &Value) -> String {
    let mut text =
        "\n# What the rule makes of one event: `chakra-bridge test` tells what differs.\n[[case]]\n".to_owned();
    let _ = write!(text, "name = \"the first event\"\nevent = {event}\n");
    let said = [
        ("type", arguments.kind.as_deref()),
        ("routing_key", Some(arguments.routing_key.as_str()).filter(|key| !key.is_empty())),
        ("message_id", arguments.message_id.as_deref()),
    ];
    for (key, value) in said.into_iter().filter_map(|(key, value)| Some((key, value?))) {
        let _ = writeln!(text, "{key} = {}", quoted(value));
    }
    let pretty = format!("{request:#}");
    let request = if pretty.contains("'''") { quoted(&request.to_string()) } else { format!("'''{pretty}'''") };
    let _ = writeln!(text, "request = {request}");
    text
}

/// A text as TOML takes it: what JSON escapes, TOML does too.
fn quoted(text: &str) -> String {
    Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}
