#!/usr/bin/env python3
# The product with a fixed graph (3 sets of 25 joints, 73 numbers that are not zero) against dense ones: this compiler's with the graph as an
# input, PyTorch's einsum as published code has it, and PyTorch's fastest form, one matrix product in a layout made for it.
# Forward only; nothing else is timed.
#
#   python3 tests/bench/graph_product.py --sinew build/sinew [--threads 2] [--rounds 3] [--seconds 0.3] [--json]
#
# Runs of all are taken in turn; fastest times, since what else runs on the machine only adds.  Without torch its columns are empty.
# Prints a row a width (with --json a list of objects: width, frames, batch, and seconds or null as fixed, dense, einsum, matmul):
#
#   width frames batch  fixed ms  dense ms (x)  einsum ms (x)  matmul ms (x)        (x): how many times the fixed one's
import argparse
import json
import os
import subprocess
import time

try:
    import torch
except ImportError:
    torch = None

HERE = os.path.dirname(os.path.abspath(__file__))
ROWS = [(16, 300, 32), (64, 75, 32), (256, 75, 8)]  # width, frames, batch


def ours(o, width, frames, batch, fixed):
    command = [o.sinew, "bench", os.path.join(HERE, "graphs", "product.json"), "--json", f"--seconds={o.seconds}", f"--threads={o.threads}"]
    for s in (f"C={width}", f"T={frames}", f"N={batch}", f"fixed={fixed}"):
        command += ["--set", s]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["step_fastest_s"]


def fastest(seconds, f):
    f()
    best, until = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < until:
        start = time.perf_counter()
        f()
        best = min(best, time.perf_counter() - start)
    return best


def theirs(o, width, frames, batch):
    if torch is None:
        return None, None
    torch.set_num_threads(o.threads)
    graph = torch.randn(3, 25, 25)
    with torch.no_grad():
        x = torch.randn(batch, 3, width, frames, 25)
        einsum = fastest(o.seconds, lambda: torch.einsum("nkctv,kvw->nctw", x, graph).contiguous())
        y, flat = torch.randn(batch * width * frames, 75), graph.reshape(75, 25)
        return einsum, fastest(o.seconds, lambda: torch.mm(y, flat))


def row(o, width, frames, batch):
    times = [(ours(o, width, frames, batch, 1), ours(o, width, frames, batch, 0)) + theirs(o, width, frames, batch) for _ in range(o.rounds)]
    best = [min(t) if t[0] is not None else None for t in zip(*times)]
    return dict(zip(("width", "frames", "batch", "fixed", "dense", "einsum", "matmul"), [width, frames, batch] + best))


def cell(r, name):
    return f"{1e3 * r[name]:8.2f} {'(%.1f)' % (r[name] / r['fixed']):>7}" if r[name] is not None else " " * 16


def main():
    p = argparse.ArgumentParser(description="The product with a fixed graph against dense ones.")
    p.add_argument("--sinew", default="build/sinew")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--seconds", type=float, default=0.3)
    p.add_argument("--json", action="store_true")
    o = p.parse_args()
    rows = [row(o, *r) for r in ROWS]
    if o.json:
        print(json.dumps(rows))
        return
    print("width frames batch fixed ms     dense ms (x)    einsum ms (x)    matmul ms (x)")
    for r in rows:
        print(f"{r['width']:5} {r['frames']:6} {r['batch']:5} {1e3 * r['fixed']:8.2f} " + " ".join(cell(r, n) for n in ("dense", "einsum", "matmul")))


if __name__ == "__main__":
    main()
