#!/usr/bin/env python3
"""Large synthetic law books for measuring the semantic rules. Deterministic for a size and a seed.

    synthetic.py mixed|everybody|staged N --out DIR [--seed S]

  mixed      N policies as large organisations have them: 3 sources, 20 services (2 % `*`), 3,000 groups, 20,000 addresses, up to 5,000
             distinct conditions, 10 % denials, 5 % for everybody. Every policy for everybody has a condition, and four of five others.
             Of twenty conditions nineteen ask for one of 2,000 projects, and about nine of ten read no attribute twice, as people
             write them; the others may contradict or repeat themselves.
  everybody  one service, one action, everybody, and N distinct conditions `customer = '…'`, of which every tenth is a denial
  staged     the mixed law book with one file per policy, committed in a git repository, with one changed file staged

`mixed` and `everybody` hold 100 policies per file, so that reading them costs little beside checking them.
Conditions and the YAML of a policy are those of gen.py.
"""
import argparse
import pathlib
import random
import subprocess

import gen

SOURCES, SERVICES = gen.SOURCES[:3], gen.SERVICES[:20]
GROUPS = [f"group-{i:04d}" for i in range(3_000)]
ADDRESSES = [f"u{i:05d}@example.com" for i in range(20_000)]
CONDITIONS, PROJECTS, PER_FILE = 5_000, 2_000, 100
ASSERTIONS = f"""
[[assert]]
name  = "nobody in the first group runs anything in the first service"
never = {{ members = ["{GROUPS[0]}"], actions = ["run"], service = "{SERVICES[0]}" }}

[[assert]]
name   = "the second group reads the second service"
always = {{ members = ["{GROUPS[1]}"], actions = ["read"], service = "{SERVICES[1]}" }}

[[assert]]
name        = "somebody can update the third service"
someone-can = {{ actions = ["update"], service = "{SERVICES[2]}" }}
"""


def attributes(e):
    """The attributes that a condition of gen.py reads, as often as it does."""
    if e[0] in ("and", "or", "not"):
        return [name for operand in e[1:] for name in attributes(operand)]
    return [e[2] if e[0] == "cmp" else e[1]]


def distinct_conditions(r, count):
    found = {}
    while len(found) < count:
        condition = gen.condition(r)
        read = attributes(condition)
        if len(set(read)) == len(read) or r.random() < 0.07:
            # Most policies are about one of many projects. Without that, a thousand broad conditions cover everything there is.
            if r.random() < 0.95:
                condition = ["and", ["cmp", "=", "project", f"p{r.randrange(PROJECTS):04d}"], condition]
            found.setdefault(gen.text(condition), condition)
    return list(found.values())


def mixed(count, seed):
    r = random.Random(f"mixed {count} {seed}")
    pool = distinct_conditions(r, min(count, CONDITIONS))
    for i in range(count):
        everybody = r.random() < 0.05
        drawn = [r.choice(GROUPS if r.random() < 0.5 else ADDRESSES) for _ in range(r.choice([1, 2, 3, 4, 5, 6, 8]))]
        yield dict(
            id=f"P{i:06d}", service="*" if r.random() < 0.02 else r.choice(SERVICES), source=r.choice(SOURCES),
            actions=sorted(r.sample(gen.ACTIONS, r.choice([1, 1, 2, 2, 3, 5])), key=gen.ACTIONS.index),
            members=["*"] if everybody else list(dict.fromkeys(drawn)), deny=r.random() < 0.10, enabled=True,
            condition=r.choice(pool) if everybody or r.random() < 0.8 else None)


def everybody(count, seed):
    order = list(range(count))
    random.Random(f"everybody {count} {seed}").shuffle(order)
    for i, customer in enumerate(order):
        yield dict(id=f"P{i:06d}", service=SERVICES[0], source=SOURCES[0], actions=["read"], members=["*"], deny=i % 10 == 9,
                   enabled=True, condition=["cmp", "=", "customer", f"c{customer:06d}"])


def write(folder, policies, per_file):
    """Writes the policies below `folder`, in folders of at most a hundred files, and returns the paths."""
    texts, paths = [gen.yaml(policy) for policy in policies], []
    for start in range(0, len(texts), per_file):
        number = start // per_file
        path = folder / "policies" / f"{number // 100:03d}" / f"{number:06d}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("---\n".join(texts[start:start + per_file]))
        paths.append(path)
    configure(folder, {})
    return paths


def configure(folder, levels):
    """Writes `lawbook.toml` with these levels of rules."""
    rules = "".join(f'{name} = "{level}"\n' for name, level in levels.items())
    (folder / "lawbook.toml").write_text(f'files = ["policies/**/*.yaml"]\n\n[lint.rules]\n{rules}{ASSERTIONS}')


def git(folder, *arguments):
    identity = ["-c", "user.name=bench", "-c", "user.email=bench@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL)


def commit(folder, message):
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", message)


def stage_a_change(folder, path):
    """Narrows the condition of one policy, and stages the file."""
    lines = [line for line in path.read_text().splitlines() if not line.startswith("condition:")]
    path.write_text("\n".join(lines + ["condition: \"category = 'changed'\""]) + "\n")
    git(folder, "add", str(path.relative_to(folder)))


def staged(folder, count, seed):
    paths = write(folder, mixed(count, seed), 1)
    git(folder, "init", "--quiet")
    commit(folder, "A large law book")
    stage_a_change(folder, paths[count // 2])


def build(name, count, folder, seed=1):
    """Writes the law book of this name into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    if name == "staged":
        staged(folder, count, seed)
    else:
        write(folder, {"mixed": mixed, "everybody": everybody}[name](count, seed), PER_FILE)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=["mixed", "everybody", "staged"])
    parser.add_argument("n", type=int)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    build(arguments.name, arguments.n, arguments.out, arguments.seed)


if __name__ == "__main__":
    main()
