"""Oracle of runtime/eval's protocols: proposals, suppression, matching, average precision, written again from their description.

  protocols.py make DIR     writes scores, truth and what each protocol makes of them
  protocols.py check DIR    computes the same anew and compares

Three sets of videos: smooth (random walks under a softmax), coarse (multiples of 0.05, so that values equal thresholds and scores tie), long (13
columns, many segments).  Sums run in the order of frames, in double where the C code does and in f32 where the original does."""
import json
import struct
import sys
from pathlib import Path

import numpy as np

f32 = np.float32
LOW = [0.03 + i * 0.005 for i in range(5)]
EVEN = [0.05 + i * 0.05 for i in range(19)]


# ---- inputs

def softmax(x):
    e = np.exp(x - x.max(1, keepdims=True))
    return (e / e.sum(1, keepdims=True)).astype(f32)


def make_video(rng, frames, classes, actions, sharp, mean):
    label = np.full(frames, -1)
    t = 0
    while t < frames:
        n = int(rng.integers(1, mean))
        label[t:t + n] = rng.choice(list(actions) + [-1])
        t += n
    walk = np.cumsum(rng.normal(0, 0.5, (frames, classes)), 0)
    walk -= np.linspace(0, 1, frames)[:, None] * walk[-1]
    for c in actions:
        walk[:, c] += sharp * (label == c)
    none = [c for c in range(classes) if c not in actions][0]
    walk[:, none] += sharp * (label == -1)
    return softmax(walk), label


def make_set(name):
    rng = np.random.default_rng({"smooth": 1, "coarse": 2, "long": 3}[name])
    classes, actions, background, frames, mean = (13, range(2, 12), 0, (150, 320), 40) if name == "long" else (5, range(4), 4, (20, 140), 25)
    scores, truth = {}, []
    for v in range(5 if name == "long" else 8):
        p, label = make_video(rng, int(rng.integers(*frames)), classes, actions, 2.5, mean)
        if name == "coarse":
            p = (np.round(p * 20) * f32(0.05)).astype(f32)
            label[:] = -1 if v == 3 else label
        scores[f"v{v}"] = p
        edges = np.flatnonzero(np.diff(np.concatenate([[-9], label, [-9]])))
        rows = [(f"v{v}", s, e, int(label[s])) for s, e in zip(edges[:-1], edges[1:]) if label[s] >= 0]
        truth += rows or [(f"v{v}", 0, len(label), "")]
    return scores, truth, background


def write_set(path, scores, truth):
    head, at = {}, 0
    for v, p in scores.items():
        head[v] = {"dtype": "F32", "shape": list(p.shape), "data_offsets": [at, at + p.nbytes]}
        at += p.nbytes
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 64)
    path.with_suffix(".safetensors").write_bytes(struct.pack("<Q", len(text)) + text + b"".join(p.tobytes() for p in scores.values()))
    rows = [f"{v},30,{s},{e},{c},made" for v, s, e, c in truth]
    path.with_suffix(".csv").write_text("\n".join(["seq,fps,start_frame,end_frame,label,source"] + rows) + "\n")


# ---- BABEL (section numbers are those of detectionMAP.py's description)

def runs(mask):
    d = np.diff(np.concatenate([[0], mask.astype(int), [0]]))
    return list(zip(np.flatnonzero(d == 1), np.flatnonzero(d == -1)))


def mean(values):
    total = 0.0
    for x in values:
        total += float(x)
    return total / len(values)


def score(p, s, e):
    n = e - s
    outer = [p[t] for t in range(max(0, int(s - 0.25 * n)), s)] + [p[t] for t in range(e + 1, min(len(p) - 1, int(e + 0.25 * n + 1)))]
    return mean(p[s:e + 1]) - (0.6 * mean(outer) if outer else 0)


def suppress(found):
    """found: (s, e, score) with e the original's, one behind the run."""
    left, kept = sorted(found, key=lambda d: (-d[2], d[0])), []
    while left:
        best = left.pop(0)
        kept.append(best)
        left = [d for d in left if max(0, min(best[1], d[1]) - max(best[0], d[0]) + 1) / (d[1] - d[0] + 1) <= 0.2]
    return kept


def propose_babel(scores, thresholds):
    out = []
    for v, p in scores.items():
        for c in range(p.shape[1]):
            if float(p[:, c].max()) < 0.1:
                continue
            found = [(int(s), int(e) + 1, score(p[:, c], s, e)) for h in thresholds for s, e in runs(p[:, c] > f32(h)) if e - s >= 3]
            out += [(v, c, s, e, x) for s, e, x in suppress(found)]
    return out


def envelope_area(recall, precision, kind):
    r, p = [kind(0)] + list(recall) + [kind(1)], [kind(0)] + list(precision) + [kind(0)]
    for i in range(len(p) - 2, -1, -1):
        p[i] = max(p[i], p[i + 1])
    total = kind(0)
    for i in range(1, len(r)):
        if r[i] != r[i - 1]:
            total = kind(total + kind(kind(r[i] - r[i - 1]) * p[i]))
    return float(total)


def area(hits, truths, kind):
    right = np.cumsum(hits)
    return envelope_area([kind(x / truths) for x in right], [kind(x / (i + 1)) for i, x in enumerate(right)], kind)


def ap_babel(found, truth, tiou, corrected):
    """found: (video, s, stored end, score); truth: (video, s, e)."""
    free, hits = list(truth), []
    for v, s, e, _ in sorted(found, key=lambda d: (-d[3], d[0], d[1])):
        p = set(range(s, e - 1 if corrected else e))
        best, take = 0, None
        for i, (w, a, b) in enumerate(free):
            if w != v:
                continue
            g = set(range(a, b if corrected else b - 1))
            iou = len(p & g) / len(p | g)
            if iou >= tiou and iou > best:
                best, take = iou, i
        hits.append(take is not None)
        if take is not None:
            del free[take]
    return area(hits, len(truth), float)


# ---- PKU-MMD

def propose_pku(scores, none, padded):
    out = []
    for v, p in scores.items():
        n = max(padded, len(p))
        x = np.zeros((n, p.shape[1]), f32)
        x[:len(p)] = p
        x[len(p):, none] = 1
        y = np.zeros(x.shape)
        for t in range(n):
            s, e = max(0, t - 10), (t + 10 if t + 10 < n else n - 1)
            total = np.zeros(p.shape[1], f32)
            for i in range(s, e):
                total = total + x[i]
            y[t] = total / f32(e - s)
        for s, e in runs(1 - y[:, none] >= 0.4):
            means = [mean(y[s:e, c]) for c in range(p.shape[1])]
            c = max((c for c in range(p.shape[1]) if c != none), key=lambda c: (means[c], -c))
            out.append((v, c, int(s), int(e), means[c]))
    return out


def ap_pku(found, truth, tiou):
    taken, hits = set(), []
    for v, s, e, _ in sorted(found, key=lambda d: (-d[3], d[0], d[1])):
        best, at = 0, None
        for i, (w, a, b) in enumerate(truth):
            if w != v:
                continue
            both = min(e, b) - max(s, a) + 1
            iou = both / ((e - s + 1) + (b - a + 1) - both) if both > 0 else 0
            if iou > best:
                best, at = iou, i
        hits.append(best >= tiou and at not in taken)
        if best >= tiou:
            taken.add(at)
    return area(hits, len(truth), f32)


def share(a, b, other):
    return a / b if b and other else 0


class Official:
    """Lists of (label, s, e, score, video); detections by rising score, kept in order where equal."""

    def __init__(self, found, truth, theta):
        self.found, self.truth = sorted(found, key=lambda d: d[3]), truth
        self.match = []
        for l, s, e, _, v in self.found:
            best, at = theta, None
            for j, (m, a, b, _, w) in enumerate(truth):
                if l == m and v == w and s <= e and a <= b and max(e, b) > min(s, a):
                    o = (min(e, b) - max(s, a)) / (max(e, b) - min(s, a))
                    if o >= best:
                        best, at = o, j
            self.match.append(at)

    def f1(self):
        n = len({m for m in self.match if m is not None})
        p, r = share(n, len(self.found), len(self.truth)), share(n, len(self.truth), len(self.found))
        return 2 * p * r / (p + r) if p + r else 0

    def ap(self):
        uses = [self.match.count(j) for j in range(len(self.truth))]
        positive, left = sum(u > 0 for u in uses), len(self.found)
        best, recall, total = share(positive, left, len(self.truth)), share(positive, len(self.truth), left), 0.0
        for m in self.match:
            left -= 1
            if m is None:
                continue
            uses[m] -= 1
            positive -= uses[m] == 0
            best = max(best, share(positive, left, len(self.truth)))
            now = share(positive, len(self.truth), left)
            total += best * (recall - now)
            recall = now
        return total


# ---- frames

def frames(scores, truth, background):
    right, count, videos = {}, {}, []
    for v, p in scores.items():
        label = np.full(len(p), background)
        for w, s, e, c in truth:
            if w == v and c != "":
                label[s:e] = c
        for c in set(label):
            count[c] = count.get(c, 0) + int((label == c).sum())
            right[c] = right.get(c, 0) + int(((label == c) & (p.argmax(1) == c)).sum())
        videos.append((p.max(0).astype(float), set(label)))
    by_class = [right[c] / count[c] for c in sorted(count)]
    aps = []
    for c in range(p.shape[1]):
        if c == background:
            continue
        order = sorted(range(len(videos)), key=lambda i: (-videos[i][0][c], i))
        hits = [c in videos[i][1] for i in order]
        ranks = [sum(hits[:i + 1]) / (i + 1.0) for i, h in enumerate(hits) if h]
        total = 0.0
        for x in ranks:
            total += x
        aps.append(total / len(ranks) if ranks else 1)
    total = 0.0
    for x in by_class:
        total += x
    whole = 0.0
    for x in aps:
        whole += x
    return sum(right.values()) / sum(count.values()), total / len(by_class), whole / len(aps)


# ---- all of it, as lines of text

def merged(truth):
    """Runs of one label."""
    out = []
    for v, s, e, c in truth:
        if out and out[-1][0] == v and out[-1][3] == c and out[-1][2] == s:
            out[-1] = (v, out[-1][1], e, c)
        else:
            out.append((v, s, e, c))
    return out


def lines(scores, truth, background):
    segments = [r for r in truth if r[3] != ""]
    C = next(iter(scores.values())).shape[1]
    for v, p in scores.items():
        assert p.shape[1] == C
    out = ["frames %.17g %.17g %.17g" % frames(scores, truth, background)]
    for word, thresholds in (("low", LOW), ("even", EVEN)):
        found = propose_babel(scores, thresholds)
        out += [f"found babel {word} {v[1:]} {c} {s} {e - 1} {x:.17g}" for v, c, s, e, x in found]
        for corrected in (0, 1):
            for tiou in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7):
                for c in range(C):
                    own = [(v, s, e) for v, s, e, k in merged(segments) if k == c]
                    if own and c != background:
                        ap = ap_babel([(v, s, e, x) for v, k, s, e, x in found if k == c], own, tiou, corrected)
                        out.append(f"ap {'babel-corrected' if corrected else 'babel'} {word} {tiou} {c} {ap:.17g}")
    for padded in (0, 400):
        found = propose_pku(scores, background, padded)
        out += [f"found pku {padded} {v[1:]} {c} {s} {e} {x:.17g}" for v, c, s, e, x in found]
        for tiou in (0.1, 0.3, 0.5):
            for c in range(C):
                own = [(v, s, e) for v, s, e, k in segments if k == c]
                if own and c != background:
                    out.append(f"ap pku {padded} {tiou} {c} {ap_pku([(v, s, e, x) for v, k, s, e, x in found if k == c], own, tiou):.17g}")
        f, t = [(k, s, e, x, v) for v, k, s, e, x in found], [(k, s, e, 1, v) for v, s, e, k in segments]
        action = video = two = 0.0
        for c in range(C):
            if any(g[0] == c for g in t):
                action += Official([d for d in f if d[0] == c], [g for g in t if g[0] == c], 0.5).ap()
        for v in scores:
            video += Official([d for d in f if d[4] == v], [g for g in t if g[4] == v], 0.5).ap()
        for i in range(1, 21):
            two += Official(f, t, i * 0.05).ap()
        every = Official(f, t, 0.5)
        out.append(f"official {padded} {every.f1():.17g} {every.ap():.17g} {action / 51:.17g} {video / len(scores):.17g} {two / 20:.17g}")
    return "\n".join(out) + "\n"


if __name__ == "__main__":
    verb, folder = sys.argv[1], Path(sys.argv[2])
    wrong = 0
    for name in ("smooth", "coarse", "long"):
        scores, truth, background = make_set(name)
        text = lines(scores, truth, background)
        if verb == "make":
            write_set(folder / name, scores, truth)
            (folder / name).with_suffix(".txt").write_text(text)
        elif (folder / name).with_suffix(".txt").read_text() != text:
            print(f"{name}.txt differs")
            wrong = 1
    sys.exit(wrong)
