//! The section of the management API: `[broker.management]`.
//!
//! Not here: asking it (`management`), and the rest of `[broker]` (`connections`).

use super::reader::Reader;
use super::sections::{hours, seconds};
use super::urls;
use super::values::{self, wrong};
use crate::amqp::{self, address, wanted_queues};
use crate::core::delay_queue::DELAY_QUEUES;
use crate::management::{Config, Role};
use crate::tls;

const SECTION: &str = "broker.management";
const URL: &str = "broker.management.url";
const USER: &str = "broker.management.user";
const PASSWORD: [&str; 2] = ["broker.management.password", "broker.management.password_file"];
const AUTHORITIES: &str = "broker.management.ca_file";
const INTERVAL: &str = "broker.management.interval";

/// None where it names no URL.
pub(super) fn management(reader: &mut Reader<'_>, broker: &amqp::Config) -> Option<Config> {
    let url = reader.optional(URL, None, urls::management);
    let user = reader.optional(USER, None, values::text);
    let password = reader.optional_secret(PASSWORD[0], PASSWORD[1]);
    let authorities = reader.file(AUTHORITIES);
    let interval = reader.duration(INTERVAL, "1m", seconds(1)..=hours(1));
    let tls = tls::Files { section: SECTION, authorities, identity: None };
    if let Err(wrong) = tls.read_now()
        && !reader.is_dry_run()
    {
        reader.mistake(&wrong.key, values::wrong(wrong.what, "a PEM file of certificates"));
    }
    for key in [USER, PASSWORD[0], PASSWORD[1], AUTHORITIES, INTERVAL] {
        if reader.is_set(key) && !reader.is_set(URL) {
            reader.mistake(key, wrong(format!("stands without {URL}"), "both, or neither"));
        }
    }
    if reader.is_set(USER) && !PASSWORD.iter().any(|key| reader.is_set(key)) {
        let what = format!("stands without {}", PASSWORD[1]);
        reader.mistake(USER, wrong(what, "the password of this user"));
    }
    let (broker_user, vhost) = address::user_and_vhost(&broker.url);
    Some(Config {
        url: url?,
        user: user.unwrap_or(broker_user),
        password: password.unwrap_or_else(|| broker.password.clone()),
        tls,
        timeout: broker.call_timeout,
        interval,
        vhost,
        exchange: None,
        queues: queues(broker),
    })
}

fn queues(broker: &amqp::Config) -> Vec<(String, Role)> {
    let own = [(broker.queue.clone(), Role::Work), (broker.dead_letter_queue.clone(), Role::DeadLetters)];
    let delays =
        DELAY_QUEUES.map(|delay| (wanted_queues::delay_queue_name(&broker.queue, delay), Role::Delay(delay.wait)));
    own.into_iter().chain(delays).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Mistakes, load};
    use super::*;

    const FILE: &str = "[broker]\nurl = \"amqp://bridge@127.0.0.1/crm\"\npassword = \"swordfish\"\nqueue = \"crm.events\"\n\
         [api]\nbase_url = \"http://127.0.0.1:1\"\ntoken = \"marlin\"\n[[rule]]\nname = \"one\"\nprocedure = \"lead\"\n";

    fn read(more: &str, variables: &[(&str, &str)]) -> Result<Option<Config>, Box<Mistakes>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, format!("{FILE}{more}")).unwrap();
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        load(&path, variables).map(|(config, _)| config.management)
    }

    fn said(more: &str) -> String {
        read(more, &[]).map_or_else(|mistakes| mistakes.to_string(), |_| String::new())
    }

    #[test]
    fn without_a_url_nothing_is_asked_and_user_password_and_virtual_host_are_those_of_the_broker() {
        assert!(read("", &[]).unwrap().is_none());
        let config = read("[broker.management]\nurl = \"http://127.0.0.1:15672/\"\n", &[]).unwrap().unwrap();
        assert_eq!((config.user.as_str(), config.vhost.as_str()), ("bridge", "crm"));
        assert_eq!(config.password.read_now().unwrap().expose(), "swordfish");
        let [first, second] = [&config.queues[0], &config.queues[1]];
        assert_eq!((first.0.as_str(), second.0.as_str(), config.queues.len()), ("crm.events", "crm.events.dead", 6));
    }

    #[test]
    fn a_variable_sets_a_key_of_a_section_in_a_section() {
        let url = ("CHAKRA_BRIDGE__BROKER__MANAGEMENT__URL", "http://127.0.0.1:1");
        assert_eq!(read("", &[url]).unwrap().unwrap().url.port(), Some(1));
    }

    #[test]
    fn what_is_wrong_in_the_section_is_told_at_its_line_and_no_secret_is_printed() {
        let words = said("[broker.management]\nurll = \"x\"\npasword = \"barracuda\"\n");
        assert!(words.contains(":12: broker.management.urll: is not known, expected url"), "{words}");
        assert!(words.contains(":13: broker.management.pasword") && !words.contains("barracuda"), "{words}");
        let words = said("[broker.management]\nuser = \"watch\"\npassword = \"barracuda\"\n");
        assert!(words.contains("stands without broker.management.url") && !words.contains("barracuda"), "{words}");
        let words = said("[broker.management]\nurl = \"http://a:barracuda@b\"\nuser = \"watch\"\n");
        assert!(words.contains("holds a user or a password") && words.contains("stands without"), "{words}");
        assert!(!words.contains("barracuda"), "{words}");
    }
}
