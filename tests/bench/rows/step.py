"""Stage-1 training steps: sinew and PyTorch's variants.  Not the models (models/recipes, peers/torch_step.py)."""
import functools
import os

import contest

TITLE = "stage-1 training step, 300 frames, queue 32768, both losses"
TURN = 5.0  # seconds: several steps, since after others' turn the first is up to 7 % slower
# model, width, batch, least ratio, least share of the peak
SETTINGS = [("stgcn", 16, 32, 2.0, 0.70), ("agcn", 16, 32, 2.5, 0.65), ("agcn", 64, 8, 2.5, 0.65)]
# name -> options of torch_step.py, allocator, what it is
PEERS = {
    "as written": (["--channels-last", "0", "--graph", "einsum", "--streaming-loss", "0", "--coins", "0"], "jemalloc", "the model's code as published"),
    "eager": (["--graph", "rows", "--coins", "0"], "tcmalloc", "channels-last, products without copies, streaming loss"),
    "tuned": (["--graph", "batched", "--coins", "1"], "tcmalloc", "one product for all graphs, dropout from single random bits instead of PyTorch's"),
    "compiled": (["--graph", "rows", "--coins", "0", "--compile", "1"], "tcmalloc", "torch.compile"),
}


def run(o):
    return [functools.partial(step, o, *setting) for setting in SETTINGS]


def step(o, model, hidden, batch, ratio, share):
    recipe = os.path.join(contest.MODELS, "recipes", f"moco_{model}.json")
    contestants = [lambda: contest.sinew(o, recipe, dict(batch=batch, hidden=hidden, frames=300, queue=32768, mlp=0))]
    for name, (options, allocator, about) in PEERS.items():
        if o.peers and name not in o.peers:
            continue
        arguments = [*(["--model", model] if model != "stgcn" else []), "--batch", batch, "--hidden", hidden, *options]
        contestants.append(lambda name=name, a=arguments, m=allocator, t=about: contest.peer(o, "PyTorch " + name, "torch_step.py", a, m, t))
    results, faults = contest.race(o, contestants, seconds=TURN)
    line = contest.record(f"step {model} width {hidden} batch {batch}", results, faults,
                          [("ratio", ">=", ratio), ("peak_share", ">=", share), ("memory_share", "<=", 0.40),
                           ("resident / planned", contest.resident_over_plan(results[0]), "<=", 1.01)])
    line["sequences_per_second"] = batch / line["step_s"]
    return line
