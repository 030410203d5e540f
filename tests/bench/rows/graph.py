"""The product with a fixed graph, its sparsity compiled in, against a dense einsum; and with a learned graph (graph_product.py measures).
Not the graph convolution around it."""
import json
import os
import sys

import contest

TITLE = "graph product, 3 graphs of 25 joints"


def run(o):
    measured = []

    def rows():
        if not measured:
            command = [sys.executable, os.path.join(contest.HERE, "graph_product.py"), "--sinew", o.sinew, "--threads", str(o.threads), "--json",
                       "--rounds", str(o.rounds)]
            measured.extend(json.loads(contest.output(command)))
        return measured

    return [lambda i=i, kind=kind: line(rows()[i], kind) for kind in ("fixed", "dense") for i in range(3)]


def line(r, kind):
    """PyTorch's product alone in a layout made for it (matmul) is shown, but is not the published form."""
    ratio = r["einsum"] / r[kind]
    return {"work": f"{'fixed' if kind == 'fixed' else 'learned'} graph, {r['width']} channels, batch {r['batch']}", "step_s": r[kind], "peer": "PyTorch einsum",
            "peer_s": r["einsum"], "ratio": ratio, "checks": [contest.check("ratio", ratio, ">=", 8)] if kind == "fixed" else [],
            "peak_share": None, "notes": [f"one matrix product in its own layout: {1e3 * r['matmul']:.2f} ms"]}
