#!/usr/bin/env python3
"""The z3 formula of a query, with exactly the semantics of the language, and the request that a z3 model stands for.

    z3_formula.py [--queries N] [--seed S] [--requests R]

checks the encoding against the direct evaluator of conditions.py: on R requests per query the formula of each statement has to be true
where the statement applies, no request of 20 R may satisfy a query that z3 calls unsatisfiable, and the
request of every z3 model has to satisfy its query.

Every term has a kind, out of absent, bool, number, string and other, and a variable per kind that has values; only the one of its kind
counts. `{me}` is a string that is not empty, and in lower case if it has an `@`. Where both `c` and `c.d` are read, what `c` is
decides what `c.d` can be. Numbers are reals: the constants are chosen so that doubles give the same answers.
"""
import argparse
import itertools
import json
import random
import re
import sys
from fractions import Fraction

import z3

import conditions

KIND, (ABSENT, BOOL, NUMBER, STRING, OTHER) = z3.EnumSort("kind", ["absent", "bool", "number", "string", "other"])
KINDS = {"bool": BOOL, "number": NUMBER, "string": STRING}
VARIABLES = {"bool": z3.Bool, "number": z3.Real, "string": z3.String}
ANY_CHARACTER = z3.AllChar(z3.ReSort(z3.StringSort()))
ANY_RUN = z3.Full(z3.ReSort(z3.StringSort()))
COMPARE = conditions.ORDER | {"=": lambda x, y: x == y, "!=": lambda x, y: x == y}


def kind(term):
    return STRING if term == "{me}" else z3.Const(f"kind {term}", KIND)


def variable(term, name):
    return VARIABLES[name](f"{name} {term}")


def value(constant):
    match constant:
        case bool():
            return z3.BoolVal(constant)
        case str():
            return z3.StringVal(constant)
    return z3.RealVal(Fraction(constant))


def is_and(term, name, relation):
    """The term has this kind, and the relation holds of its value."""
    return z3.And(kind(term) == KINDS[name], relation(variable(term, name)))


def pattern(text):
    """A `like` pattern as a regular expression."""
    parts = []
    for is_text, group in itertools.groupby(conditions.pieces(text), key=bool):
        parts += [z3.Re("".join(group))] if is_text else [ANY_RUN if piece == "" else ANY_CHARACTER for piece in group]
    return z3.Concat(*parts) if len(parts) > 1 else parts[0] if parts else z3.Re("")


def formula(e):
    """The formula of a condition."""
    match e:
        case ("and", *operands):
            return z3.And([formula(x) for x in operands])
        case ("or", *operands):
            return z3.Or([formula(x) for x in operands])
        case ("not", operand):
            return z3.Not(formula(operand))
        case ("cmp", "!=", term, constant):
            return z3.Not(formula(("cmp", "=", term, constant)))
        case ("cmp", op, term, constant):
            return is_and(term, conditions.kind_of(constant), lambda x: COMPARE[op](x, value(constant)))
        case ("null", op, term):
            return kind(term) == ABSENT if op == "=" else kind(term) != ABSENT
        case ("in", term, constants):
            return z3.Or([formula(("cmp", "=", term, constant)) for constant in constants])
        case ("like", term, text):
            return is_and(term, "string", lambda x: z3.InRe(x, pattern(text)))
        case ("not in" | "not like" as op, term, operand):
            return z3.Not(formula((conditions.OPPOSITE[op], term, operand)))
        case ("exists", term):
            return kind(term) != ABSENT
        case ("bare", term):
            return z3.And(kind(term) != ABSENT, z3.Not(formula(("cmp", "=", term, False))))
        case ("terms", "!=", left, right):
            return z3.Not(formula(("terms", "=", left, right)))
        case ("terms", op, left, right):
            names = [name for name in KINDS if op == "=" or name != "bool"]
            return z3.Or([is_and(left, n, lambda x: is_and(right, n, lambda y: COMPARE[op](x, y))) for n in names])
    raise ValueError(e)


def statement(goal):
    """The formula of a statement: where it applies."""
    condition = formula(goal["condition"])
    others = [kind(term) == OTHER for term in conditions.terms(goal["condition"]) - {"{me}"}]
    if goal["effect"] == "allow":
        return z3.And(condition, *map(z3.Not, others))
    return z3.Or(condition, *others)


def terms(query):
    return set().union(*(conditions.terms(goal["condition"]) for goal in query))


def world(read):
    """What is so in every request."""
    facts = []
    if "{me}" in read:
        me = variable("{me}", "string")
        lower = z3.Star(z3.Union(z3.Range("\0", "@"), z3.Range("[", chr(0x2FFFF))))
        facts += [me != "", z3.Or(z3.Not(z3.Contains(me, "@")), z3.InRe(me, lower))]
    if {"c", "c.d"} <= read:
        outer, inner = kind("c"), kind("c.d")
        facts += [z3.Implies(outer == ABSENT, inner == ABSENT), z3.Or(outer == ABSENT, outer == OTHER, inner == OTHER)]
    return facts


def assertions(query):
    """The assertions that are satisfiable together if and only if the query is."""
    each = (statement(goal) if goal["applies"] else z3.Not(statement(goal)) for goal in query)
    return [*world(terms(query)), *each]


# From a model to a request, and from a request to a model.

def unescaped(text):
    return re.sub(r"\\u\{([0-9a-fA-F]+)\}", lambda found: chr(int(found.group(1), 16)), text)


def plain(model, term, name):
    found = model.eval(variable(term, name), model_completion=True)
    if name == "bool":
        return z3.is_true(found)
    return found.as_fraction() if name == "number" else unescaped(found.as_string())


def request(kinds, values):
    """The facts in which every term has its kind, and the value in `values` if its kind has one."""
    facts = {"document": {}, "me": "a", "caller": {}, "context": {}}
    for term in sorted(kinds):
        name, found = kinds[term], values.get(term)
        if term == "{me}":
            facts["me"] = found
        elif name == "absent":
            continue
        elif term == "c.d":
            inner = {} if name == "other" else found
            # A list along the way makes `c.d` other; an object is what `c` has to be for anything else.
            if kinds.get("c", "other") == "other":
                facts["document"]["c"] = {"d": inner}
        else:
            root, key = ("document", term) if "{" not in term else ("caller", "d") if term == "{me.d}" else ("context", "e")
            facts[root][key] = {} if name == "other" else found
    return facts


def request_of(model, query):
    read = terms(query)
    names = {term: "string" if term == "{me}" else str(model.eval(kind(term), model_completion=True)) for term in read}
    return request(names, {term: plain(model, term, name) for term, name in names.items() if name in KINDS})


def constants(e):
    match e:
        case ("and" | "or" | "not", *operands):
            return {c for x in operands for c in constants(x)}
        case ("cmp", _, _, c):
            return {(conditions.kind_of(c), c)}
        case ("in" | "not in", _, listed):
            return {(conditions.kind_of(c), c) for c in listed}
        case ("like" | "not like", _, text):
            return {("string", "".join("b" if piece is None else piece for piece in conditions.pieces(text)))}
    return set()


def some_requests(query, r, count):
    """Requests around the constants of a query: each term absent, other, a boolean, or a value near a constant."""
    near = set().union(*(constants(goal["condition"]) for goal in query))
    numbers = sorted({c + step for name, c in near if name == "number" for step in (-0.125, 0.0, 0.125)} | {0.0})
    strings = sorted({w for name, c in near if name == "string" for w in (c, c + "a", "b" + c, c[:-1])} | {"", "a", "ab", "a@b", "A@b"})
    cells = [("absent", None), ("other", None), ("bool", True), ("bool", False)]
    cells += [("number", n) for n in numbers] + [("string", s) for s in strings]
    read = sorted(terms(query))
    options = {term: [("string", s) for s in strings if s] if term == "{me}" else cells for term in read}
    for _ in range(count):
        drawn = {term: r.choice(options[term]) for term in read}
        if "c.d" in drawn and "c" in drawn:
            outer = drawn["c"][0]
            forced = ("absent", None) if outer == "absent" else drawn["c.d"] if outer == "other" else ("other", None)
            drawn["c.d"] = forced
        yield {t: k for t, (k, _) in drawn.items()}, {t: v for t, (k, v) in drawn.items() if k in KINDS}


def truth(assertion, kinds, values):
    """The truth of a formula where every variable has a value. A value of a kind that does not count is arbitrary."""
    sample = {"bool": True, "number": 0.5, "string": "ab"}
    pairs = [(kind(term), globals()[name.upper()]) for term, name in kinds.items() if term != "{me}"]
    for term, own in kinds.items():
        pairs += [(variable(term, name), value(values[term] if own == name else sample[name])) for name in KINDS]
    simple = z3.simplify(z3.substitute(assertion, *pairs))
    if not z3.is_true(simple) and not z3.is_false(simple):
        # The simplifier leaves some ground comparisons of strings alone; the solver does not.
        ground = z3.SimpleSolver()
        ground.add(simple)
        return ground.check() == z3.sat
    return z3.is_true(simple)


def check_encoding(query, seed, count):
    """What is wrong with the encoding of one query, and z3's answer."""
    solver = z3.Solver()
    solver.set("timeout", 10_000)
    solver.add(*assertions(query))
    answer = solver.check()
    if answer == z3.sat and not conditions.satisfied(query, request_of(solver.model(), query)):
        return f"the model does not satisfy it: {request_of(solver.model(), query)}", answer
    checked = [(z3.And(*world(terms(query)), statement(goal)), goal) for goal in query]
    for at, (kinds, values) in enumerate(some_requests(query, random.Random(seed), 20 * count)):
        facts = request(kinds | {"{me}": "string"}, {"{me}": "a"} | values)
        if answer == z3.unsat and conditions.satisfied(query, facts):
            return f"z3 says unsatisfiable: {facts}", answer
        for formula, goal in checked if at < count else ():
            expected = conditions.fits(facts) and conditions.applies(goal, facts)
            if truth(formula, kinds, values) != expected:
                return f"the evaluator says {expected} of {conditions.text(goal['condition'])!r}: {facts}", answer
    return None, answer


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--requests", type=int, default=40)
    arguments = parser.parse_args()
    answers, wrong = {}, 0
    for at, query in enumerate(conditions.queries(arguments.queries, arguments.seed)):
        error, answer = check_encoding(query, at, arguments.requests)
        answers[str(answer)] = answers.get(str(answer), 0) + 1
        if error:
            wrong += 1
            print(f"query {at}: {error}\n  {conditions.as_json(query)}")
    print(f"{arguments.queries} queries, {json.dumps(answers)}, {wrong} encoded wrongly")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
