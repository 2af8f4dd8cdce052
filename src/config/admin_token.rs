//! The admin token alone, read past every mistake elsewhere: whoever pauses a daemon in need must not mend its file first.
//!
//! Not here: whether the configuration is any good (`load`), and where the admin port listens (`listen`).

use std::collections::HashMap;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::environment::{CREDENTIALS, variable};
use super::values::{self, Given, Shape, Wrong, wrong};
use crate::files;
use crate::secret::{Secret, SecretSource};

const KEY: &str = "admin.token";
const KEY_FILE: &str = "admin.token_file";

/// Where the admin token is kept, as `environment` or the file at `path` says; none if neither names one.
///
/// # Errors
/// Says that the file cannot be read or understood where it would have to be, that both keys are set, or what is wrong
/// with the one that is. Never holds the token.
pub fn admin_token(
    path: &Path,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Option<SecretSource>, String> {
    let variables: HashMap<String, String> = environment.into_iter().collect();
    let set = |key| variables.get(&variable(key)).map(|text| Given { text: text.clone(), shape: Shape::Bare });
    let (token, kept) = match (set(KEY), set(KEY_FILE)) {
        (None, None) => written(path)?,
        set => set,
    };
    let credentials = variables.get(CREDENTIALS).map(Path::new);
    let (key, meant) = match (token, kept) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => (KEY_FILE, Err(wrong(format!("stands beside {KEY}"), "one of the two"))),
        (Some(given), None) => (KEY, self::given(&given)),
        (None, Some(given)) => (KEY_FILE, values::path(&given, credentials).map(SecretSource::File)),
    };
    let told = |Wrong { what, expected }| format!("{key}: {what}, expected {expected}");
    meant.map(Some).map_err(told)
}

fn given(given: &Given) -> Result<SecretSource, Wrong> {
    let secret = Secret::written(&values::text(given)?).ok_or_else(|| wrong("is empty", "the secret"))?;
    Ok(SecretSource::Given(secret))
}

/// What stands in the file, which need not be whole: the token, and the path of its file.
fn written(path: &Path) -> Result<(Option<Given>, Option<Given>), String> {
    let text = files::read_text(path, files::FILE_MAX)
        .map_err(|error| format!("{}: cannot be read: {error}", path.display()))?;
    let (file, wrong) = DeTable::parse_recoverable(&text);
    let found = ["token", "token_file"].map(|name| in_table(file.get_ref(), name));
    match found {
        [None, None] if !wrong.is_empty() => {
            Err(format!("{}: is not TOML, and no {KEY_FILE} is found in it", path.display()))
        }
        [token, kept] => Ok((token, kept)),
    }
}

fn in_table(file: &DeTable<'_>, name: &str) -> Option<Given> {
    let value = file.get("admin")?.get_ref().as_table()?.get(name).map(Spanned::get_ref)?;
    Some(match value {
        DeValue::String(text) => Given { text: text.to_string(), shape: Shape::Text },
        _ => Given { text: "no text".to_owned(), shape: Shape::Other },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str, variables: &[(&str, &str)]) -> Result<Option<SecretSource>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, text).unwrap();
        admin_token(&path, variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    fn secret(text: &str) -> Option<SecretSource> {
        Some(SecretSource::Given(Secret::new(text)))
    }

    #[test]
    fn it_is_read_past_every_mistake_elsewhere() {
        let admin = "[admin]\ntoken = \"swordfish\"\n";
        for around in ["", "[broker]\nqeue = 5\n", "[broker]\nurl = \"unfinished\n"] {
            assert_eq!(told(&format!("{admin}{around}"), &[]).unwrap(), secret("swordfish"), "{around}");
        }
        let kept = told("[admin]\ntoken_file = \"/run/token\"", &[]).unwrap();
        assert_eq!(kept, Some(SecretSource::File("/run/token".into())));
        assert_eq!(told("[api]\ntoken = \"another\"", &[]).unwrap(), None);
    }

    #[test]
    fn a_variable_wins_and_a_credential_lies_where_systemd_puts_it() {
        let file = "[admin]\ntoken = \"of the file\"";
        assert_eq!(told(file, &[("CHAKRA_BRIDGE__ADMIN__TOKEN", "swordfish\n")]).unwrap(), secret("swordfish"));
        let variables = [("CHAKRA_BRIDGE__ADMIN__TOKEN_FILE", "credential:admin"), ("CREDENTIALS_DIRECTORY", "/creds")];
        assert_eq!(told("", &variables).unwrap(), Some(SecretSource::File("/creds/admin".into())));
        assert!(told("", &variables[..1]).unwrap_err().contains("CREDENTIALS_DIRECTORY"));
    }

    #[test]
    fn what_is_wrong_with_it_is_said_without_it() {
        let both = told("[admin]\ntoken = \"swordfish\"\ntoken_file = \"/run/token\"", &[]).unwrap_err();
        assert!(both.contains("stands beside admin.token") && !both.contains("swordfish"), "{both}");
        assert!(told("[admin]\ntoken = \"\"", &[]).unwrap_err().contains("is empty"));
        assert!(told("[admin]\ntoken = 5", &[]).unwrap_err().contains("no text"));
        assert!(told("[[rule]\n[admin]", &[]).unwrap_err().contains("not TOML"));
        assert!(admin_token(Path::new("/nowhere/at.toml"), []).unwrap_err().contains("/nowhere/at.toml"));
    }
}
