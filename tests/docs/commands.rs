//! The commands of shell blocks: which of them call the program, and with what.
//!
//! Not here: running them (`blocks`).

/// Each call of the program in a shell text: its arguments.
pub(crate) fn calls(text: &str) -> Vec<Vec<String>> {
    let text = text.replace("\\\n", " ");
    commands(&text).iter().filter_map(|words| arguments(words)).collect()
}

/// What follows the program's name. It stands first, behind assignments, behind `timeout`, or at the end of what runs a container.
fn arguments(words: &[String]) -> Option<Vec<String>> {
    let mut start = words.iter().position(|word| !word.contains('=') || word.starts_with('-'))?;
    if words[start] == "timeout" {
        start += 2;
    }
    let at = match words.get(start)?.as_str() {
        "chakra-bridge" => start,
        "kubectl" => words.iter().position(|word| word == "/chakra-bridge")?,
        "docker" if words[start + 1] == "run" => words.iter().rposition(|word| word == "chakra-bridge")?,
        _ => return None,
    };
    Some(words[at + 1..].to_vec())
}

/// The commands of a shell text as their words, without comments and redirections. Quotes are taken off; nothing is expanded.
fn commands(text: &str) -> Vec<Vec<String>> {
    let mut reader = Reader::default();
    let mut quote = None;
    let mut signs = text.chars().peekable();
    while let Some(sign) = signs.next() {
        match (quote, sign) {
            (Some(open), _) if open == sign => quote = None,
            (Some(_), _) => reader.word.push(sign),
            (None, '"' | '\'') => {
                quote = Some(sign);
                reader.is_word = true;
            }
            (None, '#') if !reader.has_word() => while signs.next_if(|next| *next != '\n').is_some() {},
            (None, '\n' | ';' | '|' | '&') => reader.end_command(),
            (None, '<' | '>') => {
                reader.end_redirected_word();
                while signs.next_if(|next| *next != '\n' && *next != ' ').is_some() {}
            }
            (None, ' ') => reader.end_word(),
            (None, _) => reader.word.push(sign),
        }
    }
    reader.end_command();
    reader.commands
}

#[derive(Default)]
struct Reader {
    word: String,
    /// Whether an empty word is one all the same, since it was quoted.
    is_word: bool,
    words: Vec<String>,
    commands: Vec<Vec<String>>,
}

impl Reader {
    fn has_word(&self) -> bool {
        self.is_word || !self.word.is_empty()
    }

    /// The number of a file in front of a redirection is no argument.
    fn end_redirected_word(&mut self) {
        if self.word.bytes().all(|byte| byte.is_ascii_digit()) {
            self.word.clear();
        }
        self.end_word();
    }

    fn end_word(&mut self) {
        if self.has_word() {
            self.words.push(std::mem::take(&mut self.word));
        }
        self.is_word = false;
    }

    fn end_command(&mut self) {
        self.end_word();
        let words = std::mem::take(&mut self.words);
        if !words.is_empty() {
            self.commands.push(words);
        }
    }
}

#[test]
fn calls_are_found_where_they_stand() {
    let text = "chakra-bridge check # why\nA=b:0 timeout 60 chakra-bridge --config \"a b\" run\nkubectl -n chakra-bridge exec x -- \
                /chakra-bridge healthcheck --ready\ncat chakra-bridge | grep x\ndocker run --rm chakra-bridge check\n";
    let found: Vec<String> = calls(text).iter().map(|words| words.join("+")).collect();
    assert_eq!(found, ["check", "--config+a b+run", "healthcheck+--ready", "check"]);
}

#[test]
fn redirections_are_no_arguments() {
    assert_eq!(calls("chakra-bridge map --json <event.json\n"), [["map", "--json"]]);
    assert_eq!(calls("chakra-bridge map \\\n  --json event.json >out 2>log\n"), [["map", "--json", "event.json"]]);
}
