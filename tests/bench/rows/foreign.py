"""The step beside foreign processes that never rest (foreign.sh measures).  Not the race against peers."""
import functools
import os

import contest

TITLE = "a busy foreign process"


def run(o):
    return [functools.partial(measure, o, what, words) for what, words in
            (("step stgcn batch 8", ["recipes/moco_stgcn.json", "--set", "batch=8"]), ("inference stgcn batch 1", ["encoders/stgcn.json"]))]


def measure(o, what, words):
    command = ["bash", os.path.join(contest.HERE, "foreign.sh"), "--build", o.build, "--rounds", str(min(o.rounds, 3)), "--seconds", "2",
               os.path.join(contest.MODELS, words[0]), *words[1:], "--threads", str(o.threads)]
    text = contest.output(command)
    states = [line.split()[1:] for line in text.splitlines() if line.startswith("foreign")]
    notes = [f"on {busy} processors busy: {1e3 * float(s):.1f} ms, {ratio} times as long, a fair share would be {ideal}" for busy, s, ratio, ideal, _ in states[1:]]
    checks = [contest.check(f"over the ideal share, {busy} busy", float(over), "<=", 1.5) for busy, _, _, _, over in states[1:]]
    return {"work": what, "step_s": float(states[0][1]), "notes": notes, "checks": checks}
