//! Which files of a law book are policies: the globs of the configuration, compiled.
//!
//! The worktree, the index and commits are walked by different code; that they agree on what a policy file is comes from
//! asking this one type. It also knows the folders outside of which nothing can match, so that a walk can leave the
//! rest of a large repository alone.

use std::path::Path;

use globset::GlobBuilder;
use globset::GlobSet;
use globset::GlobSetBuilder;

use super::Config;

/// The globs of `files` and `exclude`. Paths are relative to the root of the law book, with `/` between their parts.
#[derive(Debug, Clone)]
pub struct Selection {
    files: GlobSet,
    exclude: GlobSet,
    bases: Vec<String>,
}

impl Selection {
    /// The selection of a configuration. A glob that is broken selects nothing; [`Config::parse`] has refused it already.
    pub fn new(config: &Config) -> Self {
        let mut bases: Vec<String> = config.files.iter().map(|glob| base(plain(glob))).collect();
        bases.sort();
        bases.dedup();
        Self { files: compile(&config.files), exclude: compile(&config.exclude), bases }
    }

    /// Whether a file at this path is a policy file.
    pub fn selects(&self, path: &str) -> bool {
        self.files.is_match(Path::new(path)) && !self.exclude.is_match(Path::new(path))
    }

    /// Whether a policy file may lie in this folder or below it.
    pub fn may_hold(&self, folder: &str) -> bool {
        self.bases.iter().any(|base| base.is_empty() || encloses(base, folder) || encloses(folder, base))
    }

    /// Whether all policy files of a glob lie in this folder or below it, so that nothing else can be meant by its name.
    pub fn is_base(&self, folder: &str) -> bool {
        self.bases.iter().any(|base| encloses(folder, base))
    }

    /// Whether something of this name would hold policy files if it were a folder: one may lie there, and not everything in it is left out.
    pub fn may_lie_below(&self, name: &str) -> bool {
        self.may_hold(name) && !self.excludes_folder(name)
    }

    /// Whether everything directly in this folder is left out, as far as names do not matter.
    pub fn excludes_folder(&self, folder: &str) -> bool {
        self.exclude.is_match(Path::new(folder)) || self.exclude.is_match(Path::new(folder).join("x"))
    }
}

fn encloses(outer: &str, inner: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn plain(glob: &str) -> &str {
    glob.strip_prefix("./").unwrap_or(glob)
}

fn compile(globs: &[String]) -> GlobSet {
    let mut set = GlobSetBuilder::new();
    let compiled = globs.iter().filter_map(|glob| GlobBuilder::new(plain(glob)).literal_separator(true).build().ok());
    for glob in compiled {
        set.add(glob);
    }
    set.build().unwrap_or_else(|_| GlobSet::empty())
}

/// The folders that a glob names before its first part that is a pattern; the last part is the name of a file.
fn base(glob: &str) -> String {
    let literal = |part: &&str| !part.contains(['*', '?', '[', ']', '{', '}', '\\']);
    let parts: Vec<&str> = glob.split('/').collect();
    let folders = parts.split_last().map_or(&[][..], |(_, folders)| folders);
    // A brace may span a `/`, so what follows an opened one is no folder either; the first pattern ends the base.
    folders.iter().copied().take_while(literal).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(files: &[&str], exclude: &[&str]) -> Selection {
        let owned = |globs: &[&str]| globs.iter().map(|&glob| glob.to_owned()).collect();
        Selection::new(&Config { files: owned(files), exclude: owned(exclude), ..Config::default() })
    }

    #[test]
    fn a_star_stays_in_its_folder_and_two_stars_do_not() {
        #[track_caller]
        fn check(glob: &str, path: &str, expected: bool) {
            assert_eq!(selection(&[glob], &[]).selects(path), expected, "{glob} on {path}");
        }
        check("policies/*.yaml", "policies/a.yaml", true);
        check("policies/*.yaml", "policies/b/a.yaml", false);
        check("policies/**/*.{yaml,yml,json}", "policies/a.yml", true);
        check("policies/**/*.{yaml,yml,json}", "policies/b/c/a.json", true);
        check("policies/**/*.{yaml,yml,json}", "policies/a.txt", false);
        check("policies/**/*.{yaml,yml,json}", "x/policies/a.yaml", false);
        check("./a.yaml", "a.yaml", true);
        check("**/*.yaml", ".hidden/.a.yaml", true);
    }

    #[test]
    fn what_is_excluded_is_not_selected() {
        let selection = selection(&["laws/**/*.yaml"], &["laws/old/**"]);
        assert!(selection.selects("laws/a.yaml"));
        assert!(!selection.selects("laws/old/a.yaml"));
        assert!(selection.excludes_folder("laws/old"));
        assert!(!selection.excludes_folder("laws/new"));
    }

    #[test]
    fn folders_that_cannot_hold_a_policy_are_known() {
        #[track_caller]
        fn check(glob: &str, folder: &str, may_hold: bool, is_base: bool) {
            let selection = selection(&[glob], &[]);
            assert_eq!((selection.may_hold(folder), selection.is_base(folder)), (may_hold, is_base), "{glob} on {folder}");
        }
        check("a/b/**/*.yaml", "a", true, true);
        check("a/b/**/*.yaml", "a/b", true, true);
        check("a/b/**/*.yaml", "a/b/c", true, false);
        check("a/b/**/*.yaml", "a/bc", false, false);
        check("a/{b,c/d}/x.yaml", "a/c", true, false);
        check("**/*.yaml", "z", true, false);
        check("x.yaml", "z", true, false);
    }
}
