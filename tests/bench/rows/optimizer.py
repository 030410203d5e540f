"""Optimiser and momentum update: bytes they must move over the time they take, against the bandwidth measured in the same run.
Above 100 % where parameters stay in a cache from one step to the next.  Not the gradients."""
import functools
import os

import contest

TITLE = "optimiser and momentum update, one pass over the parameters"

PARTS = ("optimiser and momentum copies",)


def run(o):
    return [functools.partial(measure, o, *s) for s in (("stgcn", 16), ("agcn", 64))]


def measure(o, model, hidden):
    recipe = os.path.join(contest.MODELS, "recipes", f"moco_{model}.json")
    results, _ = contest.race(o, [lambda: contest.sinew(o, recipe, dict(batch=1, hidden=hidden), kernels=True)], 0.3, rounds=2)
    found = [k for k in results[0].get("other_times", []) if k["name"] in PARTS]
    if not found:
        raise RuntimeError("`sinew bench --kernels` has no row of its own for the optimiser")
    seconds, moved, bandwidth = sum(k["seconds"] for k in found), sum(k["bytes"] for k in found), results[0]["bandwidth_gbytes"] * 1e9
    return {"work": f"{model} width {hidden}", "step_s": seconds, "notes": [f"{moved / seconds / 1e9:.1f} GB/s of {bandwidth / 1e9:.1f}, {moved / 2**20:.1f} MiB moved"],
            "checks": [contest.check("bandwidth share", moved / seconds / bandwidth, ">=", 0.9)]}
