//! The files that a configuration names: where they lie, whether they go together, and who may open them.
//!
//! Not here: what secrets and certificates are for.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chakra_bridge::config::{self, ignored_proxies};
use chakra_bridge::files::Seen;
use chakra_bridge::secret::SecretSource;
use tempfile::TempDir;

use super::{load_text, seeded};

fn file(folder: &TempDir, name: &str, text: &str, mode: u32) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    path
}

/// The good file with its token in this one.
fn with_token_file(path: &str) -> String {
    seeded::GOOD.replace("token = \"swordfish-1\"", &format!("token_file = \"{path}\""))
}

#[test]
fn a_credential_lies_where_systemd_puts_it() {
    let folder = TempDir::new().unwrap();
    let path = file(&folder, "chakra-token", "swordfish", 0o400);
    let variables = [("CREDENTIALS_DIRECTORY", folder.path().to_str().unwrap())];
    let config = load_text(&with_token_file("credential:chakra-token"), &variables).unwrap();
    assert_eq!(config.api.token, SecretSource::File(path));
    let without = load_text(&with_token_file("credential:chakra-token"), &[]).unwrap_err().to_string();
    assert!(without.contains("api.token_file: ") && without.contains("CREDENTIALS_DIRECTORY is not set"), "{without}");
    for name in ["", "..", "a/b", "../chakra-token"] {
        let words = load_text(&with_token_file(&format!("credential:{name}")), &variables).unwrap_err().to_string();
        assert!(words.contains("names no credential"), "{words}");
    }
}

#[test]
fn a_line_end_behind_a_secret_is_none_of_it() {
    let folder = TempDir::new().unwrap();
    let path = file(&folder, "token", "swordfish\r\n", 0o400);
    let kept = load_text(&with_token_file(path.to_str().unwrap()), &[]).unwrap().api.token;
    kept.check().unwrap();
    let token = seeded::GOOD.replace("token = \"swordfish-1\"\n", "");
    for text in ["swordfish", "swordfish\n", "swordfish\r\n"] {
        let given = load_text(&token, &[("CHAKRA_BRIDGE__API__TOKEN", text)]).unwrap().api.token;
        let SecretSource::Given(secret) = given else { panic!("{given:?}") };
        assert_eq!(secret.expose(), "swordfish");
    }
    let words = load_text(&token, &[("CHAKRA_BRIDGE__API__TOKEN", "\n")]).unwrap_err().to_string();
    assert!(words.contains("is empty"), "{words}");
}

#[test]
fn a_secret_written_where_its_file_belongs_is_not_repeated() {
    for token in ["swordfish-2", "c3dvcmRm/aXNo=="] {
        let words = load_text(&with_token_file(token), &[]).unwrap_err().to_string();
        assert!(words.contains("api.token_file: ") && !words.contains(token), "{words}");
    }
    for path in ["/run/none", "./none", "../none"] {
        let words = load_text(&with_token_file(path), &[]).unwrap_err().to_string();
        assert_eq!(words.matches(path).count(), 2, "what is said, and the line: {words}");
    }
}

#[test]
fn a_secret_that_everybody_may_open_is_warned_about() {
    let folder = TempDir::new().unwrap();
    for (mode, warned) in [(0o400, false), (0o440, false), (0o660, false), (0o644, true), (0o604, true)] {
        let path = file(&folder, "token", "swordfish", mode);
        let config = load_text(&with_token_file(path.to_str().unwrap()), &[]).unwrap();
        let warnings = config.warnings();
        assert_eq!(warnings.len(), usize::from(warned), "{mode:o}: {warnings:?}");
        let words = warnings.concat();
        assert!(!warned || (words.contains("api.token_file") && words.contains("chmod")), "{words}");
    }
}

/// What is said of a configuration; if that takes long, it waits for the other end of a pipe.
fn said_at_once(text: String) -> String {
    let (told, said) = std::sync::mpsc::channel();
    std::thread::spawn(move || told.send(load_text(&text, &[]).unwrap_err().to_string()));
    said.recv_timeout(Duration::from_secs(10)).expect("nothing is waited for")
}

#[test]
fn a_secret_or_a_certificate_in_no_regular_file_an_empty_or_a_large_one_is_refused_with_an_error_text_and_never_waited_for()
 {
    let folder = TempDir::new().unwrap();
    let (pipe, empty) = (folder.path().join("pipe"), file(&folder, "empty", "\n", 0o600));
    let large = file(&folder, "large", &"x".repeat((64 << 10) + 1), 0o600);
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for (path, words) in [
        (folder.path(), "is a folder, not a regular file"),
        (&pipe, "is a pipe, not a regular file"),
        (Path::new("/dev/zero"), "is a device, not a regular file"),
        (&large, "is larger than 64 KiB"),
        (&empty, "the file is empty"),
    ] {
        let said = said_at_once(with_token_file(path.to_str().unwrap()));
        assert!(said.contains("api.token_file: ") && said.contains(words), "{said}");
    }
    for key in ["ca_file", "client_cert_file"] {
        let said = said_at_once(with_broker(&format!("{key} = \"{0}\"\nclient_key_file = \"{0}\"", pipe.display())));
        assert!(said.contains(&format!("broker.{key}: ")) && said.contains("is a pipe"), "{said}");
    }
}

#[test]
fn what_was_loaded_is_known_to_the_byte_with_the_files_of_schemas() {
    let folder = TempDir::new().unwrap();
    let schema = file(&folder, "lead.json", "{\"type\": \"object\"}\n", 0o600);
    let more = "[[rule]]\nname = \"r\"\nprocedure = \"lead\"\n[[schema]]\nprocedure = \"lead\"\ndata = \"lead.json\"\n";
    let text = format!("{}\n{more}", seeded::GOOD);
    let path = file(&folder, "bridge.toml", &text, 0o600);
    let (_, source) = config::load(&path, []).unwrap();
    fs::write(&path, "edited since").unwrap();
    fs::write(&schema, "edited since").unwrap();
    let loaded = Seen::default().with(&schema, Some(b"{\"type\": \"object\"}\n")).with(&path, Some(text.as_bytes()));
    assert_eq!(source.seen(), loaded);
}

fn with_broker(more: &str) -> String {
    seeded::GOOD.replace("[broker]", &format!("[broker]\n{more}"))
}

#[test]
fn a_client_certificate_and_its_key_stand_together_and_go_together() {
    let folder = TempDir::new().unwrap();
    let made = || rcgen::generate_simple_self_signed(["a".to_owned()]).unwrap();
    let (own, other) = (made(), made());
    let cert = file(&folder, "cert.pem", &own.cert.pem(), 0o644);
    let key = file(&folder, "key.pem", &own.signing_key.serialize_pem(), 0o600);
    let another = file(&folder, "other.pem", &other.signing_key.serialize_pem(), 0o644);
    let keys = |cert: &Path, key: &Path| {
        with_broker(&format!("client_cert_file = \"{}\"\nclient_key_file = \"{}\"", cert.display(), key.display()))
    };
    let config = load_text(&keys(&cert, &key), &[]).unwrap();
    assert_eq!((config.warnings().len(), config.broker.tls.identity), (0, Some((cert.clone(), key.clone()))));
    let words = load_text(&keys(&cert, &another), &[]).unwrap_err().to_string();
    assert!(words.contains("bridge.toml:3: broker.client_key_file: ") && words.contains("is not the key"), "{words}");
    let words = load_text(&keys(&key, &key), &[]).unwrap_err().to_string();
    assert!(words.contains("bridge.toml:2: broker.client_cert_file: ") && words.contains("no certificate"), "{words}");
    let alone = load_text(&with_broker(&format!("client_cert_file = \"{}\"", cert.display())), &[]).unwrap_err();
    assert!(alone.to_string().contains("stands without broker.client_key_file"), "{alone}");
    let empty = file(&folder, "ca.pem", "", 0o644);
    let words = load_text(&with_broker(&format!("ca_file = \"{}\"", empty.display())), &[]).unwrap_err().to_string();
    assert!(
        words.contains("bridge.toml:2: broker.ca_file: ") && words.contains("no certificate in PEM form"),
        "{words}"
    );
}

#[test]
fn a_login_of_a_proxy_is_whole_and_beside_a_proxy_or_it_is_a_mistake() {
    let with = |lines: &str| load_text(&seeded::GOOD.replace("[api]", &format!("[api]\n{lines}")), &[]);
    let login =
        with("proxy = 'https://proxy:3128'\nproxy_user = 'me'\nproxy_password = 'hunter2'").unwrap().api.proxy_login;
    assert_eq!(
        login.map(|(user, password)| (user, password.read_now().unwrap().expose().to_owned())),
        Some(("me".to_owned(), "hunter2".to_owned()))
    );
    for (lines, said) in [
        ("proxy_user = 'me'\nproxy_password = 'hunter2'", "api.proxy_user: is for a proxy, and there is none"),
        ("proxy = 'http://proxy'\nproxy_user = 'me'", "api.proxy_user: has no password"),
        ("proxy = 'http://proxy'\nproxy_password = 'hunter2'", "api.proxy_password: is of no user"),
        ("proxy = 'http://proxy'\nproxy_user = 'a:b'\nproxy_password = 'hunter2'", "holds a colon"),
        ("proxy = 'http://proxy'\nproxy_user = 'a'\nproxy_password_file = '/nowhere'", "api.proxy_password_file"),
    ] {
        let words = with(lines).unwrap_err().to_string();
        assert!(words.contains(said) && !words.contains("hunter2"), "{lines}: {words}");
    }
}

#[test]
fn a_proxy_is_a_bare_url_and_its_password_is_not_printed() {
    let with = |proxy: &str| load_text(&seeded::GOOD.replace("[api]", &format!("[api]\nproxy = \"{proxy}\"")), &[]);
    assert_eq!(with("http://proxy:3128").unwrap().api.proxy.unwrap().as_str(), "http://proxy:3128/");
    for (proxy, said) in [
        ("http://me:hunter2@proxy:3128", "holds a user or a password"),
        ("socks5://proxy", "is of another scheme"),
        ("http://proxy/path", "has a path"),
        ("http://proxy?x", "has a query"),
        ("proxy:3128", "is of another scheme"),
    ] {
        let words = with(proxy).unwrap_err().to_string();
        assert!(words.contains("api.proxy: ") && words.contains(said) && !words.contains("hunter2"), "{words}");
    }
}

#[test]
fn a_proxy_of_the_environment_is_not_heeded_and_that_is_said() {
    let said = |name: &str, value: &str| ignored_proxies([(name.to_owned(), value.to_owned())]);
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "http_proxy"] {
        let words = said(name, "http://me:hunter2@proxy").unwrap();
        assert!(words.starts_with(name) && words.contains("api.proxy") && !words.contains("hunter2"), "{words}");
    }
    assert_eq!(said("HTTPS_PROXY", ""), None);
    assert_eq!(said("NO_PROXY", "localhost"), None);
}
