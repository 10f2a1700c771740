#!/usr/bin/env python3
"""Measures what the semantic rules of `lawbook check` cost, on the law books of tests/oracle/synthetic.py.

    python3 benches/analysis.py [--sizes 1000 10000 100000] [--runs R] [--lawbook PATH] [--keep DIR]

Builds the release, and runs `lawbook check` as a new process, on every law book twice: with every semantic rule at `warn`, and with
each at `ignore`. Prints the medians, what the rules add, the ratio to `cat` of the same files, and the target of the table under
“Scale” in the design. Files are in the page cache, as they are for a hook; nothing is remembered between runs. A rule that the
program does not have yet is left out, and named. Then, if `examples/solve.rs` exists, single queries against z3; if z3 can be
imported, also z3's time for one grant of the last law book against all its denials. Absolute times belong to the machine, compare ratios.
"""
import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from large import ROOT
from large import median
from large import run

sys.path.insert(0, str(ROOT / "tests/oracle"))
import conditions
import synthetic

SEMANTIC = [
    "unsatisfiable-condition", "always-true-condition", "redundant-condition-part", "dead-allow", "allow-deny-conflict", "redundant-policy",
    "duplicate-policy", "inert-denial", "same-condition-exception", "allow-matches-missing", "denial-misses-missing",
    "never-satisfied-control", "contradicting-controls", "lockout", "assertion-failed", "vacuous-assertion", "undecided-analysis",
]
TARGETS = {("mixed", 1_000): 5, ("mixed", 10_000): 60, ("mixed", 100_000): 1_000, ("everybody", 100_000): 500}
CAT = ["sh", "-c", "find policies -name '*.yaml' -print0 | xargs -0 cat"]
QUERIES, EVERYBODY, STAGED = 500, 100_000, 10_000


def known_rules(lawbook):
    """The semantic rules that the program has."""
    listed = subprocess.run([lawbook, "explain"], check=True, capture_output=True, text=True).stdout
    names = {line.split()[0] for line in listed.splitlines() if line.strip()}
    return [name for name in SEMANTIC if name in names]


def set_levels(folder, levels, in_index):
    synthetic.configure(folder, levels)
    if in_index:
        synthetic.git(folder, "add", "lawbook.toml")


def findings(command, folder):
    """How many findings of each semantic rule a check tells."""
    told = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600)
    if told.returncode not in (0, 1) or "[invalid-configuration]" in told.stdout:
        sys.exit(f"`{' '.join(command)}` exited with {told.returncode}\n{told.stdout[:2000]}{told.stderr[:2000]}")
    counts = {name: told.stdout.count(f"[{name}]") for name in SEMANTIC}
    return {name: count for name, count in counts.items() if count}


def measure(lawbook, name, count, folder, rules, runs):
    """Prints the numbers of one law book."""
    synthetic.build(name, count, folder)
    is_staged = name == "staged"
    command = [lawbook, "check", "--format", "concise"] + ["--staged"] * is_staged
    cat, _ = median(CAT, folder, runs)
    off, on = [], []
    # The two take turns, so that other work on the machine meets both.
    for _ in range(runs):
        for level, results in (("ignore", off), ("warn", on)):
            set_levels(folder, dict.fromkeys(rules, level), is_staged)
            results.append(run(command, folder))
    without, full = (statistics.median(ms for ms, _ in results) for results in (off, on))
    added = statistics.median(with_rules - without_rules for (with_rules, _), (without_rules, _) in zip(on, off))
    memory = max(mib for _, mib in on)
    target = TARGETS.get((name, count))
    verdict = f"{'<=' if added <= target else '> '} {target} ms" if target else "-"
    print(f"{name:10} {count:8,} {cat:8.1f} {without:8.1f} {full:8.1f} {added:9.1f} {verdict:>12} {full / cat:8.1f} x "
          f"{full / without:8.2f} x {memory:6.0f}", flush=True)
    print("  ", ", ".join(f"{number} {rule}" for rule, number in findings(command, folder).items()) or "no semantic finding", flush=True)


def z3_on_everybody(count):
    """What z3 takes to show that one grant is alive, when all denials of `everybody` are asserted not to apply."""
    try:
        import z3
        import z3_formula
    except ImportError:
        print("skipped: z3 on one grant against all denials; install it with `pip install z3-solver`")
        return
    policies = list(synthetic.everybody(count, 1))
    grants, denials = ([("cmp", "=", *p["condition"][2:]) for p in policies if p["deny"] == deny] for deny in (False, True))
    query = [conditions.goal(grants[0], "allow", True), *(conditions.goal(denial, "deny", False) for denial in denials)]
    started = time.perf_counter()
    solver = z3.Solver()
    solver.add(*z3_formula.assertions(query))
    built = time.perf_counter()
    answer = solver.check()
    solving = time.perf_counter() - built
    print(f"z3, one grant against {len(denials):,} denials: {answer}, {built - started:.2f} s building, {solving:.3f} s solving; "
          f"solving for each of {len(grants):,} grants would take {solving * len(grants) / 60:,.0f} min")


def single_queries():
    if not (ROOT / "examples/solve.rs").is_file():
        print("skipped: single queries against z3; there is no examples/solve.rs")
        return
    compare = [sys.executable, str(ROOT / "tests/oracle/z3_compare.py"), "--queries", str(QUERIES)]
    print("\nsingle queries; the target is a median of 10 µs", flush=True)
    subprocess.run(compare, check=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="*", default=[1_000, 10_000, 100_000])
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--lawbook", type=pathlib.Path, help="a program that is already built")
    parser.add_argument("--keep", type=pathlib.Path, help="write the law books here, and keep them")
    arguments = parser.parse_args()
    if arguments.lawbook is None:
        subprocess.run(["cargo", "build", "--release", "--quiet"], cwd=ROOT, check=True)
        target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
        arguments.lawbook = target / "release/lawbook"
    lawbook = str(arguments.lawbook.resolve())
    rules = known_rules(lawbook)
    missing = [name for name in SEMANTIC if name not in rules]
    if missing:
        print(f"not measured, because the program does not have them: {', '.join(missing)}")
    print(f"{os.cpu_count()} cores with a load of {os.getloadavg()[0]:.1f}, median of {arguments.runs} runs, in milliseconds; "
          "`the rules` is the median difference; `staged` is `check --staged`")
    print(f"{'law book':10} {'policies':>8} {'cat':>8} {'without':>8} {'with':>8} {'the rules':>9} {'target':>12} "
          f"{'with : cat':>10} {'with : without':>10} {'MiB':>6}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.keep or pathlib.Path(temporary)
        for size in arguments.sizes:
            measure(lawbook, "mixed", size, folder / f"mixed-{size}", rules, arguments.runs)
        for name, size in (("everybody", EVERYBODY), ("staged", STAGED)):
            measure(lawbook, name, size, folder / f"{name}-{size}", rules, arguments.runs)
    single_queries()
    z3_on_everybody(EVERYBODY)


if __name__ == "__main__":
    main()
