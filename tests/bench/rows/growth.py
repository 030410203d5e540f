"""Time per element as batch, frames and queue grow, and memory against the plan.  Not a race: sinew alone.

Time over multiply-adds must be flat: the slowest size over the fastest.  Memory: what the
process grew by for the steps, without inputs, over the plan."""
import functools
import os

import contest

TITLE = "growth: time per element flat within 10 %, memory as planned"
STEP = os.path.join(contest.MODELS, "recipes", "moco_stgcn.json")
QUEUE = os.path.join(contest.HERE, "graphs", "queue.json")
BASE = {"batch": 8, "frames": 300, "queue": 32768}
# what grows, its sizes, the file, and what else is set
SERIES = [("batch", (8, 16, 32, 64, 128), STEP, dict(BASE, queue=4096)), ("frames", (75, 150, 300, 600, 1200, 3000), STEP, dict(BASE, queue=4096)),
          ("queue", (4096, 32768, 262144), STEP, BASE), ("K", (4096, 16384, 65536, 262144), QUEUE, {"R": 608})]
WHAT = {"batch": "step, batch", "frames": "step, frames", "queue": "step, queue", "K": "queue loss alone, queue"}


def run(o):
    return [functools.partial(measure, o, *s) for s in SERIES]


def measure(o, name, sizes, file, sets):
    results = [one(o, file, dict(sets, **{name: size}), f"{name} {size}") for size in sizes]
    rate = [r["gflops"] for r in results]
    beyond = [r["memory_grown_bytes"] - r["memory_inputs_bytes"] - r["memory_planned_bytes"] for r in results]
    notes = [f"{name} {size:>6}: {1e3 * r['step_s']:9.2f} ms, {1e3 * r['step_s'] / size:9.5f} ms each, {r['gflops']:6.1f} GFLOP/s, {100 * r['peak_share']:5.1f} % of peak, "
             f"{r['memory_planned_bytes'] / 2**20:8.1f} MiB planned, {b / 2**20:+6.1f} when run" for size, r, b in zip(sizes, results, beyond)]
    checks = [contest.check("MiB beyond the plan", max(abs(b) for b in beyond) / 2**20, "<=", 4)]
    if name != "queue":  # a step's time has a part that does not grow with its queue
        checks.insert(0, contest.check("time per element spread", max(rate) / min(rate) - 1, "<=", 0.10))
    return {"work": f"{WHAT[name]} {sizes[0]} to {sizes[-1]}", "notes": notes, "contestants": results, "checks": checks}


def one(o, file, sets, name):
    results, _ = contest.race(o, [lambda: contest.sinew(o, file, sets, name=name)], 0.3, rounds=max(2, o.rounds // 2))
    return results[0]
