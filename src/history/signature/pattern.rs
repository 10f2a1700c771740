//! Lists of patterns, as OpenSSH has them (ssh_config(5), PATTERNS): `*`, `?`, and `!` before what must not match.

/// Patterns, separated by commas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Patterns {
    parts: Vec<String>,
}

impl Patterns {
    /// The most bytes of a list.
    const LONGEST: usize = 8 * 1024;

    /// Reads a list; `None` when it is empty or absurdly long.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let parts: Vec<String> = text.split(',').filter(|part| !part.is_empty()).map(str::to_owned).collect();
        (!parts.is_empty() && text.len() <= Self::LONGEST).then_some(Self { parts })
    }

    /// Whether a pattern matches, and none that begins with `!` does.
    pub(super) fn accept(&self, text: &str) -> bool {
        let mut accepted = false;
        for part in &self.parts {
            match part.strip_prefix('!') {
                Some(refused) if matches(refused, text) => return false,
                Some(_) => {}
                None => accepted |= matches(part, text),
            }
        }
        accepted
    }

    /// What the list is called: the first of the patterns that it accepts itself and that matches one of these texts, which
    /// are tried in their order; else the first one that it accepts at all.
    pub(super) fn name(&self, wanted: &[&str]) -> Option<&str> {
        let names = || self.parts.iter().map(String::as_str).filter(|part| !part.starts_with('!') && self.accept(part));
        let fitting = wanted.iter().filter(|text| self.accept(text)).find_map(|text| names().find(|part| matches(part, text)));
        fitting.or_else(|| names().next())
    }
}

/// Whether a pattern matches all of a text. Only the last `*` is ever tried again, so the time is bounded by the product of
/// both lengths.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut retry = None;
    loop {
        match (pattern.get(p), text.get(t)) {
            (None, None) => return true,
            (Some(b'*'), _) => {
                retry = Some((p + 1, t));
                p += 1;
                continue;
            }
            (Some(b'?'), Some(_)) => (p, t) = (p + 1, t + 1),
            (Some(one), Some(other)) if one == other => (p, t) = (p + 1, t + 1),
            _ => match retry {
                Some((after, from)) if from < text.len() => {
                    retry = Some((after, from + 1));
                    (p, t) = (after, from + 1);
                }
                _ => return false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(list: &str, text: &str, expected: bool) {
        assert_eq!(Patterns::parse(list).is_some_and(|list| list.accept(text)), expected, "{list} {text}");
    }

    #[test]
    fn a_list_matches_as_openssh_has_it() {
        check("ann@example.com", "ann@example.com", true);
        check("ann@example.com", "Ann@example.com", false);
        check("ann@example.com", "ann@example.co", false);
        check("*@example.com", "ann@example.com", true);
        check("*@example.com", "ann@example.com.evil.org", false);
        check("a*n*@ex*.com", "annann@example.com.com", true);
        check("?nn", "ann", true);
        check("?nn", "nn", false);
        check("*", "", true);
        check("bob,ann", "ann", true);
        check("*@example.com,!bob@*", "bob@example.com", false);
        check("!bob@*,*@example.com", "bob@example.com", false);
        check("!bob", "ann", false);
        check("", "", false);
        check(&"*a".repeat(2000), &"a".repeat(4000), true);
        check(&("*a".repeat(2000) + "b"), &"a".repeat(4000), false);
    }

    #[track_caller]
    fn named(list: &str, wanted: &[&str], expected: Option<&str>) {
        assert_eq!(Patterns::parse(list).and_then(|list| list.name(wanted).map(str::to_owned)).as_deref(), expected, "{list}");
    }

    #[test]
    fn a_list_is_called_by_whoever_it_is_about() {
        named("ann@x,bob@x", &["bob@x"], Some("bob@x"));
        named("ann@x,bob@x", &["eve@x", "bob@x"], Some("bob@x"));
        named("ann@x,bob@x", &["eve@x"], Some("ann@x"));
        named("ann@y,*@x", &["eve@x"], Some("*@x"));
        named("!eve@x,*@x", &["eve@x"], Some("*@x"));
        named("!ann@x,ann@x,bob@x", &[], Some("bob@x"));
        named("!ann@x", &[], None);
    }
}
