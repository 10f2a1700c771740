#!/usr/bin/env python3
"""Checks an export of `lawbook audit --format json` or `jsonl` by the published description alone (src/history/chain.rs):
that every event chains the one before it, and that every state follows from the changes. Usage: audit_chain.py EXPORT"""
import hashlib, itertools, json, sys

MEMBERS = """action author authored changes claimed commit committed committer from kind parents path policy prev renamed
restores seq state subject""".split()

class Number(str):
    """A number as it is written, so that no digit of it changes."""

def canonical(value):
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(canonical(key) + ":" + canonical(value[key]) for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    return json.dumps(value, ensure_ascii=False)

def digest(text):
    return hashlib.sha256(text.encode())

def once(pairs):
    if len(dict(pairs)) != len(pairs):
        sys.exit("a name stands twice in one object")
    return dict(pairs)

def parse(text):
    return json.loads(text, object_pairs_hook=once, parse_int=Number, parse_float=Number)

def read(text):
    try:
        whole = parse(text)
        return whole["events"] if "events" in whole else [whole]
    except json.JSONDecodeError:
        return [parse(line) for line in text.split("\n") if line.strip()]

def change(fields, changes):
    for one in changes:
        place, *path = fields, *one["path"]
        for key in path[:-1]:
            place[key] = place = dict(place[key])
        if place.get(path[-1]) != one.get("lhs"):
            sys.exit(f"{'.'.join(path)} was not {one.get('lhs')}")
        place.pop(path[-1], None)
        if one["kind"] != "D":
            place[path[-1]] = one["rhs"]
    return fields

events, prev, seq = read(open(sys.argv[1], encoding="utf-8", newline="\n").read()), "0" * 64, 0
policies, groups, roots = {}, [{} for _ in range(256)], [digest("").digest()] * 256
complete = [event["seq"] for event in events] == [str(number + 1) for number in range(len(events))]
for at, event in enumerate(events):
    if int(event["seq"]) <= seq or (int(event["seq"]) == seq + 1 and event["prev"] != prev):
        sys.exit(f"event {event['seq']} does not follow event {seq}")
    seq, prev = int(event["seq"]), digest(canonical({name: event[name] for name in MEMBERS})).hexdigest()
    if not complete or at and events[at - 1]["commit"] == event["commit"]:
        continue  # a filtered export has no states, and a commit has one
    made = list(itertools.takewhile(lambda one: one["commit"] == event["commit"], itertools.islice(events, at, None)))
    after = {one["policy"]: change(dict(policies.get(one["renamed"] or one["policy"], {})), one["changes"]) for one in made}
    for policy, fields in [(one["renamed"], {}) for one in made if one["renamed"] not in (None, *after)] + list(after.items()):
        group = digest(policy).digest()[0]
        policies[policy], groups[group][policy] = fields, digest(canonical(fields)).hexdigest()
        if not fields:
            del policies[policy], groups[group][policy]
        roots[group] = digest("".join(f"{id}:{groups[group][id]}\n" for id in sorted(groups[group]))).digest()
    branches = [hashlib.sha256(b"".join(roots[at : at + 16])).digest() for at in range(0, 256, 16)]
    if hashlib.sha256(b"".join(branches)).hexdigest() != event["state"]:
        sys.exit(f"the state after event {event['seq']} does not follow from the changes")
print(f"{len(events)} events, {'all' if complete else 'a part'}, head {prev}")
