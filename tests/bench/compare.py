"""All rows of the comparison, one after the other, and their table.  Not the rows (rows/) nor the turns of contestants (contest.py).

Each row is written to OUT/compare.jsonl as it comes, so that a stopped run keeps what it has; at the end OUT/compare.txt has the table and
OUT/compare.json everything, each contestant's time included.  A row that fails says why and loses no other.
"""
import argparse
import datetime
import importlib
import importlib.metadata
import json
import os
import re
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import rows


def processor():
    with open("/proc/cpuinfo") as f:
        info = dict(re.split(r"\s*:\s*", line.strip(), maxsplit=1) for line in f if ":" in line)
    vector = "AVX-512" if "avx512f" in info.get("flags", "") else "AVX2" if "avx2" in info.get("flags", "") else "no AVX2"
    return f"{info['model name']} (family {info['cpu family']}, model {info['model']}, {vector}), {len(os.sched_getaffinity(0))} processors"


def seconds(t):
    return "" if t is None else f"{1e3 * t:.2f} ms" if t < 1 else f"{t:.3f} s"


def mebibytes(n):
    return "" if n is None else f"{n / 2**20:.0f}"


def figure(what, v):
    if v is None:
        return "unknown"
    return f"{100 * v:.1f} %" if what.endswith(("share", "cost", "spread")) else seconds(v) if what.endswith("_s") else f"{v:.2f}"


def verdict(line):
    if "why" in line:
        return "does not run: " + line["why"]
    word = {True: "met", False: "NOT MET", None: "unknown"}
    return "; ".join(f"{c['what'].removesuffix('_s').replace('_', ' ')} {figure(c['what'], c['value'])} {c['sense']} "
                     f"{figure(c['what'], c['bound'])} {word[c['met']]}" for c in line.get("checks", []))


HEAD = f"{'work':44}{'sinew':>12}{'best peer':>12}  {'which':22}{'ratio':>7}{'of peak':>9}{'MiB':>7}{'planned':>8}{'of peer':>9}{'cold':>8}{'cached':>8}  targets"


def table_line(line):
    share, ratio, of = line.get("peak_share"), line.get("ratio"), line.get("memory_share")
    cold, cached = line.get("compile_cold_s"), line.get("compile_cached_s")
    text = (f"{line['work']:44}{seconds(line.get('step_s')):>12}{seconds(line.get('peer_s')):>12}  {line.get('peer', ''):22}"
            f"{'' if ratio is None else f'{ratio:.2f}x':>7}{'' if share is None else f'{100 * share:.1f} %':>9}"
            f"{mebibytes(line.get('memory_bytes')):>7}{mebibytes(line.get('planned_bytes')):>8}{'' if of is None else f'{100 * of:.0f} %':>9}"
            f"{'' if cold is None else f'{cold:.2f}':>8}{'' if cached is None else f'{cached:.3f}':>8}  {verdict(line)}")
    return "\n".join([text.rstrip()] + [f"{'':6}{note}" for note in line.get("notes", []) + [f.splitlines()[0] for f in line.get("faults", [])]])


def contestants(line):
    return [f"  {line['work']:44}{r['name']:24}{seconds(r['step_s']):>12}{seconds(r['fastest_s']):>12}{mebibytes(r.get('memory_peak_bytes')):>8}  {r['steps']} steps"
            f"{', dropped after the first round' if r['dropped'] else ''}" for r in line.get("contestants", [])]


def table(report):
    lines = report["lines"]
    peaks = [line["peak_gflops"] for line in lines if line.get("peak_gflops")]
    checks = [c for line in lines for c in line.get("checks", [])]
    text = [f"{report['processor']}; {report['date']}; {report['threads']} threads, float32, medians of {report['rounds']} rounds of turns; "
            f"load before {report['load_before']:.1f}; {report['took_s'] / 60:.0f} minutes",
            f"multiply-adds alone reached {min(peaks):.0f} to {max(peaks):.0f} GFLOP/s on {report['threads']} threads, measured with each row" if peaks else "",
            f"of {len(checks)} targets {sum(c['met'] is True for c in checks)} are met, {sum(c['met'] is False for c in checks)} are not, "
            f"{sum(c['met'] is None for c in checks)} unknown; {sum('why' in line for line in lines)} rows do not run",
            f"versions: {', '.join(f'{k} {v}' for k, v in report['versions'].items())}", ""]
    title = None
    text.append(HEAD)
    for line in lines:
        if line["title"] != title:
            title = line["title"]
            text.append(f"-- {title}")
        text.append(table_line(line))
    text += ["", "Every contestant (median and fastest step, peak MiB):"] + [t for line in lines for t in contestants(line)]
    return "\n".join(text)


def attempt(work, what):
    begin = time.monotonic()
    try:
        line = work()
    except Exception as e:
        traceback.print_exc(file=sys.stderr)
        line = {"work": what, "why": str(e)}
    line["took_s"] = time.monotonic() - begin
    return line


def run_row(o, name, out):
    """Lines of one row; each work is a function, so that one may fail alone."""
    try:
        name, *parts = name.split(":")
        row = importlib.import_module("rows." + name)
        works = [w for i, w in enumerate(row.run(o), 1) if not parts or str(i) in parts]
    except Exception as e:
        traceback.print_exc(file=sys.stderr)
        return [{"row": name, "title": name, "work": name, "why": str(e), "took_s": 0}]
    lines = []
    for i, work in enumerate(works):
        line = {"row": name, "title": row.TITLE, **attempt(work, f"{name} {i + 1}")}
        lines.append(line)
        out.write(json.dumps(line) + "\n")
        out.flush()
        print(table_line(line), flush=True)
    return lines


def versions():
    found = {}
    for module in ("torch", "numpy", "onnxruntime", "openvino", "jax"):
        try:
            found[module] = importlib.metadata.version(module)
        except importlib.metadata.PackageNotFoundError:
            pass
    return found


def options():
    p = argparse.ArgumentParser()
    p.add_argument("--sinew", required=True)
    p.add_argument("--out", required=True)
    p.add_argument("--only", default=",".join(rows.NAMES), help="rows by name, or parts of one by number: step:1,inference:1:3")
    p.add_argument("--peers", default="", help="of the steps' peers only these: tuned,eager")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--rounds", type=int, default=4)
    p.add_argument("--quick", action="store_true", help="two rounds")
    p.add_argument("--results", action="store_true", help="write RESULTS.md")
    o = p.parse_args()
    from rows import step
    o.peers = [name for name in o.peers.split(",") if name]
    if unknown := set(o.peers) - set(step.PEERS):
        p.error(f"no such peer: {', '.join(unknown)}; there are {', '.join(step.PEERS)}")
    if o.peers and o.results:
        p.error("RESULTS.md is of all peers")
    o.rounds = 2 if o.quick else o.rounds
    o.sinew, o.out = os.path.abspath(o.sinew), os.path.abspath(o.out)
    o.build = os.path.dirname(o.sinew)
    return o


ABOUT = """# The comparison

`bash tests/bench/compare.sh --results` makes the peers' environment, measures everything below in one run and writes this page. Peers run on the
same threads and take turns with sinew, A B C, C B A, in processes that stay; medians of a step count. A peer that needs more than 1.5 times the best
peer's time in its first turn takes no further ones. Peers as their experts run them: tcmalloc or jemalloc preloaded, oneDNN, channels-last where it
helps, norms folded in inference, all optimisations of ONNX Runtime, OpenVINO's latency hint in float32; results of inference must agree with
sinew's to 1e-3 of the largest value before a peer may run. What falls short, and where its time goes, stands in [SHORT.md](SHORT.md).

- *of peak*: multiply-adds of the direct method over time, against what multiply-adds on registers alone reach right after, on the same threads. Above
  100 % where a convolution over time needs fewer multiplications than the direct method.
- *MiB*, *planned*: the process's peak, compiler and all; slab and parameters as planned. *of peer*: peak against the least of the peers'.
- *cold*, *cached*: seconds from reading the file to a program that runs, with an empty object cache and again.
- PyTorch's training steps: {peers}.
"""


def page(text):
    from rows import step
    about = ABOUT.format(peers="; ".join(f"*{name}*: {v[2]}, {v[1]}" for name, v in step.PEERS.items()))
    return f"{about}\n```\n{text}\n```\n"


def main():
    o = options()
    os.makedirs(o.out, exist_ok=True)
    open(os.path.join(o.out, "stderr.txt"), "w").close()
    begin = time.monotonic()
    report = {"processor": processor(), "date": datetime.datetime.now().isoformat(" ", "minutes"), "threads": o.threads, "rounds": o.rounds,
              "load_before": os.getloadavg()[0], "versions": versions(), "lines": []}
    print(HEAD, flush=True)
    with open(os.path.join(o.out, "compare.jsonl"), "w") as out:
        for name in o.only.split(","):
            report["lines"] += run_row(o, name, out)
    report["took_s"] = time.monotonic() - begin
    text = table(report)
    print("\n" + text)
    with open(os.path.join(o.out, "compare.txt"), "w") as f:
        f.write(text + "\n")
    if o.results:
        with open(os.path.join(HERE, "RESULTS.md"), "w") as f:
            f.write(page(text))
    with open(os.path.join(o.out, "compare.json"), "w") as f:
        json.dump(report, f, indent=1)
        f.write("\n")


main()
