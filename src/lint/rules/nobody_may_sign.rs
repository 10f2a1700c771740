//! Signatures are required, and nobody is named who may sign.

use crate::finding::Level;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;
use crate::source::SourceFile;
use crate::source::Span;

pub(super) static RULE: Rule = Rule {
    name: "nobody-may-sign",
    summary: "signatures are required, and the file of allowed signers is absent or names nobody",
    // Where everybody signs with OpenPGP keys, there need not be such a file.
    default: Level::Warn,
    blocking: false,
    check: Check::Book(check),
    page: include_str!("../../../docs/rules/nobody-may-sign.md"),
};

const HELP: &str = "add the keys of those who may sign in the commit that requires signatures, or before: one line each, such as `ann@example.com \
                    ssh-ed25519 AAAA…`";

fn check(book: &Book, sink: &mut Sink) {
    let history = &book.config.history;
    let Some(source) = book.config_source.filter(|_| history.require_signed.value) else { return };
    let path = &history.allowed_signers.value;
    let text = book.signers_source.map(|id| book.sources.get(id).map_or("", SourceFile::text));
    let message = match text {
        None => format!("signatures are required, and there is no file `{path}`: no SSH key may sign the next commit"),
        Some(text) if text.lines().map(str::trim).all(|line| line.is_empty() || line.starts_with('#')) => {
            format!("signatures are required, and `{path}` names nobody: no SSH key may sign the next commit")
        }
        Some(_) => return,
    };
    sink.report(Draft::new(Span::new(source, history.require_signed.range.clone()), message).help(HELP));
}
