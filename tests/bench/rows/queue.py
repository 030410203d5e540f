"""The queue loss with its gradient, and its scratch for several queue lengths.  Not the enqueuing."""
import functools
import os

import contest

TITLE = "queue loss, forward and gradient, 608 queries of 128 numbers"
FILE = os.path.join(contest.HERE, "graphs", "queue.json")
LENGTHS = (4096, 32768, 262144)


def run(o):
    return [functools.partial(measure, o), functools.partial(scratch, o)]


def bench(o, length):
    return contest.sinew(o, FILE, {"R": 608, "K": length})


def measure(o):
    def pytorch():
        host = contest.peer(o, "PyTorch", "torch_ops.py", [], "tcmalloc")
        host.ready()
        return contest.Guest(host, "PyTorch logsumexp", {"work": "queue", "R": 608, "K": 32768})

    results, faults = contest.race(o, [lambda: bench(o, 32768), pytorch], 0.3)
    return contest.record("queue 32768", results, faults, [("peak_share", ">=", 0.70)])


def scratch(o):
    """Scratch is the planned slab without loss and gradient themselves: it must not grow with the queue."""
    sizes = {}
    for length in LENGTHS:
        results, _ = contest.race(o, [lambda: bench(o, length)], 0.1, rounds=1)
        sizes[length] = results[0]["memory_slab_bytes"]
    return {"work": "slab for queues of " + ", ".join(map(str, LENGTHS)), "notes": [", ".join(f"{n / 2**20:.2f} MiB" for n in sizes.values())],
            "checks": [contest.check("longest over shortest", sizes[LENGTHS[-1]] / sizes[LENGTHS[0]], "<=", 1)]}
