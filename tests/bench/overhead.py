#!/usr/bin/env python3
# What batch norm, ReLU and residual cost in training, on top of a block's contractions: forward and backward, as parts of a training step.
# Not the race against peers (compare.py).
#
#   python3 tests/bench/overhead.py --sinew build/sinew [--threads 2] [--rounds 3] [--seconds 0.7] [--json]
#
# graphs/block.json is a chain of four equal blocks of ST-GCN.  The contractions alone, and the blocks with everything but dropout, are timed
# in turn; what both have besides (a linear map before and one after) is timed as well and taken off both.  Prints, a row a width
# (the fastest steps, since what else runs on the machine only adds; with --json a list of objects with the same keys, times in seconds):
#
#   width frames batch  contractions ms  blocks ms  overhead %
import argparse
import json
import os
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
ROWS = [(16, 300, 32), (64, 75, 32), (256, 75, 8)]  # width, frames, batch


def step(o, width, frames, batch, kind):
    sets = [f"width={width}", f"frames={frames}", f"batch={batch}", f"kind={kind}"]
    command = [o.sinew, "bench", os.path.join(HERE, "graphs", "block.json"), "--json", f"--seconds={o.seconds}", f"--threads={o.threads}"]
    for s in sets:
        command += ["--set", s]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["step_fastest_s"]


def row(o, width, frames, batch):
    times = [[step(o, width, frames, batch, kind) for kind in (0, 1, 2)] for _ in range(o.rounds)]
    rest, contractions, blocks = (min(t) for t in zip(*times))
    return {"width": width, "frames": frames, "batch": batch, "contractions": contractions - rest, "blocks": blocks - rest,
            "overhead": (blocks - contractions) / (contractions - rest)}


def main():
    p = argparse.ArgumentParser(description="Cost of batch norm, ReLU and residual in training.")
    p.add_argument("--sinew", default="build/sinew")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--seconds", type=float, default=0.7)
    p.add_argument("--widths", default="", help="only these, separated by commas")
    p.add_argument("--json", action="store_true")
    o = p.parse_args()
    only = {int(w) for w in o.widths.split(",") if w}
    rows = [row(o, *r) for r in ROWS if not only or r[0] in only]
    if o.json:
        print(json.dumps(rows))
        return
    print("width  frames  batch  contractions ms  blocks ms  overhead %")
    for r in rows:
        print(f"{r['width']:5} {r['frames']:7} {r['batch']:6} {1e3 * r['contractions']:16.2f} {1e3 * r['blocks']:10.2f} {100 * r['overhead']:11.1f}")


if __name__ == "__main__":
    main()
