"""Time per element as batch, frames and queue grow, and memory against the plan.  Not a race: sinew alone, sizes in turn.

Time per element is flat if no size takes over 10 % more of it than the best smaller one; the smallest of each row is the base, since below it nothing is
asked for.  An element is a sequence's frame for batch and frames, a number of the queue for the queue loss.  Plan: planned bytes against the growth of
the resident size over the smallest run's."""
import functools
import os

import contest

TITLE = "growth: time per element flat within 10 %, memory as planned"
STEP = os.path.join(contest.MODELS, "recipes", "moco_dense_stgcn.json")
QUEUE = os.path.join(contest.HERE, "graphs", "queue.json")
BASE = {"batch": 8, "frames": 300, "queue": 32768}
# what grows, its sizes, the file, and what else is set
SERIES = [("batch", (8, 16, 32, 64, 128), STEP, dict(BASE, queue=4096)), ("frames", (75, 150, 300, 600, 1200, 3000), STEP, dict(BASE, queue=4096)),
          ("K", (4096, 16384, 65536, 262144), QUEUE, {"R": 608}), ("queue", (4096, 32768, 262144), STEP, dict(BASE, batch=8))]


def run(o):
    return [functools.partial(measure, o, *s) for s in SERIES]


def measure(o, name, sizes, file, sets):
    """All sizes stay and take turns, unless together they would not fit: then each is measured alone, the base again with each."""
    results = [one(o, file, dict(sets, **{name: size}), f"{name} {size}") for size in sizes]
    per = [r["step_s"] / size for r, size in zip(results, sizes)] if name != "queue" else [r["step_s"] for r in results]
    flops = [r["gflops"] for r in results]
    spread = max(flops) / min(flops) - 1 if name in ("queue",) else max(per) / min(per) - 1
    over = [r["memory_peak_bytes"] - r["memory_planned_bytes"] for r in results]
    notes = [f"{name} {size:>6}: {1e3 * r['step_s']:10.2f} ms, {1e9 * p:12.1f} ns an element, {100 * r['peak_share']:5.1f} % of peak, "
             f"{r['memory_planned_bytes'] / 2**20:8.1f} MiB planned, {r['memory_peak_bytes'] / 2**20:8.1f} resident" for size, r, p in zip(sizes, results, per)]
    return {"work": f"{name} {sizes[0]} to {sizes[-1]}, {os.path.basename(file)}", "notes": notes, "contestants": results,
            "checks": [contest.check("time per element spread", spread, "<=", 0.10),
                       contest.check("memory beyond plan, MiB", max(over) / 2**20, "<=", 160)]}


def one(o, file, sets, name):
    results, _ = contest.race(o, [lambda: contest.sinew(o, file, sets, name=name)], 0.3, rounds=max(2, o.rounds // 2))
    return results[0]
