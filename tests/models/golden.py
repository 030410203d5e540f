"""Makes the golden files of the model tests with PyTorch in double precision, or checks that they are what PyTorch says today.
Not needed to build or test sinew: the files are committed; run.sh compares with them.

    golden.py make [CASE...]       write golden/CASE.safetensors
    golden.py check [CASE...]      make anew, compare with the committed ones
    golden.py margins [CASE...]    how near ReLU inputs come to 0, and PyTorch's own float32 to its float64
    golden.py motion SET           write golden/motion.npy: the first 11 s of the four longest sequences of an imported sample

GOLDEN names the tool built from golden.c (default: build/golden).
"""
import os
import subprocess
import sys
import tempfile

import numpy as np
import torch

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import reference
import safetensors

GOLDEN = os.environ.get("GOLDEN", os.path.join(HERE, "..", "..", "build", "golden"))
MOTION = os.path.join(HERE, "golden", "motion.npy")
SAMPLE, SHIFT = 64, 30
STARTS = [0, SHIFT, 15, 7]  # frames where views begin


def tool(*arguments):
    subprocess.run([GOLDEN, *map(str, arguments)], check=True)


class Case:
    def __init__(self, line):
        self.name, self.file, self.mode, self.rule, self.seed, n, frames, *sets = line.split()
        self.n, self.clip, self.frames = n, frames, int(frames.split("/")[0])
        self.set = {k: float(v) for k, v in (s.split("=") for s in sets)}
        self.train = self.mode == "train"
        self.decoder, self.tagger = "decoders" in self.file, "recipes/tag" in self.file
        self.weak = "recipes/weak" in self.file
        self.step = "recipes" in self.file and not self.tagger and not self.weak
        small = self.frames < 100 and self.set.get("hidden", self.set.get("d", 128)) <= 16
        self.full = SAMPLE if not small else 512 if self.step else 16384  # elements of the largest tensor that is golden in full

    def module(self):
        get = lambda name, default: int(self.set.get(name, default))
        unet = lambda channels: reference.UNet(channels, get("d", 512), get("kernel", 3), get("norm", 1), get("rectify", 1), get("nearest", 0), get("corners", 1))
        if self.decoder:
            return unet([get(f"C{a}", 0) for a in range(1, 6) if get(f"C{a}", 0)])
        common = dict(dim=get("dim", 256), early=get("early", 1))
        persons = max(get("persons", 1), 1)
        if "agcn" in self.file:
            encoder = lambda: reference.AGCN(get("hidden", 16), normed=get("normed", 1), persons=persons, **common)
        elif "unik" in self.file:
            encoder = lambda: reference.UNIK(get("hidden", 16), heads=get("heads", 4), persons=persons, **common)
        elif "hypergcn" in self.file:
            encoder = lambda: reference.HyperGCN(get("hidden", 128), groups=get("groups", 8), persons=persons, **common)
        elif "stream" in self.file:
            encoder = lambda: reference.Stream(get("stream", 1))
        else:
            encoder = lambda: reference.STGCN(get("hidden", 16), dropout=0, sets=get("sets", 3), **common)
        if self.weak:
            return reference.Weak(encoder(), get("dim", 256), get("classes", 4), get("clips", 8), get("slots", 10), (self.frames + 3) // 4)
        if self.tagger:
            w = get("hidden", 16)
            return reference.Tagger(encoder(), unet([w, 2 * w, get("dim", 256)]) if get("decoder", 1) else None, get("dim", 256), get("d", 512), get("classes", 4),
                                    get("masked", 0))
        if not self.step:
            return encoder()
        method = self.file.split("/")[-1].split("_")[0]
        options = dict(snippets=get("snippets", 19), length=get("queue", 32768), tau=self.set.get("tau", 0.07), mlp=bool(get("mlp", method != "rvtclr")))
        if method == "moco":
            return reference.MoCo(encoder, **options)
        kind = {"aimclr": reference.AimCLR, "hiclr": reference.HiCLR, "rvtclr": reference.RVTCLR}[method]
        return kind(encoder, mine=get("mining", 150) < 1, **options) # the step is one of epoch 1

    def weights(self, module, folder):
        """By rule, from names and shapes alone (golden.c)."""
        blank = {name: np.zeros(reference.to_sinew(t.detach().numpy(), kind).shape, np.float32) for name, t, kind in reference.names(module)}
        safetensors.write(folder + "/blank.safetensors", blank)
        tool("weights", self.rule, self.seed, folder + "/blank.safetensors", folder + "/w.safetensors")
        return safetensors.read(folder + "/w.safetensors")

    def view(self, start, folder):
        tool("clip", MOTION, self.n, start, self.clip, folder + "/x.npy")
        return np.load(folder + "/x.npy").copy()

    def run_decoder(self, module, result, folder):
        z, t = [], self.frames
        for a, c in enumerate(module.channels):
            tool("noise", -1, a + 1, folder + "/z.npy", self.n, t, 1, c)
            z.append(torch.from_numpy(np.load(folder + "/z.npy")).to(next(module.parameters()).dtype).requires_grad_(True))
            t = (t + 1) // 2
        y = module([x[:, :, 0].permute(0, 2, 1) for x in z]).permute(0, 2, 1).unsqueeze(2)
        tool("noise", -1, 9, folder + "/dy.npy", *y.shape)
        y.backward(torch.from_numpy(np.load(folder + "/dy.npy")).to(y.dtype))
        result["out/y"] = y.detach().numpy()
        result.update({f"grad/z{a + 1}": x.grad.numpy() for a, x in enumerate(z)})

    def run_weak(self, module, x, result, folder):
        tool("classes", module.classes + 1, 1, folder + "/label.npy", self.n, self.frames)
        tool("classes", 4, 3, folder + "/clip.npy", self.n)
        label, clip = (torch.from_numpy(np.load(f"{folder}/{name}.npy")).long() for name in ("label", "clip"))
        mil, refined = module(x.permute(0, 3, 1, 2).unsqueeze(4), label, clip)
        refined.backward()
        result.update({"out/loss": refined.detach().numpy(), "out/mil": mil.detach().numpy()})

    def run_tagger(self, module, x, result, folder):
        persons = x.unsqueeze(1) if x.dim() == 4 else x
        tool("classes", module.classes + 1, 1, folder + "/label.npy", len(persons), self.frames)
        label = torch.from_numpy(np.load(folder + "/label.npy")).long()
        logits = module(persons.permute(0, 4, 2, 3, 1))
        loss = torch.nn.functional.cross_entropy(logits, label, ignore_index=-1)
        loss.backward()
        result["out/loss"] = loss.detach().numpy()
        result["out/accuracy"] = (logits.argmax(1) == label)[label >= 0].double().mean().numpy()

    def noise(self, low, shape, folder):
        tool("noise", low, 1, folder + "/dy.npy", *shape)
        return torch.from_numpy(np.load(folder + "/dy.npy").copy())

    def run(self, dtype=torch.float64):
        """{"out/...", "grad/...", "state/..."} in sinew's layout."""
        with tempfile.TemporaryDirectory() as folder:
            module = self.module()
            reference.load(module, self.weights(module, folder))
            module.to(dtype).train(self.train)
            views = [torch.from_numpy(self.view(s, folder)).to(dtype) for s in (STARTS if self.step else STARTS[:1])]
            result = {}
            if self.step:
                self.run_step(module, views, result)
            elif self.decoder:
                self.run_decoder(module, result, folder)
            elif self.weak:
                self.run_weak(module, views[0], result, folder)
            elif self.tagger:
                self.run_tagger(module, views[0], result, folder)
            else:
                self.run_encoder(module, views[0], result, folder)
            self.margin = getattr(module, "margin", None)
            result.update({"grad/" + k: v for k, v in reference.gradients(module).items()})
            if self.train:
                result.update({"state/" + k: v for k, v in reference.states(module).items()})
            return {k: np.asarray(v, np.float64) for k, v in result.items()}

    def run_encoder(self, module, x, result, folder):
        """The gradient of y is in inference of one sign, so that gradients are sums that a single flipped ReLU cannot change much."""
        x.requires_grad_(True)
        persons = x.unsqueeze(1) if x.dim() == 4 else x
        y = module(persons.permute(0, 4, 2, 3, 1)).permute(0, 2, 3, 1)
        y = reference.mean_persons(y, persons, self.set.get("masked", 0))
        y.backward(self.noise(-1 if self.train else 0, y.shape, folder).to(y.dtype))
        result["out/y"] = y.detach().numpy()
        if isinstance(module, reference.HyperGCN):
            divergence = module.divergence()
            divergence.backward(self.noise(100, [], folder).to(y.dtype))
            result["out/divergence"] = divergence.detach().numpy()
        result["grad/x"] = x.grad.numpy()

    def run_step(self, module, views, result):
        views = [v.permute(0, 3, 1, 2).unsqueeze(4) for v in views]
        terms = module.terms(views[:2] if type(module) is reference.MoCo else views)
        terms["loss"].backward()
        result.update({"out/" + name: value.detach().numpy() for name, value in terms.items()})


def scale_of(name, result):
    """Largest magnitude; of a bias, whose gradient is 0 ahead of a batch norm in training, at least that of its layer's weights.  The positions of
    Hyper-GCN are biases, too: all but 0 where the tanh in between is all but linear."""
    largest = np.abs(result[name]).max()
    if name.startswith("grad/") and name.endswith("position"):
        largest = max(largest, np.abs(result[name[:-len("position")] + "embed.w"]).max())
    if name.startswith("grad/") and name.endswith(".b") and not name.endswith("fc.b"):
        largest = max(largest, np.abs(result[name[:-1] + "w"]).max())
    return largest


def golden(case):
    result, tensors = case.run(), {}
    for name, a in result.items():
        tensors["scale/" + name] = np.float32(scale_of(name, result))
        if a.size <= case.full:
            tensors[name] = a.astype(np.float32)
        else:
            at = np.sort(np.random.default_rng(len(name)).choice(a.size, SAMPLE, replace=False))
            at[0] = np.abs(a).argmax()
            tensors["at/" + name] = at.astype(np.int64)
            tensors[name] = a.reshape(-1)[at].astype(np.float32)
    return tensors


def path_of(case):
    return os.path.join(HERE, "golden", case.name + ".safetensors")


def make(case):
    safetensors.write(path_of(case), golden(case))
    print(f"{case.name}: {os.path.getsize(path_of(case))} bytes")


def check(case):
    new, old = golden(case), safetensors.read(path_of(case))
    assert new.keys() == old.keys(), f"{case.name}: names differ"
    worst = max((np.abs(new[k] - old[k]).max() / old["scale/" + k], k) for k in new if not k.startswith(("scale/", "at/")))
    print(f"{case.name}: {len(new)} arrays, worst {worst[0]:.2e} {worst[1]}")
    assert worst[0] < 1e-6, f"{case.name}: {worst[1]} has changed"


def margins(case):
    """SEEDS=n tries that many seeds."""
    for _ in range(int(os.environ.get("SEEDS", 1))):
        margins_of(case)
        case.seed = int(case.seed) + 1


def margins_of(case):
    inputs, relu = {}, torch.nn.functional.relu
    results = {}
    for dtype in (torch.float64, torch.float32):
        seen = inputs[dtype] = []
        torch.nn.functional.relu = lambda z: (seen.append(z.detach().double()), relu(z))[1]
        results[dtype] = case.run(dtype)
    torch.nn.functional.relu = relu
    flips = sum(int(((a > 0) != (b > 0)).sum()) for a, b in zip(*inputs.values()))
    nearest = min((z.abs().min() / z.std()).item() for z in inputs[torch.float64] if z.numel() > 1)
    a, b = results.values()
    off = sorted(((np.abs(a[k] - b[k]).max() / max(scale_of(k, a), 1e-300), k) for k in a), reverse=True)
    active = np.mean([(z > 0).double().mean().item() for z in inputs[torch.float64]])
    print(f"{case.name} seed {case.seed}: {sum(z.numel() for z in inputs[torch.float64])} ReLU inputs, {active:.0%} positive, {flips} flip in float32, "
          f"nearest to 0 at {nearest:.1e} deviations; float32 off by " +
          ", ".join(f"{d:.1e} {k}" for d, k in off[:3]) + (f"; margin of choices {case.margin:.1e}" if case.margin else ""))


def motion(path):
    """Whole millimetres, so that the file says what it holds."""
    x = {k: v for k, v in safetensors.read(path).items() if k.startswith("x/")}
    longest = sorted(x, key=lambda k: (-len(x[k]), k))[:4]
    np.save(MOTION, np.stack([np.round(x[k][:SHIFT + 300], 3) for k in longest]))
    print("motion.npy:", ", ".join(f"{k} ({len(x[k])} frames)" for k in longest))


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "motion":
        return motion(sys.argv[2])
    verbs = {"make": make, "check": check, "margins": margins}
    if len(sys.argv) < 2 or sys.argv[1] not in verbs:
        sys.exit(__doc__)
    with open(os.path.join(HERE, "cases.txt")) as f:
        cases = [Case(line) for line in f if line.strip() and not line.startswith("#")]
    for case in cases:
        if len(sys.argv) == 2 or case.name in sys.argv[2:]:
            verbs[sys.argv[1]](case)


main()
