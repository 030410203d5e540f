"""The race behind compare.sh: `sinew bench` and PyTorch processes take turns, A B B A, in one run on one machine.
Not a profiler: it reports medians, rates and peak memory, nothing about where time goes (`sinew bench --kernels` does).

Each PyTorch variant is one process that stays and does steps when asked; sinew is started anew for each turn (its object cache is
kept), so its turns also contain its warm-up, outside the timed steps. Peak memory is the largest resident size of each process.
"""
import argparse
import datetime
import json
import os
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
RECIPE = os.path.join(HERE, "..", "..", "models", "recipes", "moco_dense_stgcn.json")
LIBRARIES = "/usr/lib/x86_64-linux-gnu/"

# name -> (options of torch_step.py, allocator, what it is)
PEERS = {
    "as written": (["--channels-last", "0", "--graph", "einsum", "--streaming-loss", "0", "--coins", "0"], "jemalloc", "the model's code as published"),
    "eager": (["--graph", "rows", "--coins", "0"], "tcmalloc", "channels-last, products without copies, streaming loss"),
    "tuned": (["--graph", "batched", "--coins", "1"], "tcmalloc", "and dropout from single random bits instead of PyTorch's"),
    "compiled": (["--graph", "rows", "--coins", "0", "--compile", "1"], "tcmalloc", "torch.compile"),
}
ALLOCATORS = {
    "jemalloc": {"LD_PRELOAD": LIBRARIES + "libjemalloc.so.2",
                 "MALLOC_CONF": "oversize_threshold:0,background_thread:true,metadata_thp:auto,dirty_decay_ms:-1,muzzy_decay_ms:-1"},
    "tcmalloc": {"LD_PRELOAD": LIBRARIES + "libtcmalloc_minimal.so.4"},
}


class Torch:
    def __init__(self, name, batch, o):
        options, allocator, self.about = PEERS[name]
        self.name, self.batch, self.times = "PyTorch, " + name, batch, []
        env = dict(os.environ, OMP_NUM_THREADS=str(o.threads), TORCHINDUCTOR_CACHE_DIR=os.path.join(o.out, "inductor"), **ALLOCATORS[allocator])
        command = [sys.executable, os.path.join(HERE, "peers", "torch_step.py"), "--batch", str(batch), "--threads", str(o.threads),
                   "--frames", str(o.frames), "--queue", str(o.queue), "--hidden", str(o.hidden), *options]
        self.process = subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        ready = self.process.stdout.readline()
        if not ready.startswith("ready"):
            raise RuntimeError(f"{self.name} does not run here: {ready!r}")
        self.notes = dict(field.split("=") for field in ready.split()[1:])

    def turn(self, steps):
        for _ in range(steps):
            self.process.stdin.write("step\n")
            self.process.stdin.flush()
            self.times.append(float(self.process.stdout.readline().split()[1]))

    def finish(self):
        self.process.stdin.write("quit\n")
        self.process.stdin.flush()
        peak = int(self.process.stdout.readline().split()[1])
        self.process.wait()
        return {"peak_bytes": peak, "torch": self.notes["torch"], "warmup_s": float(self.notes["warmup_s"])}


class Sinew:
    def __init__(self, batch, o):
        self.name, self.about, self.batch, self.times, self.peak, self.o = "sinew", "sinew bench", batch, [], 0, o
        self.cache = tempfile.TemporaryDirectory()
        self.first = None

    def turn(self, steps):
        seconds = steps * statistics.median(self.times) if self.times else 0
        command = [self.o.sinew, "bench", RECIPE, "--json", "--threads", str(self.o.threads), "--seconds", str(seconds)]
        for name, value in (("batch", self.batch), ("hidden", self.o.hidden), ("frames", self.o.frames), ("queue", self.o.queue)):
            command += ["--set", f"{name}={value}"]
        child = subprocess.Popen(command, env=dict(os.environ, SINEW_CACHE=self.cache.name), stdout=subprocess.PIPE, text=True)
        text = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            raise RuntimeError("sinew bench failed")
        result = json.loads(text)
        self.times.append(result["step_s"])
        self.peak = max(self.peak, result["memory_peak_bytes"])
        self.first = self.first or result
        self.last = result

    def finish(self):
        keep = ("compile_cold_s", "compile_cached_s", "gflops", "peak_share", "memory_planned_bytes")
        return {"peak_bytes": self.peak, **{k: self.first[k] for k in keep}}


def race(batch, o):
    """ABBA: round 1 runs the contestants in order, round 2 in reverse, and so on."""
    contestants = [Sinew(batch, o)]
    for name in o.peers.split(","):
        try:
            contestants.append(Torch(name.strip(), batch, o))
        except RuntimeError as e:
            print(e, file=sys.stderr)
    for r in range(o.rounds):
        for c in contestants if r % 2 == 0 else contestants[::-1]:
            c.turn(o.steps)
    rows = []
    for c in contestants:
        step = statistics.median(c.times)
        rows.append({"name": c.name, "about": c.about, "batch": batch, "step_s": step, "fastest_s": min(c.times),
                     "sequences_per_second": batch / step, **c.finish()})
    return rows


def processor():
    with open("/proc/cpuinfo") as f:
        return next(line.split(":")[1].strip() for line in f if line.startswith("model name"))


def table(report):
    o = report["setting"]
    lines = [f"Stage-1 training step: ST-GCN of width {o['hidden']}, {o['frames']} frames, queue {o['queue']}, both losses, {o['threads']} threads, "
             f"medians of {o['rounds']} turns of {o['steps']} steps, taken in turn",
             f"{report['processor']}, {report['date']}, load before {report['load_before']:.1f}", "",
             f"{'':34}{'batch':>6}{'s/step':>9}{'seq/s':>8}{'against':>9}{'peak MiB':>10}{'against':>9}"]
    for rows in report["races"]:
        for row in rows:
            speed = row["sequences_per_second"] / rows[0]["sequences_per_second"]
            lines.append(f"{row['name']:34}{row['batch']:>6}{row['step_s']:>9.3f}{row['sequences_per_second']:>8.2f}{speed:>8.2f}x"
                         f"{row['peak_bytes'] / 2**20:>10.0f}{row['peak_bytes'] / rows[0]['peak_bytes']:>8.2f}x")
        s = rows[0]
        lines += [f"  sinew: compiled in {s['compile_cold_s']:.2f} s cold, {s['compile_cached_s']:.2f} s from the cache; {s['gflops']:.0f} GFLOP/s, "
                  f"{100 * s['peak_share']:.0f} % of the FMA peak; {s['memory_planned_bytes'] / 2**20:.0f} MiB planned", ""]
    lines += [f"PyTorch {report['torch']}.  " + "  ".join(f"{k}: {v[2]} ({v[1]})." for k, v in PEERS.items())]
    return "\n".join(lines)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--sinew", required=True)
    p.add_argument("--out", required=True)
    p.add_argument("--batch", default="32,8")
    p.add_argument("--peers", default=",".join(PEERS))
    for name, value in dict(threads=2, rounds=4, steps=3, hidden=16, frames=300, queue=32768).items():
        p.add_argument("--" + name, type=int, default=value)
    o = p.parse_args()
    os.makedirs(o.out, exist_ok=True)
    report = {"processor": processor(), "date": datetime.datetime.now().isoformat(" ", "minutes"), "load_before": os.getloadavg()[0],
              "setting": {k: getattr(o, k) for k in ("threads", "rounds", "steps", "hidden", "frames", "queue")}}
    report["races"] = [race(int(batch), o) for batch in o.batch.split(",")]
    report["torch"] = next((row["torch"] for rows in report["races"] for row in rows if "torch" in row), "none")
    text = table(report)
    print(text)
    with open(os.path.join(o.out, "race.txt"), "w") as f:
        f.write(text + "\n")
    with open(os.path.join(o.out, "race.json"), "w") as f:
        json.dump(report, f, indent=1)
        f.write("\n")


main()
