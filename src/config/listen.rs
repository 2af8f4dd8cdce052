//! `admin.listen` alone, read past every mistake elsewhere: a health check asks a daemon that runs, and a mistake written
//! into its file since then is no reason to restart it.
//!
//! Not here: whether the configuration is any good (`load`).

use std::net::SocketAddr;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::environment::variable;
use super::values::{self, Given, Shape};
use crate::files;

const KEY: &str = "admin.listen";

/// Where the admin port listens by default.
pub(super) const DEFAULT: &str = "127.0.0.1:9464";

/// Where the admin port listens, as far as that can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listening {
    /// The address, as it is written.
    pub address: SocketAddr,
    /// Why that is a guess, where the file cannot be read or understood: the default was taken.
    pub doubt: Option<String>,
}

/// Reads `admin.listen`, and nothing else.
///
/// # Errors
/// Says what is wrong with it, if it is written and no address.
pub fn admin_listen(path: &Path, environment: impl IntoIterator<Item = (String, String)>) -> Result<Listening, String> {
    let name = variable(KEY);
    let set = environment.into_iter().find(|(known, _)| *known == name);
    if let Some((_, text)) = set {
        return listening(&Given { text, shape: Shape::Bare }, None).map_err(|why| format!("{name}: {why}"));
    }
    let file = path.display();
    let (given, doubt) = match files::read_text(path, files::FILE_MAX) {
        Ok(text) => written(&text),
        Err(error) => (None, Some(error.to_string())),
    };
    let given = given.unwrap_or_else(|| Given { text: DEFAULT.to_owned(), shape: Shape::Bare });
    let doubt = doubt.map(|why| format!("{file}: {why}"));
    listening(&given, doubt).map_err(|why| format!("{file}: {KEY}: {why}"))
}

fn listening(given: &Given, doubt: Option<String>) -> Result<Listening, String> {
    let address = values::address(given).map_err(|wrong| format!("{}, expected {}", wrong.what, wrong.expected))?;
    Ok(Listening { address, doubt })
}

/// What stands in the file, which need not be whole; where nothing is found in one that is not, that is a doubt.
fn written(text: &str) -> (Option<Given>, Option<String>) {
    let (file, wrong) = DeTable::parse_recoverable(text);
    let given = in_table(file.get_ref());
    let doubt = wrong.first().filter(|_| given.is_none()).map(|_| "it is not TOML".to_owned());
    (given, doubt)
}

fn in_table(file: &DeTable<'_>) -> Option<Given> {
    let value = file.get("admin")?.get_ref().as_table()?.get("listen").map(Spanned::get_ref)?;
    Some(match value {
        DeValue::String(text) => Given { text: text.to_string(), shape: Shape::Text },
        _ => Given { text: "no text".to_owned(), shape: Shape::Other },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str, variables: &[(&str, &str)]) -> Result<Listening, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, text).unwrap();
        admin_listen(&path, variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    fn address(text: &str) -> SocketAddr {
        let Listening { address, doubt } = told(text, &[]).unwrap();
        assert_eq!(doubt, None);
        address
    }

    #[test]
    fn it_is_read_past_every_mistake_elsewhere() {
        let wanted: SocketAddr = "0.0.0.0:1234".parse().unwrap();
        let admin = "[admin]\nlisten = \"0.0.0.0:1234\"\n";
        for around in ["", "[broker]\nqeue = 5\n", "[broker]\nurl = \"unfinished\n", "[broker]\nurl = = 5\n"] {
            assert_eq!(address(&format!("{around}{admin}")), wanted, "{around}");
            assert_eq!(address(&format!("{admin}{around}")), wanted, "{around}");
        }
    }

    #[test]
    fn what_is_not_written_is_the_default() {
        for text in ["", "[admin]\n", "[admin]\ntoken = \"t\"", "admin = 5"] {
            assert_eq!(address(text), DEFAULT.parse().unwrap());
        }
        assert!(told("[[rule]\n[admin]", &[]).unwrap().doubt.is_some_and(|doubt| doubt.contains("not TOML")));
        let told = admin_listen(Path::new("/nowhere/at.toml"), []).unwrap();
        assert_eq!(told.address, DEFAULT.parse().unwrap());
        assert!(told.doubt.is_some_and(|doubt| doubt.contains("/nowhere/at.toml")));
    }

    #[test]
    fn a_variable_wins_and_then_the_file_is_not_asked() {
        let set = [("CHAKRA_BRIDGE__ADMIN__LISTEN", "[::]:9")];
        assert_eq!(told("[admin]\nlisten = \"0.0.0.0:1\"", &set).unwrap().address, "[::]:9".parse().unwrap());
        let missing = admin_listen(Path::new("/nowhere/at.toml"), set.map(|(name, value)| (name.into(), value.into())));
        assert_eq!(missing.unwrap().doubt, None);
    }

    #[test]
    fn one_that_is_no_address_is_said_with_its_place() {
        let words = told("[admin]\nlisten = \"here\"", &[]).unwrap_err();
        assert!(words.contains("config.toml: admin.listen: ") && words.contains("127.0.0.1:9464"), "{words}");
        assert!(told("[admin]\nlisten = 9464", &[]).unwrap_err().contains("no text"));
        let words = told("", &[("CHAKRA_BRIDGE__ADMIN__LISTEN", "9464")]).unwrap_err();
        assert!(words.contains("CHAKRA_BRIDGE__ADMIN__LISTEN: "), "{words}");
    }
}
