"""Results that do not depend on the number of threads: what that costs (same_bits.py, an upper bound), and that it holds.
Not the scaling of single kernels."""
import functools
import os
import sys
import tempfile

import numpy as np

import contest

TITLE = "same bits for any thread count"
RECIPE = os.path.join(contest.MODELS, "recipes", "moco_stgcn.json")


def run(o):
    return [functools.partial(cost, o, 8), functools.partial(cost, o, 32), functools.partial(equal, o), functools.partial(threads, o)]


def cost(o, batch):
    command = [sys.executable, os.path.join(contest.HERE, "same_bits.py"), "--sinew", o.sinew, "--seconds", "3", RECIPE, "--set", f"batch={batch}"]
    text = contest.output(command, fails=True)
    share = next(float(line.split()[5]) / 100 for line in text.splitlines() if line.split()[2] == "all")
    return {"work": f"time in kernels that add fixed parts, batch {batch}", "checks": [contest.check("cost", share, "<=", 0.03)]}


def gradients(o, folder, threads):
    """All files that one training step with gradients writes."""
    out = os.path.join(folder, str(threads))
    contest.output([o.sinew, "run", RECIPE, "--mode=train", "--in", f"view_q={folder}/q.npy", "--in", f"view_k={folder}/k.npy", "--grad",
                    f"loss={folder}/one.npy", "--set", "queue=4096", "--threads", str(threads), "--out", out])
    return {name: open(os.path.join(out, name), "rb").read() for name in sorted(os.listdir(out))}


def equal(o):
    counts = (1, 2, 3, 7)
    with tempfile.TemporaryDirectory() as folder:
        random = np.random.default_rng(1)
        for name in "qk":
            np.save(f"{folder}/{name}.npy", random.normal(0, 0.3, (4, 100, 25, 3)).astype(np.float32))
        np.save(f"{folder}/one.npy", np.ones((), np.float32))
        results = [gradients(o, folder, n) for n in counts]
    same = sum(r == results[0] for r in results) / len(counts)
    return {"work": f"loss, states and gradients on {', '.join(map(str, counts))} threads", "notes": [f"{len(results[0])} files each, {sum(map(len, results[0].values()))} bytes"],
            "checks": [contest.check("equal_share", same, ">=", 1)]}


def threads(o):
    """Not a target: what the second thread brings."""
    makers = [lambda n=n: contest.sinew(o, RECIPE, dict(batch=8), threads=n, name=f"sinew, {n} threads") for n in (o.threads, 1)]
    results, faults = contest.race(o, makers, 1.0)
    two, one = results
    return {"work": "step batch 8, one thread against all", "step_s": two["step_s"], "faults": faults, "contestants": results, "peak_share": two.get("peak_share"),
            "notes": [f"{one['step_s'] / two['step_s']:.2f} times as fast on {o.threads} threads as on one ({100 * one['peak_share']:.0f} % of one thread's peak)"]}
