"""The stage-1 training step in PyTorch as an expert would run it on a CPU: the peer that `sinew bench` races against.
Not the reference of the tests (tests/models/reference.py), whose modules it takes; what is rewritten here gives the same numbers faster.

A step = query forward and backward, momentum update, key forward, matching, both queue losses, SGD with momentum and weight decay,
enqueue.  Steps are done when asked for (turns.py).
"""
import argparse
import os
import sys
import time
import types

import numpy as np
import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "models"))
import reference
import torch_agcn
import turns


def graph_product_rows(self, x, a):
    """GraphConv for channels-last: the convolution's result already lies as [n, t, v, k, c], so one batched product
    [w, v*k] x [v*k, c] does sum over k and v without a copy (einsum permutes its operands)."""
    x = self.conv(x)
    n, kc, t, v = x.shape
    rows = x.permute(0, 2, 3, 1).reshape(n * t, v * self.k, kc // self.k)
    y = torch.matmul(a.permute(2, 1, 0).reshape(a.shape[2], -1), rows)
    return y.view(n, t, -1, kc // self.k).permute(0, 3, 1, 2)


def graph_product_columns(self, x, a):
    """GraphConv for channels-first: [n, k, c*t, v] x [k, v, w] as a batched product, then the sum over k."""
    x = self.conv(x)
    n, kc, t, v = x.shape
    c = kc // self.k
    rows = x.view(n, self.k, c * t, v).transpose(2, 3).reshape(n, self.k * v, c * t)
    return torch.matmul(a.reshape(-1, a.shape[2]).t(), rows).view(n, v, c, t).permute(0, 2, 3, 1).contiguous()


def graph_product_batched(self, x, a):
    """As graph_product_rows, but the matrix is repeated by stride, so that no operand of the backward products is copied."""
    x = self.conv(x)
    n, kc, t, v = x.shape
    rows = x.permute(0, 2, 3, 1).reshape(n * t, v * self.k, kc // self.k)
    y = torch.bmm(a.permute(2, 1, 0).reshape(1, a.shape[2], -1).expand(n * t, -1, -1), rows)
    return y.view(n, t, -1, kc // self.k).permute(0, 3, 1, 2)


class FairCoins(torch.autograd.Function):
    """Dropout with p = 1/2 from single random bits: PyTorch's own draws one 64-bit number an element on one thread."""
    generator = np.random.Generator(np.random.SFC64(1))

    @staticmethod
    def forward(ctx, x):
        bits = np.frombuffer(FairCoins.generator.bytes((x.numel() + 7) // 8), np.uint8)
        mask = torch.from_numpy(np.unpackbits(bits, count=x.numel())).view(torch.bool).as_strided(x.shape, x.stride())
        ctx.save_for_backward(mask)
        return torch.ops.aten.native_dropout_backward(x, mask, 2.0)

    @staticmethod
    def backward(ctx, dy):
        return torch.ops.aten.native_dropout_backward(dy, ctx.saved_tensors[0], 2.0)


def info_nce_streaming(q, k, queue, tau):
    """As reference.info_nce, but cross-entropy as logsumexp: one pass less over the logits and no concatenation."""
    own = (q * k).sum(1) / tau
    others = torch.logsumexp(q @ queue / tau, 1)
    return (torch.logaddexp(own, others) - own).mean()


class Step:
    def __init__(self, o):
        torch.manual_seed(o.seed)
        self.o = o
        self.m = reference.MoCo(self.encoder, o.snippets, o.queue)
        for module in self.m.modules():
            if isinstance(module, reference.GraphConv) and o.graph != "einsum":
                module.forward = types.MethodType(dict(rows=graph_product_rows, batched=graph_product_batched, columns=graph_product_columns)[o.graph], module)
            if isinstance(module, torch.nn.Dropout) and module.p == 0.5 and o.coins:
                module.forward = FairCoins.apply
            if isinstance(module, reference.AGCN) and o.graph != "einsum":
                torch_agcn.joint_major(module, stacked=o.graph == "batched")
        if o.channels_last:
            self.m = self.m.to(memory_format=torch.channels_last)
        if o.streaming_loss:
            reference.info_nce = info_nce_streaming
        self.queries = [p for p in self.m.q.parameters()]
        self.keys = [p for p in self.m.k.parameters()]
        self.optimizer = torch.optim.SGD(self.queries, lr=0.1, momentum=0.9, weight_decay=1e-4, foreach=True)
        self.views = [torch.randn(o.batch, 3, o.frames, reference.JOINTS, 1).cumsum(2) * 0.05 for _ in range(2)]
        self.m.move_keys = self.move_keys
        if o.compile:
            self.m.q.forward = torch.compile(self.m.q.forward)
            self.m.k.forward = torch.compile(self.m.k.forward)
            if o.streaming_loss:
                reference.info_nce = torch.compile(reference.info_nce)

    def encoder(self):
        return reference.AGCN(self.o.hidden) if self.o.model == "agcn" else reference.STGCN(self.o.hidden, dropout=self.o.dropout)

    @torch.no_grad()
    def move_keys(self):
        torch._foreach_mul_(self.keys, self.m.momentum)
        torch._foreach_add_(self.keys, self.queries, alpha=1 - self.m.momentum)

    def __call__(self):
        loss, _, _, keys, pooled = self.m(*self.views)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        self.m.enqueue(keys, pooled)
        return loss.item()


def options():
    p = argparse.ArgumentParser()
    for name, value in dict(hidden=16, frames=300, batch=32, queue=32768, snippets=19, threads=2, warmup=2, seed=1).items():
        p.add_argument("--" + name, type=int, default=value)
    p.add_argument("--model", choices=("stgcn", "agcn"), default="stgcn", help="agcn has no dropout")
    p.add_argument("--dropout", type=float, default=0.5)
    p.add_argument("--graph", choices=("einsum", "rows", "batched", "columns"), default="rows",
                   help="how products with graphs are done; of agcn: as published, a product per subset (rows, columns), or one for all (batched)")
    p.add_argument("--channels-last", type=int, default=1)
    p.add_argument("--streaming-loss", type=int, default=1)
    p.add_argument("--coins", type=int, default=1)
    p.add_argument("--compile", type=int, default=0)
    p.add_argument("--steps", type=int, default=0, help="run these and print the median instead of listening")
    p.add_argument("--profile", type=int, default=0)
    return p.parse_args()


def main():
    o = options()
    torch.set_num_threads(o.threads)
    step = Step(o)
    begin = time.perf_counter()
    losses = [step() for _ in range(o.warmup)]
    warmup = time.perf_counter() - begin

    def timed():
        begin = time.perf_counter()
        step()
        return time.perf_counter() - begin

    if o.profile:
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], record_shapes=False) as prof:
            step()
        print(prof.key_averages().table(sort_by="self_cpu_time_total", row_limit=25, max_name_column_width=60))
    if o.steps:
        times = sorted(timed() for _ in range(o.steps))
        median = times[len(times) // 2]
        print(f"median {median:.4f} s, best {times[0]:.4f} s, {o.batch / median:.2f} sequences/s, peak {turns.peak_bytes() / 1e9:.2f} GB")
        return
    turns.serve(step, torch=torch.__version__, warmup_s=warmup, loss=losses[0])


if __name__ == "__main__":
    main()
