//! The pages of rules as cases: law books in Markdown, with the findings that they announce.
//!
//! - A `yaml` block is a case, as the file `policies/case.yaml`. A block `yaml file=policies/b.yaml` joins the case before it,
//!   unless that has such a file already.
//! - The file at the place of the directory is the directory of its case.
//! - A `toml` block is the `lawbook.toml` of the cases that follow it in its section; a case by itself when none follows.
//! - `# error: [rule, rule] "words"` announces findings on its line; alone on a line, on the next line that is no comment; with
//!   `# error +3: [rule]`, three lines below. The words, if given, are part of the message.
//! - In a block `yaml escaped`, `\xff` is a byte and `\u{202e}` a character. A block `yaml link` is a symbolic link, whatever it
//!   says, and `yaml oversize` is filled up to more than a file may hold.
//! - A block `toml unsigned` is the configuration of a law book whose last commit had to be signed and is not.
//! - Every other block is only read by people.

use std::fs;
use std::path::Path;

use lawbook::source::MAX_FILE_BYTES;
use lawbook::workspace::RawFile;
use lawbook::workspace::Refusal;
use regex::Captures;
use regex::Regex;

/// A fenced block.
#[derive(Debug, Clone)]
pub struct Block {
    /// The path of the file that it is.
    pub path: String,
    /// The line of the page before its first line.
    pub offset: usize,
    /// How it becomes bytes.
    flags: Vec<String>,
    text: String,
}

/// A law book.
#[derive(Debug, Clone)]
pub struct Case {
    /// The page, as a path from the root of the repository.
    pub page: String,
    /// The last heading before it.
    pub section: String,
    /// `lawbook.toml`.
    pub config: Option<Block>,
    /// The policy files.
    pub files: Vec<Block>,
}

/// An announced finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Announced {
    /// The path of the file.
    pub path: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The rule.
    pub rule: String,
    /// A part of the message; may be empty.
    pub words: String,
}

/// The pages of a directory by the name of their rule, in order.
pub fn pages(directory: &str) -> Vec<(String, String)> {
    names(directory, "md")
        .into_iter()
        .map(|name| {
            let path = format!("{directory}/{name}.md");
            let text = fs::read_to_string(root().join(&path)).expect("a page");
            (name, text)
        })
        .collect()
}

/// The names of the files with this extension, without it, in order.
pub fn names(directory: &str, extension: &str) -> Vec<String> {
    let files = fs::read_dir(root().join(directory)).expect("a directory").map(|entry| entry.expect("an entry").path());
    let of_kind = files.filter(|path| path.extension().is_some_and(|found| found == extension));
    let mut names: Vec<String> = of_kind.map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The headings of a page.
pub fn headings(text: &str) -> Vec<&str> {
    let mut fenced = false;
    let is_heading = |line: &&str| {
        fenced ^= line.starts_with("```");
        !fenced && line.starts_with('#')
    };
    text.lines().filter(is_heading).collect()
}

/// The cases of a page.
pub fn cases(page: &str, text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut section = String::new();
    let mut config: Option<Block> = None;
    let mut used = true;
    let mut joinable = false;
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        if line.starts_with('#') || line.starts_with("```toml") {
            cases.extend(config.take().filter(|_| !used).map(|config| case(page, &section, Some(config))));
            used = true;
            joinable = false;
        }
        if line.starts_with('#') {
            line.trim_start_matches('#').trim().clone_into(&mut section);
            continue;
        }
        let Some(info) = line.strip_prefix("```") else { continue };
        let body: Vec<&str> = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
        let mut words = info.split_whitespace().map(str::to_owned);
        let language = words.next().unwrap_or_default();
        let flags: Vec<String> = words.collect();
        let file = flags.iter().find_map(|flag| flag.strip_prefix("file="));
        let path = file.unwrap_or(if language == "toml" { "lawbook.toml" } else { "policies/case.yaml" }).to_owned();
        let text = body.iter().map(|line| format!("{line}\n")).collect();
        let named = file.is_some();
        let block = Block { path, offset: number + 1, flags, text };
        match (language.as_str(), cases.last_mut()) {
            ("toml", _) => (config, used) = (Some(block), false),
            ("yaml", Some(last)) if joinable && named && last.files.iter().all(|file| file.path != block.path) => last.files.push(block),
            ("yaml", _) => {
                let mut new = case(page, &section, config.clone());
                new.files.push(block);
                cases.push(new);
                (used, joinable) = (true, true);
            }
            _ => {}
        }
    }
    cases.extend(config.filter(|_| !used).map(|config| case(page, &section, Some(config))));
    cases
}

fn case(page: &str, section: &str, config: Option<Block>) -> Case {
    Case { page: page.to_owned(), section: section.to_owned(), config, files: Vec::new() }
}

impl Case {
    /// Whether its last commit had to be signed and is not.
    pub fn is_unsigned(&self) -> bool {
        self.config.as_ref().is_some_and(|config| config.flags.iter().any(|flag| flag == "unsigned"))
    }

    /// The blocks, the configuration first.
    pub fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.config.iter().chain(&self.files)
    }

    /// The findings that it announces, in order.
    pub fn announced(&self) -> Vec<Announced> {
        let mut announced: Vec<Announced> = self.blocks().flat_map(Block::announced).collect();
        announced.sort();
        announced
    }
}

impl Block {
    /// The file.
    pub fn raw(&self) -> RawFile {
        let flag = |name: &str| self.flags.iter().any(|flag| flag == name);
        let content = if flag("link") {
            let message = "the file is a symbolic link, and links are not followed".to_owned();
            Err(Refusal { message, help: "replace the link with the file".to_owned() })
        } else if flag("escaped") {
            Ok(unescape(&self.text))
        } else if flag("oversize") {
            Ok([self.text.as_bytes(), &vec![b'#'; MAX_FILE_BYTES]].concat())
        } else {
            Ok(self.text.clone().into_bytes())
        };
        RawFile { path: self.path.clone(), content }
    }

    fn announced(&self) -> Vec<Announced> {
        let pattern = Regex::new(r#"#\s*error(?:\s*\+(\d+))?:\s*\[([a-z, -]+)\](?:\s*"(.*)")?\s*$"#).expect("a pattern");
        let lines: Vec<&str> = self.text.lines().collect();
        let mut found = Vec::new();
        for (number, line) in (1..).zip(&lines) {
            let Some(captures) = pattern.captures(line) else { continue };
            let alone = line.trim_start().starts_with('#');
            let target = match captures.get(1) {
                Some(below) => number + below.as_str().parse::<usize>().expect("a number"),
                None if alone => {
                    (number + 1..).find(|&below| lines.get(below - 1).is_none_or(|line| !line.starts_with('#'))).expect("a line")
                }
                None => number,
            };
            let words = captures.get(3).map_or("", |words| words.as_str());
            found.extend(captures[2].split(',').map(|rule| Announced {
                path: self.path.clone(),
                line: target,
                rule: rule.trim().to_owned(),
                words: words.to_owned(),
            }));
        }
        found
    }
}

fn unescape(text: &str) -> Vec<u8> {
    let pattern = Regex::new(r"\\x([0-9a-f]{2})|\\u\{([0-9a-f]+)\}").expect("a pattern");
    let mut bytes = Vec::new();
    let mut done = 0;
    for captures in pattern.captures_iter(text) {
        let whole = captures.get(0).expect("the match");
        bytes.extend_from_slice(&text.as_bytes()[done..whole.start()]);
        bytes.extend(escape(&captures));
        done = whole.end();
    }
    bytes.extend_from_slice(&text.as_bytes()[done..]);
    bytes
}

fn escape(captures: &Captures<'_>) -> Vec<u8> {
    let number = |at: usize| captures.get(at).map(|digits| u32::from_str_radix(digits.as_str(), 16).expect("a number"));
    match (number(1), number(2)) {
        (Some(byte), _) => vec![u8::try_from(byte).expect("a byte")],
        (None, char) => char.and_then(char::from_u32).expect("a character").to_string().into_bytes(),
    }
}
