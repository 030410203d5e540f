"""Single operations in PyTorch, each in the layouts worth trying: one process that serves many cases (turns.py).
Not whole models.

A case is JSON: {"work": "forward" | "data" | "weight", "C", "stride", "N", "T", "last"}: a 9x1 convolution or one of its gradients through oneDNN,
"last": channels-last.  {"work": "queue", "R", "K"}: InfoNCE and its gradient with respect to the queries.  {"work": "triad", "count"}: a = b + 3 c.
"""
import argparse
import functools
import json

import torch
import torch.nn.functional as F

import turns


def convolution(case):
    c, n, t, stride = case["C"], case["N"], case["T"], case["stride"]
    form = torch.channels_last if case["last"] else torch.contiguous_format
    x = torch.randn(n, c, t, 25).contiguous(memory_format=form)
    w = (torch.randn(c, c, 9, 1) * 0.02).contiguous(memory_format=form)
    if case["work"] == "forward":
        return lambda: F.conv2d(x, w, None, (stride, 1), (4, 0))
    dy = F.conv2d(x, w, None, (stride, 1), (4, 0)).contiguous(memory_format=form)
    mask = [case["work"] == "data", case["work"] == "weight", False]
    return lambda: torch.ops.aten.convolution_backward(dy, x, w, None, (stride, 1), (4, 0), (1, 1), False, (0, 0), 1, mask)


def queue(case):
    q = F.normalize(torch.randn(case["R"], 128), dim=1).requires_grad_()
    k = F.normalize(torch.randn(case["R"], 128), dim=1)
    negatives = F.normalize(torch.randn(128, case["K"]), dim=0)

    def step():
        with torch.enable_grad():
            q.grad = None
            own = (q * k).sum(1) / 0.07
            others = torch.logsumexp(q @ negatives / 0.07, 1)
            (torch.logaddexp(own, others) - own).mean().backward()

    return step


def triad(case):
    a, b, c = (torch.ones(case["count"]) for _ in range(3))
    return lambda: torch.add(b, c, alpha=3, out=a)


@functools.lru_cache(maxsize=1)
def built(text):
    case = json.loads(text)
    return {"queue": queue, "triad": triad}.get(case["work"], convolution)(case)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--threads", type=int, default=2)
    torch.set_num_threads(p.parse_args().threads)
    torch.set_grad_enabled(False)
    turns.serve(lambda text: built(text), torch=torch.__version__)


main()
