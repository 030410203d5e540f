"""Writes an encoder as ONNX for the engines that read it.  Not run in turns: its memory is PyTorch's."""
import torch

import encoders


def main():
    p = encoders.options()
    p.add_argument("--onnx", required=True)
    p.add_argument("--product", choices=("sets", "einsum"), default="sets")
    o = p.parse_args()
    model = encoders.fold_norms(encoders.build(o, encoders.product_sets if o.product == "sets" else None))
    with torch.no_grad():
        torch.onnx.export(model, (torch.from_numpy(encoders.load_input(o)),), o.onnx, opset_version=17, input_names=["x"], output_names=["y"],
                          do_constant_folding=True, dynamo=False)


main()
