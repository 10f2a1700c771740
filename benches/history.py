#!/usr/bin/env python3
"""What `lawbook audit` costs on a long history, against git on the same machine.

    python3 benches/history.py [--commits 20000] [--policies 2000] [--runs 5] [--lawbook target/release/lawbook]

Makes a repository with `git fast-import`: each commit changes one or two of the policy files (toggles, edits, moves,
reformats, deletions and new ones), and every eighth one a file that is no policy. Then it measures, as medians of runs that
take turns: `git log -p` and `git log --raw` over the first parents, a first `lawbook audit` (without its cache), the next
one after one more commit, and the peak of memory. A ratio below 1 is faster than git.
"""

import argparse
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time


def policy(number, version):
    actions = ["read", "create", "update", "delete"][: 1 + version % 4]
    members = [f"group{(number * 7 + at * version) % 97}" for at in range(1 + version % 3)]
    lines = [
        f"# policy {number}",
        f"_id: POLICY-{number}",
        f"description: what policy {number} is for, in version {version}",
        f"service: service{number % 40}",
        f"actions: [{', '.join(actions)}]",
        f"members: [{', '.join(members)}]",
        f"condition: \"tag = 'x{version % 13}' and level < {version % 7}\"",
    ]
    if version % 5 == 0:
        lines.append("enabled: false")
    if version % 11 == 0:
        lines.append(f"# written again in version {version}")
    return "\n".join(lines) + "\n"


def generate(folder, commits, policies, seed=1):
    dice = random.Random(seed)
    subprocess.run(["git", "init", "-q", "-b", "main", folder], check=True)
    process = subprocess.Popen(["git", "fast-import", "--quiet"], cwd=folder, stdin=subprocess.PIPE)
    out = process.stdin.write
    versions, places = {}, {}
    when = 1_600_000_000
    for commit in range(commits):
        when += dice.randrange(60, 4000)
        changes = []
        if commit % 8 == 7:
            changes.append(("M", f"src/file{dice.randrange(400)}.txt", f"{commit}\n"))
        else:
            for _ in range(1 + (dice.random() < 0.5)):
                number = dice.randrange(policies)
                version = versions.get(number, -1) + 1
                versions[number] = version
                place = places.get(number)
                if place is not None and dice.random() < 0.01:
                    changes.append(("D", place, None))
                    places[number] = None
                    continue
                new = f"policies/area{number % 50}/policy-{number}.yaml"
                if place is not None and dice.random() < 0.01:
                    new = f"policies/moved/policy-{number}-{version}.yaml"
                if place is not None and place != new:
                    changes.append(("D", place, None))
                places[number] = new
                changes.append(("M", new, policy(number, version)))
        message = f"Change {commit}\n\nTicket: OPS-{commit}\n".encode()
        person = f"Person {commit % 17} <person{commit % 17}@example.com> {when} +0100"
        out(f"commit refs/heads/main\nmark :{commit + 1}\nauthor {person}\ncommitter {person}\ndata {len(message)}\n".encode() + message)
        if commit:
            out(f"from :{commit}\n".encode())
        for kind, path, text in dict((change[1], change) for change in changes).values():
            if kind == "D":
                out(f"D {path}\n".encode())
            else:
                data = text.encode()
                out(f"M 100644 inline {path}\ndata {len(data)}\n".encode() + data + b"\n")
        out(b"\n")
    process.stdin.close()
    if process.wait():
        sys.exit("git fast-import failed")
    subprocess.run(["git", "gc", "-q"], cwd=folder, check=True)
    subprocess.run(["git", "reset", "-q", "--hard"], cwd=folder, check=True)


def run(command, folder):
    start = time.perf_counter()
    done = subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    took = time.perf_counter() - start
    if done.returncode:
        sys.exit(f"{command} failed: {done.stderr.decode()}")
    return took


def peak(command, folder):
    """The peak of the resident memory in MiB, of a child of its own."""
    script = "import resource,subprocess,sys; subprocess.run(sys.argv[1:],stdout=subprocess.DEVNULL,check=True);" \
             "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    text = subprocess.run([sys.executable, "-c", script, *command], cwd=folder, capture_output=True, check=True).stdout
    return int(text) / 1024


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--commits", type=int, default=20_000)
    arguments.add_argument("--policies", type=int, default=2_000)
    arguments.add_argument("--runs", type=int, default=5)
    arguments.add_argument("--lawbook", default="target/release/lawbook")
    arguments.add_argument("--repository", help="use this repository, made by an earlier run with --keep")
    arguments.add_argument("--keep", help="make the repository here and keep it")
    given = arguments.parse_args()
    lawbook = os.path.abspath(given.lawbook)
    folder = given.repository or given.keep or tempfile.mkdtemp(prefix="lawbook-history-")
    if not given.repository:
        generate(folder, given.commits, given.policies)
    cache = os.path.join(folder, ".git", "lawbook")
    audit = [lawbook, "audit", "--format", "table"]
    log = ["git", "-c", "core.pager=cat", "log", "--first-parent"]
    times = {"git log -p": [], "git log --raw": [], "audit, first": [], "audit, one commit later": []}
    for turn in range(given.runs):
        times["git log -p"].append(run([*log, "-p"], folder))
        times["git log --raw"].append(run([*log, "--raw"], folder))
        shutil.rmtree(cache, ignore_errors=True)
        times["audit, first"].append(run(audit, folder))
        with open(os.path.join(folder, "policies", "one-more.yaml"), "w") as file:
            file.write(policy(999_999, turn))
        subprocess.run(["git", "add", "policies/one-more.yaml"], cwd=folder, check=True)
        subprocess.run(["git", "-c", "user.name=A", "-c", "user.email=a@example.com", "commit", "-q", "-m", "one more"], cwd=folder, check=True)
        times["audit, one commit later"].append(run(audit, folder))
    shutil.rmtree(cache, ignore_errors=True)
    memory = peak(audit, folder), peak(audit, folder)
    base, raw = (statistics.median(times[name]) for name in ("git log -p", "git log --raw"))
    for name, taken in times.items():
        middle = statistics.median(taken)
        print(f"{name:24} {middle * 1000:8.0f} ms   {middle / base:6.2f} of log -p   {middle / raw:6.2f} of log --raw")
    print(f"peak of memory           {memory[0]:8.0f} MiB first, {memory[1]:.0f} MiB next")
    if not given.repository and not given.keep:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
