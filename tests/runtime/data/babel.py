"""Oracle of runtime/data/babel*.c and smplh.c, written again with NumPy from their description, with files in the real formats.

  babel.py make DIR     writes DIR/babel: a made-up body model, motions and a split of BABEL, and what the preparation makes of them
  babel.py check DIR    computes the same anew and compares

The body model has the layout of SMPL+H and no likeness to it: rules give the few numbers that the 25 joints depend on, the rest is 0.
The split: 5534 poses at 100 Hz; 12 poses at 120 Hz below the other name of their part; 7 joint_pos at 59.99999 Hz with a gap in its labels; 8 two labels at
once; 9 no frame annotation; 10 no motion; 11 joint_pos of 25 joints at 150 Hz, long; 13 a damaged archive."""
import json
import os
import sys

import numpy as np

import families

VERTICES, JOINTS, FPS = 6890, 52, 30
PARENT = [-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19]
for wrist in (20, 21):
    for finger in range(5):
        PARENT += [wrist, len(PARENT), len(PARENT) + 1]
NTU = [0, 3, 12, 15, 16, 18, 20, 22, 17, 19, 21, 37, 1, 4, 7, 10, 2, 5, 8, 11, 9, 63, 64, 68, 69]
TIPS = {63: 2746, 64: 2319, 68: 6191, 69: 5782}
CLASSES = {1: ["walk", "stand", "turn", "jump"], 2: ["sit", "run", "stand up", "kick"], 3: ["jog", "wave", "dance", "gesture"]}
SPLITS = {"train": [5534, 12, 7, 9, 10, 13], "val": [8, 11], "test": []}


def wave(n, a, b=0.0):
    """Multiples of 1/256 in [-1, 1]."""
    return np.round(256 * np.sin(a * np.arange(n) + b)) / 256


def body_model():
    used = sorted(TIPS.values())
    template, regressor = np.zeros((VERTICES, 3)), np.zeros((JOINTS, VERTICES))
    for j in range(JOINTS):
        at = [16 * j + k for k in range(4)]
        regressor[j, at] = [0.5, 0.25, 0.125, 0.125]
        template[at] = wave(12, 0.7, j).reshape(4, 3)
    template[used] = wave(12, 0.9).reshape(4, 3)
    weights, bend = np.zeros((VERTICES, JOINTS)), np.zeros((VERTICES, 3, 9 * (JOINTS - 1)), np.float32)
    for i, v in enumerate(used):
        weights[v, [20 + (i > 1), 24 + 3 * i, 30 + i]] = [0.5, 0.375, 0.125]
        bend[v] = wave(3 * 459, 0.31, i).reshape(3, 459) / 64
    return {"v_template": template, "J_regressor": np.asfortranarray(regressor), "weights": weights, "posedirs": bend, "hands_meanl": wave(45, 0.3) / 4,
            "hands_meanr": wave(45, 0.2) / 4, "kintree_table": np.array([[p % 2**32 for p in PARENT], range(JOINTS)], np.uint32)}


def points(model, pose):
    """The 73 points of a frame, of which those that the 25 joints do not need are 0; homogeneous matrices."""
    pose = pose + np.concatenate([np.zeros(66), model["hands_meanl"], model["hands_meanr"]])
    rest = model["J_regressor"] @ model["v_template"]
    turns, world = [], []
    for j in range(JOINTS):
        v = pose[3 * j:3 * j + 3]
        angle = np.linalg.norm(v)
        turns.append(families.rodrigues(v / angle, angle) if angle > 0 else np.eye(3))
        local = np.eye(4)
        local[:3, :3], local[:3, 3] = turns[j], rest[j] - (rest[PARENT[j]] if j else 0)
        world.append(world[PARENT[j]] @ local if j else local)
    out = np.zeros((73, 3))
    out[:JOINTS] = [w[:3, 3] for w in world]
    feature = np.concatenate([(r - np.eye(3)).ravel() for r in turns[1:]])
    for point, v in TIPS.items():
        vertex = model["v_template"][v] + model["posedirs"][v].astype(float) @ feature
        for j in range(JOINTS):
            out[point] += model["weights"][v, j] * (world[j] @ np.append(vertex - rest[j], 1))[:3]
    return out


def poses(frames, a):
    out = np.zeros((frames, 156))
    out[:, ::5] = wave(32, a)
    out[:, :66:3] += wave(frames, 0.3, a)[:, None] / 2
    return out


def still(frames, n, moving):
    """A body of n points that stands but for one that moves."""
    x = np.tile(wave(3 * n, 0.77).reshape(1, n, 3), (frames, 1, 1))
    x[:, moving] += wave(frames, 0.05)[:, None] / 2
    return x


def motions():
    """{path below the folder: arrays}"""
    about = {"gender": np.array("male"), "betas": np.zeros(16), "trans": np.zeros((40, 3))}
    return {"ACCAD/s1/A - walk_poses.npz": dict(about, poses=poses(40, 1.1), mocap_framerate=np.array(100.0)),
            "BioMotionLab_NTroje/rub001/0001_poses.npz": dict(about, poses=poses(25, 2.3), mocap_framerate=np.array(120.0)),
            "CMU/7/7_poses.npz": {"joint_pos": still(150, 73, 20).reshape(150, 219), "allow_pickle": np.array(True), "mocap_framerate": np.array(59.99999)},
            "CMU/8/8_poses.npz": {"joint_pos": still(100, 73, 63), "mocap_framerate": np.array(60)},
            "CMU/11/11_poses.npz": {"joint_pos": still(600, 25, 4).reshape(600, 75).astype(np.float32), "mocap_framerate": np.array(150.0)}}


def label(start, end, *categories):
    return {"raw_label": "as told", "proc_label": "as told", "seg_id": f"{start}", "act_cat": list(categories) or None, "start_t": start, "end_t": end}


def annotations():
    """{split: {key: sequence}} as BABEL's files have them."""
    def sequence(sid, path, seconds, labels):
        whole = {"babel_lid": "x", "anntr_id": "y", "mul_act": True, "labels": [{"raw_label": "all", "proc_label": "all", "seg_id": "z", "act_cat": ["walk"]}]}
        ann = {"babel_lid": "x", "anntr_id": "y", "mul_act": True, "labels": labels} if labels is not None else None
        return str(sid), {"babel_sid": sid, "url": f"https://videos.example/{sid:06d}.mp4", "feat_p": path, "dur": seconds, "seq_ann": whole, "frame_ann": ann}
    train = [sequence(5534, "ACCAD/ACCAD/s1/A - walk_poses.npz", 0.4, [label(0, 0.2, "walk"), label(0.15, 0.4, "turn", "step"), label(0.1, 0.3)]),
             sequence(12, "BMLrub/BMLrub/rub001/0001_poses.npz", 0.21, [label(0, 0.21, "jump")]),
             sequence(7, "CMU/CMU/7/7_poses.npz", 2.5, [label(0, 0.5, "stand"), label(1.1, 1.5, "walk"), label(1.5, 9, "transition"), label(3, 4, "sit")]),
             sequence(9, "CMU/CMU/7/7_poses.npz", 2.5, None),
             sequence(10, "CMU/CMU/10/10_poses.npz", 2.5, [label(0, 1, "walk")]),
             sequence(13, "CMU/CMU/13/13_poses.npz", 2.5, [label(0, 1, "walk")])]
    val = [sequence(8, "CMU/CMU/8/8_poses.npz", 1.6, [label(0, 1, "turn"), label(0.5, 1.2, "stand", "wave"), label(0.9, 1.6, "walk")]),
           sequence(11, "CMU/CMU/11/11_poses.npz", 4, [label(0, 4, "sit")])]
    return {"train": dict(train), "val": dict(val)}


def pick(frames, rate, quirks):
    """Source frames at 30 Hz, second by second."""
    rate = rate if quirks or abs(rate - round(rate)) > 1e-3 * rate else float(round(rate))
    if int(rate) % FPS == 0:
        return list(range(0, frames, int(rate) // FPS))
    second = np.floor(rate / FPS * np.arange(FPS)).astype(int)
    return [i for start in range(0, frames, int(rate)) for i in start + second if i < frames]


def frame_labels(ann, seconds):
    """{frame: categories} of frames that have any."""
    out = {}
    for n in range(int(FPS * seconds)):
        found = [c for seg in ann["labels"] if seg["act_cat"] for c in seg["act_cat"] if seg["start_t"] <= n / FPS < seg["end_t"]]
        if found:
            out[n] = found
    return out


def prepared(model, subset, quirks, most):
    """{sid: (positions [t, 25, 3], [names of frame t])} of what is imported."""
    found, out = motions(), {}
    for split in annotations().values():
        for s in split.values():
            path = s["feat_p"].split("/", 1)[1].replace("BMLrub", "BioMotionLab_NTroje")
            if s["frame_ann"] is None or path not in found:
                continue
            labels = frame_labels(s["frame_ann"], s["dur"])
            names = list(labels.values()) if quirks else [labels.get(n, []) for n in range(int(FPS * s["dur"]))]
            if subset:
                names = [[c for c in CLASSES[subset] if c in f][:1] for f in names]
            if (subset and not any(names)) or (most and len(labels) > most):
                continue
            a = found[path]
            x = np.array([points(model, p) for p in a["poses"]]) if "poses" in a else a["joint_pos"].reshape(len(a["joint_pos"]), -1, 3).astype(float)
            x = x[pick(len(x), float(a["mocap_framerate"]), quirks)]
            x = (x if x.shape[1] == 25 else x[:, NTU])
            if quirks and len(x) < len(names):
                continue
            length = min(len(x), len(names))
            x = families.agcn([[(0, f)] for f in x.astype(np.float32).astype(float)], 0)[0]
            out[s["babel_sid"]] = x[:length], [sorted(set(f)) for f in names[:length]]
    return out


MODES = {"all": (0, False, 0), "subset1": (1, False, 60), "quirks1": (1, True, 0), "subset3": (3, False, 0)}


def text(model):
    """A line a mode and sequence: frames, then runs of frames with their labels."""
    lines = []
    for mode, how in MODES.items():
        for sid, (x, names) in sorted(prepared(model, *how).items()):
            runs, start = [], 0
            for t in range(1, len(names) + 1):
                if t == len(names) or names[t] != names[start]:
                    runs.append(f"{start}-{t}:{'+'.join(names[start])}")
                    start = t
            lines.append(f"{mode} {sid:06d} {len(x)} {', '.join(runs)}\n")
    return "".join(lines)


def write(folder):
    for path, arrays in motions().items():
        os.makedirs(os.path.dirname(f"{folder}/amass/{path}"), exist_ok=True)
        (np.savez if "trans" in arrays and len(arrays["poses"]) == 25 else np.savez_compressed)(f"{folder}/amass/{path}", **arrays)
    os.makedirs(f"{folder}/amass/CMU/13", exist_ok=True)
    whole = bytearray(open(f"{folder}/amass/CMU/8/8_poses.npz", "rb").read())
    whole[200] ^= 1
    open(f"{folder}/amass/CMU/13/13_poses.npz", "wb").write(whole)
    np.savez_compressed(f"{folder}/model.npz", **body_model())
    for split, sequences in annotations().items():
        json.dump(sequences, open(f"{folder}/{split}.json", "w"), indent=1)
    json.dump({split: [f"https://videos.example/{sid:06d}.mp4" for sid in sids] for split, sids in SPLITS.items()}, open(f"{folder}/splits.json", "w"), indent=1)
    json.dump({"CMU/CMU/8/8_poses.npz": 60.0, "ACCAD/ACCAD/s1/A - walk_poses.npz": 100.0}, open(f"{folder}/rates.json", "w"), indent=1)


def main(verb, folder):
    folder += "/babel"
    model = body_model()
    results = {f"all_{sid:06d}": x.astype(np.float32) for sid, (x, _) in prepared(model, *MODES["all"]).items() if sid in (5534, 12)}
    results["quirks1_000007"] = prepared(model, *MODES["quirks1"])[7][0].astype(np.float32)
    if verb == "make":
        write(folder)
        for name, x in results.items():
            np.save(f"{folder}/{name}.npy", x)
        open(folder + "/expected.txt", "w").write(text(model))
    elif verb == "check":
        assert open(folder + "/expected.txt").read() == text(model), "labels differ"
        for name, x in results.items():
            assert np.abs(np.load(f"{folder}/{name}.npy") - x).max() < 1e-6, name
        print(len(text(model).splitlines()), "lines and", len(results), "motions are as before")
    else:
        return __doc__
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
