"""Contestants of a race and their turns: programs that stay, take a number of steps when asked, and tell their seconds.
Not the races themselves (rows/) nor their table (compare.py).

A contestant is a process.  It prints "turn" when it is warm; each line "N" on its input is answered by "turn" and the seconds of N steps; at the
end of its input it prints one JSON object about itself.  `sinew bench --turns --json` and everything in peers/ speak so.
"""
import json
import os
import select
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
MODELS = os.path.join(HERE, "..", "..", "models")
LIBRARIES = "/usr/lib/x86_64-linux-gnu/"
PATIENCE = 300
ALLOCATORS = {
    "": {},
    "jemalloc": {"LD_PRELOAD": LIBRARIES + "libjemalloc.so.2",
                 "MALLOC_CONF": "oversize_threshold:0,background_thread:true,metadata_thp:auto,dirty_decay_ms:-1,muzzy_decay_ms:-1"},
    "tcmalloc": {"LD_PRELOAD": LIBRARIES + "libtcmalloc_minimal.so.4"},
}


class Contestant:
    """One process; `name` stands in the table, `about` explains it."""

    def __init__(self, o, name, command, env=None, about=""):
        self.name, self.about, self.times, self.dropped, self.notes = name, about, [], False, None
        self.log = open(os.path.join(o.out, "stderr.txt"), "a")
        self.log.write(f"\n== {name}: {' '.join(command)}\n")
        self.log.flush()
        self.process = subprocess.Popen(command, env=dict(os.environ, OMP_NUM_THREADS=str(o.threads), **(env or {})), stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.log, text=True)

    def answer(self):
        """The seconds of the steps asked for.  A process that says nothing for PATIENCE seconds counts as one that does not run."""
        line = self.process.stdout.readline() if select.select([self.process.stdout], [], [], PATIENCE)[0] else "nothing heard for long"
        if not line.startswith("turn"):
            self.process.kill()
            self.process.wait()
            raise RuntimeError(f"{self.name} does not run: {line.strip() or self.last_words()}")
        return [float(word) for word in line.split()[1:]]

    def last_words(self):
        with open(self.log.name) as f:
            return f.read().strip().splitlines()[-1][:200]

    def ready(self):
        self.answer()

    def ask(self, request):
        self.process.stdin.write(request + "\n")
        self.process.stdin.flush()
        return self.answer()

    def turn(self, seconds):
        """Steps for about so long, one at least; an unknown speed is tried with one."""
        steps = max(1, round(seconds / statistics.median(self.times))) if self.times else 1
        self.times += self.ask(str(min(steps, 200)))

    def end(self):
        """Once; notes are what it says about itself."""
        if self.notes is not None:
            return
        self.notes = {}
        try:
            self.process.stdin.close()
            self.notes = json.loads(self.process.stdout.read())
        except (OSError, ValueError):
            pass
        self.process.wait()

    def result(self):
        return {"name": self.name, "about": self.about, "step_s": statistics.median(self.times), "fastest_s": min(self.times),
                "steps": len(self.times), "dropped": self.dropped, **self.notes}


class Guest:
    """A contestant that is one case of a process that serves many (peers/torch_ops.py); the process outlives it."""

    def __init__(self, host, name, case, about=""):
        self.host, self.name, self.about, self.case = host, name, about, json.dumps(case)
        self.times, self.dropped, self.notes = [], False, {}

    def ready(self):
        self.host.ask(f"1 {self.case}")

    def ask(self, request):
        return self.host.ask(f"{request} {self.case}")

    def end(self):
        pass

    turn, result = Contestant.turn, Contestant.result


def sinew(o, file, sets=None, module=None, threads=None, name="sinew", kernels=False):
    """`sinew bench` on a graph file of tests/bench/graphs or models."""
    command = [o.sinew, "bench", file, "--json", "--turns", "--threads", str(threads or o.threads)]
    command += [f"--module={module}"] if module else []
    command += ["--kernels"] if kernels else []
    for key, value in (sets or {}).items():
        command += ["--set", f"{key}={value}"]
    return Contestant(o, name, command, about=f"sinew bench {os.path.basename(file)}")


def peer(o, name, script, arguments, allocator="", about=""):
    command = [sys.executable, os.path.join(HERE, "peers", script), "--threads", str(o.threads), *map(str, arguments)]
    return Contestant(o, name, command, dict(TORCHINDUCTOR_CACHE_DIR=os.path.join(o.out, "inductor"), TF_CPP_MIN_LOG_LEVEL="3", **ALLOCATORS[allocator]), about)


def started(makers):
    """The contestants that run, warmed up one after the other, and why the others do not.  Without sinew, the first, there is no race."""
    running, faults = [], []
    for make in makers:
        try:
            c = make()
            c.ready()
            running.append(c)
        except (OSError, RuntimeError) as e:
            if not running:
                raise
            faults.append(str(e))
    return running, faults


def race(o, contestants, seconds, rounds=None):
    """Turns A B C, C B A, ... of about `seconds` each; the first contestant is sinew.  A peer that needs more than 1.5 times the best peer's time
    after its first round takes no further turns.  Results in order; faults as text."""
    running, faults = started(contestants)
    for r in range(rounds or o.rounds):
        active = [c for c in running if not c.dropped]
        for c in active if r % 2 == 0 else active[::-1]:
            first = c.ask("1") if not c.times else []
            c.times += [t for t in first if t > seconds]
            if not first or first[0] <= seconds:
                c.times = c.times or first
                c.turn(seconds)
        best = min((min(c.times) for c in running[1:]), default=0)
        for c in running[1:]:
            if not c.dropped and min(c.times) > 1.5 * best:
                c.dropped = True
                c.end()
    for c in running:
        c.end()
    return [c.result() for c in running], faults


def output(command, fails=False, env=None):
    """Standard output of a command; what it complained about is the error.  `fails`: it may."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, env=env)
    if done.returncode and not fails:
        raise RuntimeError(f"{os.path.basename(str(command[0]))} {command[1]}: " + (done.stderr.strip().splitlines() or ["no message"])[-1])
    return done.stdout


def best_peer(results):
    return min(results[1:], key=lambda r: r["step_s"], default=None)


def record(work, results, faults, checks, **more):
    """A line of the table.  `checks` are (what, value, "<=" or ">=", bound); a value of None is not known."""
    ours, theirs = results[0], best_peer(results)
    line = {"work": work, "step_s": ours["step_s"], "peak_share": ours.get("peak_share"), "memory_bytes": ours.get("memory_peak_bytes"),
            "planned_bytes": ours.get("memory_planned_bytes"), "compile_cold_s": ours.get("compile_cold_s"),
            "compile_cached_s": ours.get("compile_cached_s"), "peak_gflops": ours.get("peak_gflops"), "faults": faults, "contestants": results, **more}
    if theirs:
        line.update(peer=theirs["name"], peer_s=theirs["step_s"], ratio=theirs["step_s"] / ours["step_s"])
        if theirs.get("memory_peak_bytes"):
            line["memory_share"] = line["memory_bytes"] / min(r["memory_peak_bytes"] for r in results[1:] if r.get("memory_peak_bytes"))
    line["checks"] = [check(*(c if len(c) == 4 else (c[0], line.get(c[0]), *c[1:]))) for c in checks]
    return line


def resident_over_plan(r):
    """What sinew's process grew by for its steps, without the inputs, over what was planned."""
    return (r["memory_grown_bytes"] - r["memory_inputs_bytes"]) / r["memory_planned_bytes"] if r.get("memory_grown_bytes") else None


def check(what, value, sense, bound):
    met = None if value is None else value <= bound if sense == "<=" else value >= bound
    return {"what": what, "value": value, "sense": sense, "bound": bound, "met": met}
