#!/usr/bin/env python3
"""What it costs that results do not depend on the number of threads: an upper bound, as a share of the step.

Not a test; a measurement.

    tests/bench/same_bits.py [--sinew build/sinew] [--seconds 4] FILE [--set NAME=VALUE ...]    default: the stage-1 recipe, batches 8 and 32

Sums over positions are cut into parts by sizes alone.  A partition by threads would have one part a thread, gathered in the same kernels;
it would spare some of the calls that add parts, never more than all of them.  Those calls are found in the schedule and timed in the profile:

    sums      reductions that read partial sums: batch statistics and their gradients
    parts     second calls of weight gradients, graph gradients, the queue loss and large sums: they add what the first call gathered

Not in these figures: weight gradients of few channels have 16 parts where two threads could do with two, which are written as well as added.
Built with ITEMS = 2 in codegen/kernel_contract_wgrad.c, so with the parts a partition by threads would have, the step of batch 8 took 1.4 %
less (AMD EPYC 9005, 2 threads, builds interleaved, fastest of three runs each: 0.2489 s and 0.2455 s).

Prints one line a file and a kind, then the sum, in percent of all calls' time:   same_bits BATCH KIND CALLS SECONDS PERCENT
Exit status 1 if the sum exceeds 3 percent.
"""
import argparse
import json
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def sinew(args, *words):
    return subprocess.run([args.sinew, *words], check=True, capture_output=True, text=True).stdout


def readers_of_parts(schedule):
    """Names of the kernels of form reduce that read a partial sum, itself or through a view."""
    partial = set(re.findall(r"^ +(%\S+) = partial_sum ", schedule, re.M))
    buffers = {n: (value, alias) for n, value, alias in re.findall(r"^buffer (\d+) (%\S+)(?: alias (\d+))?", schedule, re.M)}

    def root(n):
        while buffers[n][1]:
            n = buffers[n][1]
        return buffers[n][0]

    parts = {value for n, (value, _) in buffers.items() if root(n) in partial}
    kernels = re.findall(r'^kernel \d+ "([^"]+)" reduce.*?\n +in ([^\n]*)', schedule, re.M)
    return {name for name, reads in kernels if parts.intersection(reads.split(", "))}


def measure(args, file, sets):
    words = [w for s in sets for w in ("--set", s)]
    readers = readers_of_parts(sinew(args, "show", file, *words, "--stage", "scheduled"))
    bench = json.loads(sinew(args, "bench", file, *words, "--kernels", "--json", "--seconds", str(args.seconds)))
    found = {"sums": [0, 0.0], "parts": [0, 0.0]}
    whole = 0.0
    for k in bench["kernel_times"]:
        name, _, call = k["name"].partition("#")
        whole += k["seconds"]
        kind = "sums" if name in readers else "parts" if call not in ("", "1") and not k["gflops"] else None
        if kind:
            found[kind][0] += 1
            found[kind][1] += k["seconds"]
    total = [sum(f[i] for f in found.values()) for i in (0, 1)]
    for kind, (calls, seconds) in [*found.items(), ("all", total)]:
        print(f"same_bits {bench['batch']} {kind} {calls} {seconds:.6f} {100 * seconds / whole:.2f}")
    return total[1] / whole


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--sinew", default=os.path.join(ROOT, "build", "sinew"))
    p.add_argument("--seconds", type=float, default=4)
    p.add_argument("--set", action="append", default=[])
    p.add_argument("file", nargs="?")
    args = p.parse_args()
    jobs = [(args.file, args.set)] if args.file else [
        (os.path.join(ROOT, "models/recipes/moco_stgcn.json"), [*args.set, f"batch={b}"]) for b in (8, 32)]
    return max(measure(args, file, sets) for file, sets in jobs) > 0.03


if __name__ == "__main__":
    sys.exit(main())
