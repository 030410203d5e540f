"""Batch norm, ReLU and residual in training, on top of a block's contractions (overhead.py measures).  Not the contractions' own speed."""
import functools
import json
import os
import sys

import contest

TITLE = "batch norm + ReLU + residual in training, on top of the block's contractions"


def run(o):
    return [functools.partial(measure, o, w) for w in (16, 64, 256)]


def measure(o, w):
    command = [sys.executable, os.path.join(contest.HERE, "overhead.py"), "--sinew", o.sinew, "--threads", str(o.threads), "--json",
               "--widths", str(w), "--rounds", str(o.rounds)]
    r = json.loads(contest.output(command))[0]
    return {"work": f"four ST-GCN blocks of width {w}, batch {r['batch']}", "step_s": r["blocks"],
            "notes": [f"contractions alone {1e3 * r['contractions']:.2f} ms"], "checks": [contest.check("cost", r["overhead"], "<=", 0.07)]}
