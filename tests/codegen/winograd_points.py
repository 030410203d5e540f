#!/usr/bin/python3
"""Rounding errors of nine taps as short correlations within short correlations, for several sets of points (codegen/winograd.h).
Not a test of the kernels: gemm_test.c.  Needs python3-numpy; prints the table of codegen/README.md.

256 channels to 32, inputs after a ReLU, weights of deviation 0.02; float32 beside float64; the worst and the mean of three draws each."""
from fractions import Fraction as F

import numpy as np

CHANNELS, COLUMNS, ROWS = 256, 32, 16
USUAL, EVEN = (0, 1, -1, 2), (0, -1, F(1, 2), 2)
SETS = [(USUAL, (0, 1, -1)), (USUAL, USUAL), ((0, 1, -1, F(1, 2)),) * 2, ((0, F(2, 3), F(-2, 3), 2),) * 2, (EVEN, EVEN)]


def vanishing(points):
    """Coefficients of the polynomial that is 0 at the points, lowest first."""
    out = [F(1)]
    for p in points:
        out = [(out[i - 1] if i else 0) - (p * out[i] if i < len(out) else 0) for i in range(len(out) + 1)]
    return out


def tables(points):
    """Rows of a point each, infinity last: of three taps, of operands, of results."""
    n, points = len(points) + 1, [F(p) for p in points]
    tap, source, result = np.zeros((n, 3)), np.zeros((n, n)), np.zeros((n, n - 2))
    for i, p in enumerate(points):
        others = points[:i] + points[i + 1:]
        scale = np.prod([p - q for q in others])
        tap[i] = [float(p**k / scale) for k in range(3)]
        source[i, :n - 1] = [float(c) for c in vanishing(others)]
        result[i] = [float(p**k) for k in range(n - 2)]
    tap[-1, -1] = result[-1, -1] = 1
    source[-1] = [float(c) for c in vanishing(points)]
    return [t.astype(np.float32) for t in (tap, source, result)]


def fast(x, w, inner, outer):
    (tap, source, result), (tap2, source2, result2) = inner, outer
    n, m = result.shape
    n2, m2 = result2.shape
    parts = np.stack([np.einsum("ab,bvk->avk", source, x[t * m:t * m + n]) for t in range(n2)])
    parts = np.einsum("cd,davk->acvk", source2, parts)
    weights = np.einsum("cg,agko->acko", tap2, np.einsum("ar,grko->agko", tap, w.reshape(3, 3, CHANNELS, COLUMNS)))
    products = np.zeros((n, n2, ROWS, COLUMNS), np.float32)
    for k in range(CHANNELS):  # one channel after the other, as the micro-kernel adds
        products += parts[..., k, None] * weights[:, :, None, k]
    sums = np.einsum("cq,acvo->aqvo", result2, products)
    return np.einsum("am,aqvo->qmvo", result, sums).reshape(m * m2, ROWS, COLUMNS)


def main():
    random = np.random.default_rng(0)
    print("points of taps; of groups        products of 54  largest  mean")
    for points, points2 in SETS:
        inner, outer = tables(points), tables(points2)
        frames, errors = inner[2].shape[1] * outer[2].shape[1], []
        for _ in range(3):
            x = np.maximum(random.standard_normal((frames + 8, ROWS, CHANNELS)), 0).astype(np.float32)
            w = (0.02 * random.standard_normal((9, CHANNELS, COLUMNS))).astype(np.float32)
            true = sum(np.einsum("tvk,ko->tvo", x[k:k + frames].astype(float), w[k].astype(float)) for k in range(9))
            error = np.abs(fast(x, w, inner, outer) - true) / np.abs(true).max()
            errors.append((error.max(), np.sqrt((error**2).mean())))
        name = "; ".join(", ".join(map(str, p)) for p in (points, points2))
        print(f"{name:32} {len(inner[0]) * len(outer[0]) * 6 / frames:14.1f}  {max(e[0] for e in errors):.1e}  {np.mean([e[1] for e in errors]):.1e}")


main()
