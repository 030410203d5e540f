"""Inference of an encoder in PyTorch: eager with folded norms, or compiled and frozen.  Not training (torch_step.py)."""
import torch

import encoders
import turns


def main():
    p = encoders.options()
    p.add_argument("--form", choices=("eager", "script", "compiled"), default="eager")
    p.add_argument("--last", type=int, default=1, help="channels-last")
    o = p.parse_args()
    torch.set_num_threads(o.threads)
    model = encoders.build(o, "rows" if o.last else "sets")
    x = torch.from_numpy(encoders.load_input(o))
    if o.last:
        model = model.to(memory_format=torch.channels_last)
    with torch.inference_mode():
        if o.form == "script":
            model = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(model, x)))
        if o.form == "compiled":
            from torch._inductor import config
            config.freezing = True
            model = torch.compile(model, dynamic=False)
        for _ in range(3):
            y = model(x)
        error = encoders.demand_agreement(o, y)
        turns.serve(lambda: model(x), torch=torch.__version__, error=error)


main()
