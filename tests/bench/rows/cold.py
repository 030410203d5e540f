"""From a recipe to its first training step with an empty cache and with a full one, and what another batch or length compiles anew.
Not the step."""
import functools
import json
import os
import tempfile

import numpy as np

import contest

TITLE = "cold start to the first training step"


def run(o):
    settings = [("stgcn", 16, 32), ("agcn", 16, 32), ("agcn", 64, 8)]
    return [functools.partial(start, o, *s) for s in settings] + [functools.partial(recompiled, o, m) for m in ("stgcn", "agcn")]


def start(o, model, hidden, batch):
    """`sinew bench` reads the file and compiles twice, through a cache of its own that is empty at first."""
    recipe = os.path.join(contest.MODELS, "recipes", f"moco_{model}.json")
    command = [o.sinew, "bench", recipe, "--json", "--seconds", "0", "--threads", str(o.threads), "--set", "batch=1", "--set", f"hidden={hidden}"]
    results = [json.loads(contest.output(command)) for _ in range(min(o.rounds, 3))]
    cold, cached = (sorted(r[k] for r in results)[len(results) // 2] for k in ("compile_cold_s", "compile_cached_s"))
    return {"work": f"{model} width {hidden}", "compile_cold_s": cold, "compile_cached_s": cached,
            "notes": [f"{results[0]['kernels']} kernels, {results[0]['distinct_kernels']} distinct"],
            "checks": [contest.check("cold_s", cold, "<=", 1), contest.check("cached_s", cached, "<=", 0.060)]}


def train_once(o, recipe, folder, batch, frames):
    """One run of the step with gradients; the number of objects in the cache after it."""
    for name in "qk":
        np.save(f"{folder}/{name}.npy", np.random.default_rng(1).normal(0, 0.3, (batch, frames, 25, 3)).astype(np.float32))
    np.save(f"{folder}/one.npy", np.ones((), np.float32))
    contest.output([o.sinew, "run", recipe, "--mode=train", "--in", f"view_q={folder}/q.npy", "--in", f"view_k={folder}/k.npy", "--grad",
                    f"loss={folder}/one.npy", "--set", "queue=512", "--out", folder + "/out"], env=dict(os.environ, SINEW_CACHE=folder + "/cache"))
    return sum(len(files) for _, _, files in os.walk(folder + "/cache"))


def recompiled(o, model):
    recipe = os.path.join(contest.MODELS, "recipes", f"moco_{model}.json")
    with tempfile.TemporaryDirectory() as folder:
        counts = [train_once(o, recipe, folder, *size) for size in ((2, 64), (8, 64), (4, 100))]
    return {"work": f"{model}: objects compiled for another batch, another length", "notes": [f"{counts[0]} objects at first"],
            "checks": [contest.check("new objects", counts[-1] - counts[0], "<=", 0)]}
