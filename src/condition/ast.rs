//! The tree of a condition, as written: atoms joined by `and`, `or` and `not`, without places and without evaluation.
//!
//! What can be wrong inside an atom (a pattern, a network, a number) is ruled out by the types of its parts. See the
//! module's header for the normal form of the rest.

use super::LikePattern;
use super::Network;
use super::Number;
use super::RegexPattern;
use super::Term;

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Expr {
    /// All operands hold. Without operands it is true, and cannot be printed.
    And(Vec<Expr>),
    /// Some operand holds. Without operands it is false, and cannot be printed.
    Or(Vec<Expr>),
    /// The operand does not hold.
    Not(Box<Expr>),
    /// One test.
    Atom(Atom),
}

/// A test of one term, or of two.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Atom {
    /// `x`: present, not null, and not false.
    Bare(Term),
    /// `exists x`: present and not null.
    Exists(Term),
    /// `x = 5`, `x < y`.
    Compare {
        /// The left side.
        term: Term,
        /// The relation.
        op: CompareOp,
        /// The right side.
        operand: Operand,
    },
    /// `x in ('a', 'b')`.
    In {
        /// What is looked for.
        term: Term,
        /// The values, as written: in order, and with repetitions.
        values: Vec<Literal>,
        /// Whether it is `not in`.
        negated: bool,
    },
    /// `x in cidr ('10.0.0.0/8')`.
    InCidr {
        /// The address.
        term: Term,
        /// The networks, as written.
        networks: Vec<Network>,
        /// Whether it is `not in`.
        negated: bool,
    },
    /// `x like 'a%'`.
    Like {
        /// The text.
        term: Term,
        /// The pattern.
        pattern: LikePattern,
        /// Whether it is `not like`.
        negated: bool,
    },
    /// `x matches '^a+$'`.
    Matches {
        /// The text.
        term: Term,
        /// The regular expression.
        pattern: RegexPattern,
        /// Whether it is `not matches`.
        negated: bool,
    },
}

/// A relation of two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CompareOp {
    /// `=`
    Eq,
    /// `!=`, the exact complement of `=`.
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
}

/// The right side of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operand {
    /// A constant.
    Literal(Literal),
    /// Another term.
    Term(Term),
}

/// A constant.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Literal {
    /// `null`, which is the same as absent.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    String(String),
}

impl Expr {
    /// The conjunction of conditions in normal form, itself in normal form. One operand is returned as it is; none gives `And([])`, which is true.
    pub fn all(operands: Vec<Self>) -> Self {
        let mut flat = Vec::with_capacity(operands.len());
        for operand in operands {
            match operand {
                Self::And(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        only(flat).unwrap_or_else(Self::And)
    }

    /// The disjunction of conditions in normal form, itself in normal form. One operand is returned as it is; none gives `Or([])`, which is false.
    pub fn any(operands: Vec<Self>) -> Self {
        let mut flat = Vec::with_capacity(operands.len());
        for operand in operands {
            match operand {
                Self::Or(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        only(flat).unwrap_or_else(Self::Or)
    }

    /// Calls `visit` with every atom, from left to right.
    pub fn each_atom<'a>(&'a self, visit: &mut impl FnMut(&'a Atom)) {
        match self {
            Self::And(operands) | Self::Or(operands) => operands.iter().for_each(|operand| operand.each_atom(visit)),
            Self::Not(operand) => operand.each_atom(visit),
            Self::Atom(atom) => visit(atom),
        }
    }
}

impl From<Atom> for Expr {
    fn from(atom: Atom) -> Self {
        Self::Atom(atom)
    }
}

impl Atom {
    /// The term on the left.
    pub fn term(&self) -> &Term {
        match self {
            Self::Bare(term) | Self::Exists(term) => term,
            Self::Compare { term, .. } | Self::In { term, .. } | Self::InCidr { term, .. } => term,
            Self::Like { term, .. } | Self::Matches { term, .. } => term,
        }
    }

    /// The term on the right, when two terms are compared.
    pub fn other_term(&self) -> Option<&Term> {
        match self {
            Self::Compare { operand: Operand::Term(term), .. } => Some(term),
            _ => None,
        }
    }
}

/// The single element of a list, or the list.
fn only(mut list: Vec<Expr>) -> Result<Expr, Vec<Expr>> {
    match list.pop() {
        Some(last) if list.is_empty() => Ok(last),
        Some(last) => {
            list.push(last);
            Err(list)
        }
        None => Err(list),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::parse;

    #[track_caller]
    fn expr(text: &str) -> Expr {
        parse(text).unwrap().expr
    }

    #[test]
    fn operands_of_the_same_kind_are_merged() {
        assert_eq!(Expr::all(vec![expr("a and b"), expr("c")]), expr("a and b and c"));
        assert_eq!(Expr::any(vec![expr("a"), expr("b or c")]), expr("a or b or c"));
        assert_eq!(Expr::all(vec![expr("a or b"), expr("c")]), expr("(a or b) and c"));
        assert_eq!(Expr::any(vec![expr("a")]), expr("a"));
        assert_eq!(Expr::all(vec![]), Expr::And(vec![]));
    }

    #[test]
    fn atoms_are_visited_from_left_to_right_with_their_terms() {
        let expr = expr("a = b and not (exists {me.c} or d in (1))");
        let mut seen = Vec::new();
        expr.each_atom(&mut |atom| {
            seen.push(atom.term().to_string());
            seen.extend(atom.other_term().map(ToString::to_string));
        });
        assert_eq!(seen, ["a", "b", "{me.c}", "d"]);
    }
}
