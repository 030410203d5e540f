"""The peers' side of a race: wait for a line "N", do N steps, answer with their seconds; at the end of input tell about oneself.
Not a step of anything (torch_step.py and its neighbours are)."""
import json
import sys
import time


def peak_bytes():
    with open("/proc/self/status") as f:
        return next(int(line.split()[1]) * 1024 for line in f if line.startswith("VmHWM"))


def serve(step, **notes):
    """`step` is called with the rest of the request's line, if there is any, else with nothing."""
    print("turn", flush=True)
    for line in sys.stdin:
        count, _, rest = line.strip().partition(" ")
        run = step if not rest else step(rest)
        times = []
        for _ in range(int(count)):
            begin = time.perf_counter()
            run()
            times.append(time.perf_counter() - begin)
        print("turn", *(f"{t:.9f}" for t in times), flush=True)
    print(json.dumps({"memory_peak_bytes": peak_bytes(), **notes}), flush=True)
