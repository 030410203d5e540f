"""Inference of an ONNX file in ONNX Runtime or OpenVINO, input and output bound beforehand.  Not the export (export.py)."""
import numpy as np

import turns


def onnxruntime(path, x, threads):
    import onnxruntime as ort
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    y = session.run(None, {"x": x})[0]
    result = ort.OrtValue.ortvalue_from_numpy(np.empty_like(y))
    binding = session.io_binding()
    binding.bind_ortvalue_input("x", ort.OrtValue.ortvalue_from_numpy(x))
    binding.bind_ortvalue_output("y", result)
    return lambda: session.run_with_iobinding(binding), lambda: result.numpy(), ort.__version__


def openvino(path, x, threads):
    import openvino as ov
    import openvino.properties as props
    import openvino.properties.hint as hints
    core = ov.Core()
    model = core.read_model(path)
    model.reshape(list(x.shape))
    compiled = core.compile_model(model, "CPU", {hints.performance_mode: hints.PerformanceMode.LATENCY, hints.inference_precision: ov.Type.f32,
                                                 props.inference_num_threads: threads, props.num_streams: 1})
    request = compiled.create_infer_request()
    request.set_input_tensor(ov.Tensor(x, shared_memory=True))
    return request.infer, lambda: request.get_output_tensor().data, ov.__version__


def main():
    import argparse
    p = argparse.ArgumentParser()
    p.add_argument("--engine", choices=("onnxruntime", "openvino"), required=True)
    p.add_argument("--threads", type=int, default=2)
    for name in ("onnx", "input", "expect"):
        p.add_argument("--" + name, required=True)
    o = p.parse_args()
    x = np.ascontiguousarray(np.load(o.input).transpose(0, 3, 1, 2))
    step, result, version = dict(onnxruntime=onnxruntime, openvino=openvino)[o.engine](o.onnx, x, o.threads)
    for _ in range(3):
        step()
    expect = np.load(o.expect).transpose(0, 3, 1, 2)
    error = float(np.abs(result() - expect).max() / np.abs(expect).max())
    if not error < 1e-3:
        raise SystemExit(f"the result differs from sinew's by {error:.2g}")
    turns.serve(step, version=version, error=error)


main()
