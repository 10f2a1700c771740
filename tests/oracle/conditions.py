#!/usr/bin/env python3
"""Random conditions and questions about them, with a direct evaluator: what the solver and z3 are both held against.

    conditions.py N [--seed S]        prints N queries as JSON lines, in the form that z3_compare.py sends to the solver

A condition is a tuple. Its text is `text(condition)`, its truth `holds(condition, facts)`, its z3 formula is in z3_formula.py:
    ("and"|"or", x, y, …)   ("not", x)   ("cmp", op, term, constant)   ("null", "="|"!=", term)   ("in"|"not in", term, (constant, …))
    ("like"|"not like", term, pattern)   ("exists", term)   ("bare", term)   ("terms", op, term, term)
A term is its text: `a`, `b`, `c`, `c.d` and `s` of the document, `{me}`, `{me.d}`, `{context.e}`. A constant is a bool, a float that
is a small multiple of 1/4, so that reals and doubles agree on every question asked here, or a string.

A query is a list of goals: condition, effect ("allow" or "deny"), and whether the statement has to apply. It is satisfiable if one
request meets all of them. A grant applies if its condition holds and no term of it is of kind *other*; a denial if it holds or some
term is. Facts are {"document": {…}, "me": "…", "caller": {…}, "context": {…}}.

The generator is deterministic for a seed. Queries are drawn over few terms and constants, and denials are derived from grants, so that
about half cannot be satisfied.
"""
import argparse
import json
import math
import operator
import random
import re

TERMS = ["a", "b", "c", "c.d", "s", "{me}", "{me.d}", "{context.e}"]
WEIGHTS = [5, 4, 3, 1, 5, 3, 2, 2]
NUMBERS = [-2.0, -0.5, 0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 10.0]
ALPHABETS = ["ab", "ab", "ab", "ab", "abA", "ab@A", "ab%_", "ab\\%", "ab'é"]
ORDER = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
RELATION = ORDER | {"=": operator.eq, "!=": operator.eq}
OPPOSITE = {"=": "!=", "!=": "=", "in": "not in", "not in": "in", "like": "not like", "not like": "like"}


# The text.

def constant(value):
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(value)
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def text(e, top=True):
    match e:
        case ("and" | "or" as op, *operands):
            joined = f" {op} ".join(text(x, False) for x in operands)
            return joined if top else f"({joined})"
        case ("not", operand):
            return f"not ({text(operand)})"
        case ("cmp", op, term, value):
            return f"{term} {op} {constant(value)}"
        case ("null", op, term):
            return f"{term} {op} null"
        case ("in" | "not in" as op, term, values):
            return f"{term} {op} ({', '.join(map(constant, values))})"
        case ("like" | "not like" as op, term, pattern):
            return f"{term} {op} {constant(pattern)}"
        case ("exists", term):
            return f"exists {term}"
        case ("bare", term):
            return term
        case ("terms", op, left, right):
            return f"{left} {op} {right}"
    raise ValueError(e)


def terms(e):
    """The terms a condition reads."""
    match e:
        case ("and" | "or" | "not", *operands):
            return set().union(*map(terms, operands))
        case ("terms", _, left, right):
            return {left, right}
        case ("cmp" | "null", _, term, *_):
            return {term}
        case (_, term, *_):
            return {term}
    raise ValueError(e)


# The truth.

def lookup(term, facts):
    """The kind and the value of a term."""
    if term == "{me}":
        return "string", facts["me"]
    root, path = facts["document"], term
    if term.startswith("{"):
        name, path = term.strip("{}").split(".", 1)
        root = facts["caller" if name == "me" else name]
    *way, last = path.split(".")
    for name in way:
        root = root.get(name)
        if root is None:
            return "absent", None
        if not isinstance(root, dict):
            return "other", None
    value = root.get(last)
    if value is None:
        return "absent", None
    if isinstance(value, bool):
        return "bool", value
    if isinstance(value, str):
        return "string", value
    if isinstance(value, (list, dict)) or not math.isfinite(value):
        return "other", None
    return "number", float(value) if isinstance(value, int) else value


def kind_of(value):
    return "bool" if isinstance(value, bool) else "string" if isinstance(value, str) else "number"


def pieces(pattern):
    """A `like` pattern as a list of characters, with None for `_` and "" for `%`."""
    out, chars = [], iter(pattern)
    for char in chars:
        out.append("" if char == "%" else None if char == "_" else next(chars) if char == "\\" else char)
    return out


def like(value, pattern):
    expression = "".join(".*" if p == "" else "." if p is None else re.escape(p) for p in pieces(pattern))
    return re.fullmatch(expression, value, re.DOTALL) is not None


def holds(e, facts):
    match e:
        case ("and", *operands):
            return all(holds(x, facts) for x in operands)
        case ("or", *operands):
            return any(holds(x, facts) for x in operands)
        case ("not", operand):
            return not holds(operand, facts)
        case ("cmp", op, term, value):
            kind, found = lookup(term, facts)
            return (kind == kind_of(value) and RELATION[op](found, value)) != (op == "!=")
        case ("null", op, term):
            return (lookup(term, facts)[0] == "absent") != (op == "!=")
        case ("in" | "not in" as op, term, values):
            kind, found = lookup(term, facts)
            return any(kind == kind_of(v) and found == v for v in values) != (op == "not in")
        case ("like" | "not like" as op, term, pattern):
            kind, found = lookup(term, facts)
            return (kind == "string" and like(found, pattern)) != (op == "not like")
        case ("exists", term):
            return lookup(term, facts)[0] != "absent"
        case ("bare", term):
            return lookup(term, facts) not in (("absent", None), ("bool", False))
        case ("terms", op, left, right):
            (kind, x), (other, y) = lookup(left, facts), lookup(right, facts)
            fits = kind == other and kind in ("bool", "number", "string") and not (kind == "bool" and op in ORDER)
            return (fits and RELATION[op](x, y)) != (op == "!=")
    raise ValueError(e)


def applies(goal, facts):
    if any(lookup(term, facts)[0] == "other" for term in terms(goal["condition"])):
        return goal["effect"] == "deny"
    return holds(goal["condition"], facts)


def fits(facts):
    """Whether the caller's id is one that a request can have: not empty, and in lower case if it is an address."""
    me = facts["me"]
    return bool(me) and not ("@" in me and re.search("[A-Z]", me))


def satisfied(query, facts):
    return fits(facts) and all(applies(goal, facts) == goal["applies"] for goal in query)


# The generator.

class Vocabulary:
    """The few terms and constants of one query, so that its atoms meet."""

    def __init__(self, r):
        self.r = r
        count = r.choice([1, 1, 2, 2, 2, 3])
        self.terms = list(dict.fromkeys(r.choices(TERMS, WEIGHTS, k=count)))
        if "c.d" in self.terms and "c" not in self.terms and r.random() < 0.6:
            self.terms.append("c")
        self.kinds = {term: "string" if term in ("s", "{me}") or r.random() < 0.5 else "number" for term in self.terms}
        self.numbers = sorted(r.sample(NUMBERS, r.choice([1, 2, 2, 3])))
        self.letters = "ab@A" if "{me}" in self.terms and r.random() < 0.4 else r.choice(ALPHABETS)
        self.words = sorted({self.word() for _ in range(r.choice([2, 3, 4]))})

    def word(self):
        return "".join(self.r.choice(self.letters) for _ in range(self.r.choice([0, 1, 1, 2, 2, 3])))

    def value(self, term):
        kind = self.kinds[term] if self.r.random() < 0.8 else self.r.choice(["bool", "number", "string"])
        return self.r.choice({"bool": [True, False], "number": self.numbers, "string": self.words}[kind])

    def pattern(self):
        r = self.r
        core = "".join("\\" + char if char in "%_\\" else char for char in r.choice(self.words) or "a")
        return r.choice([core + "%", core + "%", "%" + core, "%" + core + "%", core + "_", "_" + core, "_%", "__", "%a_%", core + "%b", "a%" + core])

    def atom(self):
        r, term = self.r, self.r.choice(self.terms)
        linked = [other for other in self.terms if other != "{me}"]
        if linked and "{me}" in self.terms and r.random() < 0.2:
            pair = [r.choice(linked), "{me}"]
            return ("terms", r.choice(["=", "=", "!="]), *(pair if r.random() < 0.7 else pair[::-1]))
        k = r.random()
        if k < 0.30:
            return ("cmp", r.choice(["=", "=", "!="]), term, self.value(term))
        if k < 0.45:
            return (r.choice(["in", "in", "not in"]), term, tuple(dict.fromkeys(self.value(term) for _ in range(r.choice([1, 2, 3, 4])))))
        if k < 0.68:
            constants = self.numbers if (self.kinds[term] == "number") == (r.random() < 0.85) else self.words
            return ("cmp", r.choice(list(ORDER)), term, r.choice(constants))
        if k < 0.82:
            return (r.choice(["like", "like", "not like"]), term, self.pattern())
        return r.choice([("exists", term), ("bare", term), ("null", "=", term), ("null", "!=", term)])

    def condition(self, depth=0):
        r = self.r
        if depth >= 2 or r.random() < (0.15 if depth == 0 else 0.6):
            e = self.atom()
        else:
            e = (r.choice(["and", "or"]), *(self.condition(depth + 1) for _ in range(r.choice([2, 2, 3]))))
        return ("not", e) if r.random() < 0.12 else e

    def crowded(self):
        """A conjunction that is likely to contradict itself."""
        return ("and", *(self.condition(depth=1) for _ in range(self.r.choice([3, 4, 5]))))

    def partition(self, count):
        """Conditions of which exactly one holds on each document; with luck and one constant changed, no longer."""
        parts, rest = [], []
        for _ in range(count - 1):
            e = self.atom()
            parts.append(("and", *rest, e) if rest else e)
            rest.append(("not", e))
        parts.append(("and", *rest) if len(rest) > 1 else rest[0])
        return parts if self.r.random() < 0.7 else [changed(self, part) if self.r.random() < 0.4 else part for part in parts]


def rewritten(r, e):
    """A condition in other words, which holds on the same documents and reads the same terms."""
    if r.random() < 0.08:
        return ("not", ("not", e))
    match e:
        case ("and" | "or" as op, *operands):
            operands = [rewritten(r, x) for x in operands]
            r.shuffle(operands)
            if r.random() < 0.4:
                return ("not", ("or" if op == "and" else "and", *(("not", x) for x in operands)))
            return (op, *operands)
        case ("not", operand):
            return ("not", rewritten(r, operand))
        case ("cmp", "=" | "!=" as op, term, value):
            return r.choice([("not", ("cmp", OPPOSITE[op], term, value)), ("in" if op == "=" else "not in", term, (value,))])
        case ("cmp", "<=" | ">=" as op, term, value):
            return ("or", ("cmp", op[0], term, value), ("cmp", "=", term, value))
        case ("in", term, values) if len(values) > 1:
            return ("or", *(("cmp", "=", term, value) for value in values))
        case ("not in", term, values) if len(values) > 1:
            return ("and", *(("cmp", "!=", term, value) for value in values))
        case ("like", term, "a%"):
            return ("and", ("cmp", ">=", term, "a"), ("cmp", "<", term, "b"))
        case ("in" | "not in" | "like" | "not like" as op, term, value):
            return ("not", (OPPOSITE[op], term, value))
        case ("null", op, term):
            return ("not", ("exists", term)) if op == "=" else ("exists", term)
        case ("exists", term):
            return ("null", "!=", term)
        case ("bare", term):
            return ("and", ("exists", term), ("not", ("cmp", "=", term, False)))
    return e


def changed(v, e):
    """A condition with one part changed, dropped or added."""
    r = v.r
    match e:
        case ("and" | "or" as op, *operands):
            at, k = r.randrange(len(operands)), r.random()
            if k < 0.35 and len(operands) > 2:
                return (op, *operands[:at], *operands[at + 1:])
            if k < 0.5:
                return (op, *operands, v.atom())
            return (op, *operands[:at], changed(v, operands[at]), *operands[at + 1:])
        case ("not", operand):
            return ("not", changed(v, operand))
    return r.choice([v.atom(), ("or", e, v.atom()), ("and", e, v.atom())])


def derived(v, e):
    """Something close to a condition: the same, the same in other words, wider, narrower, or a little different."""
    k = v.r.random()
    if k < 0.05:
        return e
    if k < 0.20:
        return rewritten(v.r, e)
    if k < 0.30:
        return ("or", rewritten(v.r, e), v.atom())
    if k < 0.60:
        return ("and", rewritten(v.r, e), v.atom())
    return rewritten(v.r, changed(v, e))


def goal(condition, effect, wanted):
    return {"condition": condition, "effect": effect, "applies": wanted}


def query(r):
    v = Vocabulary(r)
    shape = r.random()
    if shape < 0.22:
        effect, wanted = r.choice([("allow", True), ("allow", True), ("deny", True), ("deny", False), ("allow", False)])
        e = v.crowded() if r.random() < 0.75 else v.condition()
        return [goal(e if wanted else ("not", e), effect, wanted)]
    grant = v.condition()
    if shape < 0.36:
        return [goal(grant, "allow", True), goal(derived(v, grant), "deny", False)]
    if shape < 0.50:
        last = [goal(v.atom(), "allow", True)] if r.random() < 0.4 else []
        return [goal(grant, "allow", True), goal(v.condition(), "deny", True), *last]
    if shape < 0.66:
        parts = v.partition(r.choice([2, 3, 4]))
        missing = r.randrange(len(parts)) if r.random() < 0.8 else None
        return [goal(grant, "allow", True)] + [goal(part, "deny", False) for at, part in enumerate(parts) if at != missing]
    if shape < 0.78:
        denials = [("and", v.atom(), v.atom()) if r.random() < 0.8 else derived(v, grant) for _ in range(r.choice([2, 3, 4]))]
        return [goal(grant, "allow", True)] + [goal(denial, "deny", False) for denial in denials]
    if shape < 0.90:
        return [goal(grant, "allow", True), goal(derived(v, grant), "allow", False), goal(("and", v.atom(), v.atom(), v.atom()), "deny", False)]
    denial = derived(v, grant) if r.random() < 0.4 else v.condition()
    return [goal(denial, "deny", True), goal(grant, "allow", True), goal(derived(v, denial), "deny", False)]


def queries(count, seed):
    """The first `count` queries of a seed. Each has its own stream, so that number 17 is the same however many are drawn."""
    return [query(random.Random(f"{seed}/{at}")) for at in range(count)]


def as_json(query):
    return json.dumps({"goals": [g | {"condition": text(g["condition"])} for g in query]}, ensure_ascii=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("n", type=int)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    for query in queries(arguments.n, arguments.seed):
        print(as_json(query))


if __name__ == "__main__":
    main()
