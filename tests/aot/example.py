"""How Python uses a library made by `sinew build`, with ctypes and NumPy alone: features of clips.

    sinew build models/encoders/stgcn.json --weights W.safetensors -o gait
    python3 example.py ./gait.so clips.npy features.npy          clips: f32[N,T,25,3]
"""
import ctypes as c
import sys

import numpy as np


class Library:
    """A library `name`.so: run(array, ...) gives its outputs as arrays."""

    class Error(c.Structure):
        _fields_ = [("text", c.c_char * 512)]

    def __init__(self, path, name):
        self.lib, self.name = c.CDLL(path), name
        for function, result in [("input", c.c_void_p), ("output", c.c_void_p), ("session_new", c.c_int), ("run", c.c_int), ("load", c.c_int)]:
            getattr(self.lib, f"{name}_{function}").restype = result
        self.model = c.c_void_p()
        self._call("load", None, None, c.byref(self.model))

    def _call(self, function, *args):
        error = self.Error()
        if getattr(self.lib, f"{self.name}_{function}")(*args, c.byref(error)) != 0:
            raise RuntimeError(error.text.decode())

    def _view(self, session, what, i):
        """Memory of an input or output as an array: no copy, valid while the session lives."""
        dims = (c.c_int64 * 6)()
        rank = getattr(self.lib, f"{self.name}_{what}_dims")(session, i, dims)
        address = getattr(self.lib, f"{self.name}_{what}")(session, i)
        return np.ctypeslib.as_array(c.cast(address, c.POINTER(c.c_float)), tuple(dims[:rank]))

    def run(self, extent, inputs, outputs=1):
        session = c.c_void_p()
        self._call("session_new", self.model, (c.c_int64 * len(extent))(*extent), 0, c.byref(session))
        try:
            for i, x in enumerate(inputs):
                self._view(session, "input", i)[...] = x
            self._call("run", session)
            return [self._view(session, "output", i).copy() for i in range(outputs)]
        finally:
            getattr(self.lib, f"{self.name}_session_free")(session)


if __name__ == "__main__":
    clips = np.load(sys.argv[2])
    (features,) = Library(sys.argv[1], "gait").run(clips.shape[:2], [clips])
    np.save(sys.argv[3], features)
