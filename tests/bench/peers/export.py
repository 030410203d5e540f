"""Writes an encoder as ONNX for the engines that read it.  Not run in turns: its memory is PyTorch's."""
import torch

import encoders


def main():
    p = encoders.options()
    p.add_argument("--onnx", required=True)
    p.add_argument("--product", choices=tuple(encoders.PRODUCTS), default="rows")
    o = p.parse_args()
    model = encoders.build(o, o.product)
    with torch.no_grad():
        torch.onnx.export(model, (torch.from_numpy(encoders.load_input(o)),), o.onnx, opset_version=17, input_names=["x"], output_names=["y"],
                          do_constant_folding=True, dynamo=False)


main()
