#!/usr/bin/env python3
"""What `sinew profile` wrote, checked as another program would read it: sums, fields, events that do not overlap, a page that needs no network.

    profile.py json FILE [BY]         rows and what they add up to
    profile.py trace FILE PROFILE     a trace beside the profile of the same run
    profile.py page FILE              the page's JSON, printed; that nothing in the page leads out of it
"""
import json
import re
import sys

ROW = {"name": str, "node": str, "where": str, "bound": str, "calls": int, "seconds": float, "busy_seconds": float, "share": float, "flop": float, "bytes": float,
       "gflops": float, "peak_share": float, "intensity": float, "roofline_share": float, "limit_seconds": float, "backward_seconds": float,
       "thread_busy_seconds": list}


def near(a, b, tolerance=1e-6):
    return abs(a - b) <= tolerance * (abs(a) + abs(b)) + 1e-9


def check(condition, text):
    if not condition:
        sys.exit(f"FAILED: {text}")


def check_row(p, r):
    for key, kind in ROW.items():
        check(isinstance(r.get(key), (int, float) if kind is float else kind), f"{r.get('name')}: {key} is {r.get(key)!r}")
    check(len(r["thread_busy_seconds"]) == p["threads"], f"{r['name']}: {len(r['thread_busy_seconds'])} threads")
    check(near(sum(r["thread_busy_seconds"]), r["busy_seconds"]), f"{r['name']}: threads do not add up to busy_seconds")
    check(r["busy_seconds"] <= p["threads"] * r["seconds"] * 1.001 + 1e-6, f"{r['name']}: more busy than there is time")
    check(r["backward_seconds"] <= r["seconds"] * 1.000001, f"{r['name']}: more backward than there is time")
    check(near(r["roofline_share"] * r["seconds"], r["limit_seconds"]), f"{r['name']}: roofline_share")
    limit = max(r["flop"] / p["peak_gflops"], r["bytes"] / p["bandwidth_gbytes"]) / 1e9
    if r["calls"] == 1 and r["bytes"]:
        check(near(limit, r["limit_seconds"], 1e-4), f"{r['name']}: limit {r['limit_seconds']}, by hand {limit}")
        memory = r["bytes"] / p["bandwidth_gbytes"] > r["flop"] / p["peak_gflops"]
        check(r["bound"] == ("memory" if memory else "compute"), f"{r['name']}: bound by {r['bound']}")
    check(set(r["counters"]) == set(p["counters"]), f"{r['name']}: counters {r['counters']}")


def check_profile(p):
    check(p["sinew"] == "profile 1", "not a profile")
    rows, others, whole = p["kernel_times"], p["other_times"], p["profile"]
    for r in rows:
        check_row(p, r)
    total = sum(r["seconds"] for r in rows)
    check(near(total, whole["kernels_s"]), "kernels do not add up")
    check(near(total + sum(r["seconds"] for r in others), whole["step_s"]), "rows do not add up to the step")
    check(near(sum(r["share"] for r in rows + others), 1, 1e-5), "shares do not add up to 1")
    check([r["seconds"] for r in rows] == sorted((r["seconds"] for r in rows), reverse=True), "rows are not sorted")
    check(len(p["thread_times"]) == p["threads"], "thread_times")
    for t, times in enumerate(p["thread_times"]):
        check(near(times["busy_s"], sum(r["thread_busy_seconds"][t] for r in rows)), f"thread {t} does not add up")
        check(near(times["busy_s"] + times["waiting_s"], whole["kernels_s"]), f"thread {t}: busy and waiting are not the time of the kernels")
    for name, count in p["counters"].items():
        check(near(count, sum(r["counters"][name] for r in rows), 1e-4), f"counter {name} does not add up")
    named = list(p["counters"]) + [m["name"] for m in p["counters_missing"]]
    check(len(named) == len(set(named)) == 8 and all(m["why"] for m in p["counters_missing"]), f"counters {named}")


def check_trace(trace, p):
    events = trace["traceEvents"]
    spans = [e for e in events if e["ph"] == "X"]
    check(all(e["ph"] in "XM" for e in events), "events of unknown kinds")
    tracks = {e["tid"]: e["args"]["name"] for e in events if e["name"] == "thread_name"}
    threads = {track: name for track, name in tracks.items() if name.startswith("thread ")}
    check(sorted(threads.values()) == sorted(f"thread {t}" for t in range(p["threads"])), f"tracks {tracks}")
    check({e["tid"] for e in spans} <= set(tracks) and not {0, spans[0]["pid"]} & set(tracks), f"numbers of tracks {tracks}")
    for track in tracks:
        mine = sorted((e for e in spans if e["tid"] == track), key=lambda e: e["ts"])
        for e, after in zip(mine, mine[1:]):
            check(e["dur"] >= 0 and e["ts"] + e["dur"] <= after["ts"] + 5e-4, f"{e['name']} at {e['ts']} overlaps {after['name']} at {after['ts']}")
    kernels = [e for e in spans if e["tid"] in threads]
    check(all(set(e["args"]) >= {"node", "place", "FLOP", "bytes", "tiles"} for e in kernels), "arguments of events")
    for row in p["kernel_times"]:
        mine = [e for e in kernels if e["name"] == row["name"]]
        if not row["busy_seconds"]:
            check(not mine, f"{row['name']} was made before, but is in the trace")
            continue
        check(near(sum(e["args"]["FLOP"] for e in mine), row["flop"]) and near(sum(e["args"]["bytes"] for e in mine), row["bytes"]),
              f"{row['name']}: the trace does not add up to the profile")
        check(near(sum(e["args"]["share of call"] for e in mine), 1), f"{row['name']}: not all tiles are in the trace")
        check(all(e["args"]["place"] == row["where"] and e["args"]["node"] == row["node"] for e in mine), f"{row['name']}: place or node")
    check({e["name"] for e in kernels} <= {r["name"] for r in p["kernel_times"]}, "events that are no kernels")


def check_graph(p):
    graph, calls = p["graph"], p["kernel_times"]
    names = [k["name"] for k in graph]
    check(set(names) == {c["name"].split("#")[0] for c in calls} and len(set(names)) == len(names), "the graph's kernels are not those that ran")
    for i, k in enumerate(graph):
        check(all(0 <= f < i for f in k["from"]), f"{k['name']}: reads from {k['from']}, but is number {i}")
        check(k["home"] and f'"{k["name"]}" {k["form"]}' in k["text"], f"{k['name']}: text {k['text'][:80]!r}")
    check(any(k["from"] for k in graph), "no kernel reads what another made")
    check(any(k["backward"] for k in graph) == any(c["backward_seconds"] > 0 for c in calls), "backward")


def check_page(text, codes):
    data = re.compile(r'<script type="application/json" id="data">(.*?)</script>', re.S)
    p = json.loads(data.search(text).group(1))
    frame = data.sub("", text)
    check(not re.search(r"""(?i)\b(src|href)\s*=|@import|url\(|\bfetch\(|XMLHttpRequest|https?://(?!www\.w3\.org/)""", frame), "the page refers to something outside")
    check("default-src 'none'" in frame, "the page may load things")
    check_profile(p)
    check_graph(p)
    for c in p["kernel_times"]:
        file, line = c["where"].rsplit(":", 1)
        check(0 < int(line) <= p["sources"][file].count("\n") + 1, f"{c['name']}: the page has no {c['where']}")
    check(len(p["code"]) == codes and all("define " in c["llvm"] and "ret" in c["asm"] for c in p["code"].values()), f"code of {list(p['code'])}")
    check(codes == 0 or p["kernel_times"][0]["name"].split("#")[0] in p["code"], "no code of the slowest kernel")


def main():
    what, path, *rest = sys.argv[1:]
    text = open(path, encoding="utf-8").read()
    if what == "json":
        p = json.loads(text)
        check_profile(p)
        check(not rest or p["by"] == rest[0], f"rows by {p['by']}")
    elif what == "trace":
        check_trace(json.loads(text), json.load(open(rest[0], encoding="utf-8")))
    elif what == "page":
        check_page(text, int(rest[0]))
    else:
        sys.exit(__doc__)


main()
