"""Oracle of runtime/data/families.c: the three preparations of tracked bodies, written again with NumPy from their description.

  families.py make DIR     writes bodies.skeleton (made for the tests, in the real format) and what each family makes of it
  families.py check DIR    computes the same anew and compares

The recording: P is there from frame 2 on, Q in frames 5 to 24 but for 10 to 12, a short track in 8 to 12, a wide one in 14 to
28, and for two frames nobody. Ids differ in the last digit only, where a reader that takes them for doubles sees one person."""
import sys

import numpy as np

FRAMES, V = 32, 25
P, Q, SHORT, WIDE = (72057594037931100 + i for i in range(4))


def walk(rng, place, width, height):
    rest = rng.uniform(-1, 1, (V, 3)) * [width, height, 0.2] + place
    sway = rng.uniform(-0.2, 0.2, (V, 3))
    t = np.arange(FRAMES)[:, None, None]
    return np.round(rest + sway * np.sin(0.2 * t + rng.uniform(0, 6, (V, 1))) + 0.01 * t, 4)


def recording():
    rng = np.random.default_rng(7)
    person = {P: walk(rng, [0.3, 0.1, 3.0], 0.3, 0.9), Q: walk(rng, [-0.6, 0.1, 2.5], 0.35, 0.8),
              SHORT: walk(rng, [0.9, 0, 2], 0.3, 0.9), WIDE: walk(rng, [0, 0, 4], 1.0, 0.2)}
    there = {P: range(2, FRAMES), Q: [t for t in range(5, 25) if t not in (10, 11, 12)], SHORT: range(8, 13), WIDE: range(14, 29)}
    nobody = {3, 4}
    return [[(i, person[i][t]) for i in (Q, P, SHORT, WIDE) if t in there[i] and t not in nobody] for t in range(FRAMES)]


def write(frames, path):
    with open(path, "w") as f:
        f.write(f"{len(frames)}\r\n")
        for bodies in frames:
            f.write(f"{len(bodies)}\n")
            for i, x in bodies:
                f.write(f"{i} 0 1 1 1 1 0 0.0176 -0.0322 2\n{V}\n")
                for j in x:
                    f.write(f"{j[0]:g} {j[1]:g} {j[2]:g} 0 0 0 0 nan 0 0 0 2\n")


def slots(frames, n):
    out = np.zeros((n, len(frames), V, 3), np.float32)
    for t, bodies in enumerate(frames):
        for s, (_, x) in enumerate(bodies[:n]):
            out[s, t] = x
    return out


def empty(x):
    return x.astype(np.float64).sum(axis=(-1, -2)) == 0


def rodrigues(axis, angle):
    k = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    return np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * k @ k


def agcn(frames, length):
    four = slots(frames, 4)
    energy = [x[~empty(x)].astype(np.float64).std(axis=(0, 1)).sum() if (~empty(x)).any() else 0 for x in four]
    order = sorted(range(4), key=lambda s: (-energy[s], -s))[:2]
    out = np.zeros((2, length or len(frames), V, 3), np.float32)
    for p, s in enumerate(order):
        x = four[s]
        if empty(x[0]):
            x = x[~empty(x)]
        last = max(np.flatnonzero(~empty(x)), default=-1) + 1
        if last:
            out[p] = np.resize(x[:last], out[p].shape)
    centre = out[0, :, 1:2].copy()
    out = np.where(out.sum(-1, keepdims=True) != 0, out - centre, out)
    for a, b, axis in ((0, 1, np.array([0, 0, 1.0])), (4, 8, np.array([1.0, 0, 0]))):
        v = (out[0, 0, b] - out[0, 0, a]).astype(np.float64)
        normal = np.cross(v, axis)
        angle = np.arccos(np.clip(v @ axis / np.linalg.norm(v), -1, 1))
        if np.abs(normal).sum() >= 1e-6 and angle >= 1e-6:
            out = (out @ rodrigues(normal / np.linalg.norm(normal), angle).T).astype(np.float32)
    return out


def resize(x, n):
    src = np.clip((np.arange(n) + 0.5) * len(x) / n - 0.5, 0, len(x) - 1)
    low = src.astype(int)
    high = np.minimum(low + 1, len(x) - 1)
    w = (src - low)[:, None, None]
    return x[low] * (1 - w) + x[high] * w


def aimclr(frames, length):
    two = slots(frames, 2)
    n = int((np.abs(two[0, :, 0]).sum(-1) != 0).sum())
    out = []
    for x in two:
        x = resize((x - x[:, 20:21])[:n].astype(np.float64), length or 50)
        v = x[:, 8] - x[:, 4]
        v[:, 1] = 0
        angle = np.arccos(v[:, 0] / (np.linalg.norm(v, axis=1) + 1e-4))
        if v[:, 2].sum() >= 0:
            angle = -angle
        turn = np.zeros((len(x), 3, 3))
        turn[:, 0, 0], turn[:, 0, 2], turn[:, 1, 1] = np.cos(angle), -np.sin(angle), 1
        turn[:, 2, 0], turn[:, 2, 2] = np.sin(angle), np.cos(angle)
        out.append(np.einsum("tij,tvj->tvi", turn, x))
    return np.array(out)


def denoised(frames, _):
    frames = [b for b in frames if b]
    tracks = {}
    for t, bodies in enumerate(frames):
        for i, x in bodies:
            tracks.setdefault(i, (t, []))[1].append(x)
    tracks = {i: (t, np.array(x)) for i, (t, x) in tracks.items()}
    flat = lambda x: x.reshape(-1, 3).var(axis=0).sum()
    motion = {i: flat(x) for i, (_, x) in tracks.items()}
    tracks = {i: v for i, v in tracks.items() if len(v[1]) > 11}
    for i in list(tracks):
        if len(tracks) == 1:
            break
        x = tracks[i][1]
        good = np.ptp(x[..., 0], axis=1) <= 0.8 * np.ptp(x[..., 1], axis=1)
        if not good.all():
            if 1 - good.mean() >= 0.69754:
                del tracks[i]
            else:
                motion[i] = min(motion[i], flat(x[good]))
    order = sorted(tracks, key=lambda i: -motion[i])
    out = np.zeros((2, len(frames), V, 3))
    span = [None, [0, 0]]
    for i in order:
        t, x = tracks[i]
        end = t + len(x) - 1
        for p in range(2):
            if span[p] is None or min(span[p][1], end) - max(span[p][0], t) <= 0:
                out[p, t:end + 1] = x
                span[p] = [t, end] if span[p] is None else [min(span[p][0], t), max(span[p][1], end)]
                break
    out = out[:, ~(empty(out[0]) & empty(out[1]))]
    gone = [empty(x) for x in out]
    out = out - out[0, np.flatnonzero(~gone[0])[0], 1]
    for p in range(2):
        out[p, gone[p]] = 0
    return out


CASES = {"agcn": (agcn, 0), "agcn40": (agcn, 40), "aimclr": (aimclr, 0), "aimclr20": (aimclr, 20), "denoised": (denoised, 0)}


def main(verb, folder):
    frames = recording()
    wrong = 0
    if verb == "make":
        write(frames, f"{folder}/bodies.skeleton")
    for name, (family, length) in CASES.items():
        value = family(frames, length).astype(np.float32)
        path = f"{folder}/family_{name}.npy"
        if verb == "make":
            np.save(path, value)
            continue
        error = np.abs(np.load(path) - value).max()
        print(f"{name:10} largest difference {error:.2e}")
        wrong += error > 1e-6
    return wrong


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
