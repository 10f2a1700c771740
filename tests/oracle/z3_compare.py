#!/usr/bin/env python3
"""Holds the solver of lawbook against z3 on random queries, and says how the two compare in speed.

    python3 -m venv ENV && ENV/bin/pip install z3-solver
    ENV/bin/python tests/oracle/z3_compare.py [--queries N] [--seed S] [--solve COMMAND]

The queries come from conditions.py, the z3 formulas from z3_formula.py. Exits with 1 if
  - one side says satisfiable and the other unsatisfiable;
  - our witness, or the request of z3's model, does not satisfy the query in the direct evaluator of conditions.py;
  - we say undecided: everything the generator makes lies in what the solver claims to decide;
  - the z3 formula of one of the first queries disagrees with the evaluator on an enumerated request (see z3_formula.py).
What z3 does not decide in its time is counted, and only our witness is checked there. Without z3, says so and exits with 0.

Our side is `cargo run --release --example solve`, or COMMAND (split at spaces). Its contract: UTF-8 JSON lines, one answer per query,
in order; standard error is shown; exit code 0, or the comparison fails. A query on standard input:

    {"goals": [{"condition": "a < 1.5 and s like 'a%'", "effect": "allow", "applies": true},
               {"condition": "a >= 0 or {me.d} = {me}", "effect": "deny", "applies": false}]}

  condition   text of the language; no attribute is declared a list
  effect      "allow" or "deny": decides what a value of kind other does
  applies     whether the statement has to apply, or must not, to the same request as all the other goals

An answer on standard output:

    {"answer": "satisfiable", "nanoseconds": 3120,
     "witness": {"document": {"a": -1, "s": "a"}, "me": "a", "caller": {"d": "b"}, "context": {}}}

  answer       "satisfiable", "unsatisfiable" or "undecided"
  nanoseconds  wall time from parsed conditions to the answer: the formulas, the search and the witness, and neither the parsing of the
               text nor the printing of the answer. Every query is answered anew, with nothing remembered from the ones before.
  witness      of "satisfiable" only: a request that meets every goal. `caller` has what `{me.…}` reads, `context` what `{context.…}`
               reads. A part that no condition reads may be left out. `me` is not empty, and in lower case if it has an `@`.
"""
import argparse
import json
import pathlib
import shlex
import statistics
import subprocess
import sys
import time

import conditions

try:
    import z3
    import z3_formula
except ImportError as error:
    print(f"skipped: the comparison with z3 ({error}); install it with `pip install z3-solver`")
    sys.exit(0)

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CARGO = ["cargo", "run", "--release", "--quiet", "--example", "solve"]
ANYBODY = {"document": {}, "me": "a", "caller": {}, "context": {}}
NAMES = {"sat": "satisfiable", "unsat": "unsatisfiable", "unknown": "undecided"}
ENCODINGS, REQUESTS = 100, 40


def ours(queries, command):
    """The answers of our solver."""
    text = "".join(conditions.as_json(query) + "\n" for query in queries)
    run = subprocess.run(command, cwd=ROOT, input=text, stdout=subprocess.PIPE, encoding="utf-8", timeout=1800)
    answers = [json.loads(line) for line in run.stdout.splitlines()]
    if run.returncode != 0 or len(answers) != len(queries):
        sys.exit(f"`{shlex.join(command)}` gave {len(answers)} answers to {len(queries)} queries and exited with {run.returncode}")
    return answers


def theirs(query, milliseconds):
    """z3's answer, the request of its model, and nanoseconds: of solving alone, and with the building of the formula."""
    # Measured on these queries: `Solver` is as fast as `SimpleSolver` and the one for QF_S, and faster than the one for QF_SLIA.
    # Each decides some that the other does not in ten seconds, so what one leaves the other tries, and only the last one's time counts.
    for make in (z3.Solver, z3.SimpleSolver):
        started = time.perf_counter_ns()
        solver = make()
        solver.set("timeout", milliseconds)
        solver.add(*z3_formula.assertions(query))
        built = time.perf_counter_ns()
        answer = NAMES[str(solver.check())]
        done = time.perf_counter_ns()
        if answer != "undecided":
            break
    request = z3_formula.request_of(solver.model(), query) if answer == "satisfiable" else None
    return {"answer": answer, "witness": request, "solving": done - built, "whole": done - started}


def complaints(query, we, they):
    """What is wrong with two answers to one query."""
    if we["answer"] not in NAMES.values():
        yield f"`{we['answer']}` is no answer"
    if we["answer"] == "undecided":
        yield f"we are undecided, z3 says {they['answer']}"
    elif they["answer"] not in (we["answer"], "undecided"):
        yield f"we say {we['answer']}, z3 says {they['answer']}"
    for who, answer in (("our", we), ("z3's", they)):
        if answer["answer"] != "satisfiable":
            continue
        if not isinstance(answer.get("witness"), dict):
            yield f"{who} answer has no witness"
        elif not conditions.satisfied(query, ANYBODY | answer["witness"]):
            yield f"{who} witness does not satisfy the query: {answer['witness']}"


def wrong_encodings(queries):
    for query in queries[:ENCODINGS]:
        error, _ = z3_formula.check_encoding(query, conditions.as_json(query), REQUESTS)
        if error:
            yield query, f"the z3 formula is wrong: {error}"


def in_units(nanoseconds):
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if nanoseconds >= size:
            return f"{nanoseconds / size:.1f} {unit}"
    return f"{nanoseconds:.0f} ns"


def spread(times):
    """Median and 99th percentile."""
    return statistics.median(times), sorted(times)[min(len(times) - 1, len(times) * 99 // 100)]


def show_times(we, they):
    own = [max(1, answer["nanoseconds"]) for answer in we]
    sides = {
        "ours": own,
        "z3, solving only": [answer["solving"] for answer in they],
        "z3, with building the formula": [answer["whole"] for answer in they],
    }
    print(f"{'':32} {'median':>10} {'p99':>10} {'ratio of medians':>18} {'median of ratios':>18} {'slower than it':>16}")
    for name, times in sides.items():
        median, p99 = spread(times)
        line = f"{name:32} {in_units(median):>10} {in_units(p99):>10}"
        if times is not own:
            ratio = statistics.median(time / mine for time, mine in zip(times, own))
            slower = sum(mine > time for time, mine in zip(times, own)) / len(own)
            line += f" {median / statistics.median(own):16.1f} x {ratio:16.1f} x {f'we in {slower:.1%}':>16}"
        print(line)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queries", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--timeout", type=int, default=10_000, help="milliseconds that z3 may take for one query")
    parser.add_argument("--solve", type=shlex.split, default=CARGO, help="the command of our side")
    parser.add_argument("--show", type=int, default=10, help="how many complaints are shown")
    arguments = parser.parse_args()
    queries = conditions.queries(arguments.queries, arguments.seed)
    we = ours(queries, arguments.solve)
    they = [theirs(query, arguments.timeout) for query in queries]
    found = list(wrong_encodings(queries))
    found += [(query, complaint) for query, own, other in zip(queries, we, they) for complaint in complaints(query, own, other)]
    for query, complaint in found[: arguments.show]:
        print(f"{complaint}\n  {conditions.as_json(query)}")
    print(f"{len(queries)} queries of seed {arguments.seed}, z3 {z3.get_version_string()}")
    for name, answers in (("ours", we), ("z3", they)):
        print(f"{name:5}", ", ".join(f"{sum(answer['answer'] == kind for answer in answers)} {kind}" for kind in NAMES.values()))
    show_times(we, they)
    print(f"{len(found)} disagreements" if found else "no disagreement")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
