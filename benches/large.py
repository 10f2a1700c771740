#!/usr/bin/env python3
"""Measures `lawbook` on a large law book against two things on the same machine: `git status`, and reading the same files with `cat`.

    cargo build --release && python3 benches/large.py [--policies N] [--runs R] [--lawbook PATH]

Prints the median of R runs, the ratio to each, and the largest resident memory of `check`, `decide` and an answering server. Absolute
times belong to the machine; compare the ratios.
"""
import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def run(command, cwd):
    """Wall time in milliseconds and the largest resident memory in MiB of one run."""
    started = time.perf_counter()
    child = subprocess.Popen(command, cwd=cwd, **QUIET)
    _, _, usage = os.wait4(child.pid, 0)
    return (time.perf_counter() - started) * 1000, usage.ru_maxrss / 1024


def median(command, cwd, runs):
    run(command, cwd)
    results = [run(command, cwd) for _ in range(runs)]
    return statistics.median(ms for ms, _ in results), max(mib for _, mib in results)


def server_memory(lawbook, book, requests):
    """Resident memory in MiB of a server that has answered some requests."""
    import http.client
    import json
    import re
    child = subprocess.Popen([lawbook, "serve", str(book), "--listen", "127.0.0.1:0"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        token, port = "", 0
        for line in child.stderr:
            token = line.split(": ", 1)[1].strip() if line.startswith("administrator token: ") else token
            found = re.search(r"listening on http://127\.0\.0\.1:(\d+)", line)
            if found:
                port = int(found.group(1))
                break
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        started = time.perf_counter()
        for line in requests:
            connection.request("POST", "/access/v1/evaluation", line, headers)
            json.loads(connection.getresponse().read())
        rate = len(requests) / (time.perf_counter() - started)
        status = pathlib.Path(f"/proc/{child.pid}/status")
        if not status.exists():
            return None, rate
        resident = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        return int(resident.group(1)) / 1024, rate
    finally:
        child.terminate()
        child.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--policies", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--lawbook", default=str(ROOT / "target/release/lawbook"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        generator = [sys.executable, str(ROOT / "tests/oracle/gen.py"), str(arguments.policies), "--out", folder]
        subprocess.run(generator, check=True, **QUIET)
        book = pathlib.Path(folder) / str(arguments.policies)
        git = ["git", "-c", "user.name=bench", "-c", "user.email=bench@example.com"]
        for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "A large law book"]):
            subprocess.run(git + command, cwd=book, check=True, **QUIET)
        measured = {
            "cat of the same files": ["sh", "-c", "find policies -name '*.yaml' -print0 | xargs -0 cat"],
            "git status": ["git", "status", "--short"],
            "lawbook check": [arguments.lawbook, "check"],
            "lawbook check --staged": [arguments.lawbook, "check", "--staged"],
            "lawbook check --rev HEAD": [arguments.lawbook, "check", "--rev", "HEAD"],
            "lawbook decide, all requests": [arguments.lawbook, "decide", "--requests", "requests.jsonl"],
        }
        results = {name: median(command, book, arguments.runs) for name, command in measured.items()}
        cat, status = results["cat of the same files"][0], results["git status"][0]
        print(f"{arguments.policies} policies, {os.cpu_count()} cores, median of {arguments.runs} runs")
        for name, (ms, mib) in results.items():
            print(f"{name:32} {ms:8.1f} ms  {ms / status:6.2f} x git status  {ms / cat:6.2f} x cat  {mib:6.0f} MiB")
        lines = (book / "requests.jsonl").read_text().splitlines()
        memory, rate = server_memory(arguments.lawbook, book, lines)
        print(f"{'server, one connection':32} {rate:8.0f} requests/s" + (f"  {memory:.0f} MiB" if memory else ""))


if __name__ == "__main__":
    main()
