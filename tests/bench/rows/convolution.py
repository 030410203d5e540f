"""Each temporal convolution of 9 taps and its two gradients against oneDNN through PyTorch.  Not inside a step: there prologues and epilogues join."""
import os

import contest

TITLE = "temporal convolution, 9 taps, C to C channels, 25 joints"
FILE = os.path.join(contest.HERE, "graphs", "convolution.json")
# channels, batch, frames: as in the encoders, and enough of them for milliseconds
SIZES = [(16, 32, 300), (32, 16, 150), (64, 16, 150), (128, 8, 150), (256, 8, 74), (512, 4, 74)]


def run(o):
    host = []  # started with the first case

    def torch_ops():
        if not host:
            host.append(contest.peer(o, "PyTorch", "torch_ops.py", [], "jemalloc"))
            host[0].ready()
        return host[0]

    return [lambda c=c, s=s, w=w: measure(o, torch_ops, w, *c, s) for c in SIZES for s in (1, 2) for w in ("forward", "data", "weight")]


def measure(o, host, work, channels, batch, frames, stride):
    frames_name = {"S": frames // stride} if work == "data" else {"T": frames}
    makers = [lambda: contest.sinew(o, FILE, {"C": channels, "stride": stride, "N": batch, **frames_name}, module=work)]
    for last in (1, 0):
        case = {"work": work, "C": channels, "stride": stride, "N": batch, "T": frames, "last": last}
        makers.append(lambda case=case: contest.Guest(host(), "oneDNN channels-last" if case["last"] else "oneDNN blocked", case))
    results, faults = contest.race(o, makers, 0.06)
    name = {"forward": "forward", "data": "data gradient", "weight": "weight gradient"}[work]
    return contest.record(f"{channels:3} channels, stride {stride}, {name}", results, faults, [("peak_share", ">=", 0.75 if channels == 16 else 0.85)])
