"""How Python finds segments in a recording as it comes, with a library that `sinew build` makes of a finetuned model.

    sinew build TUNED -o act
    python3 stream.py ./act.so clip.npy PIECE          clip: f32[T,25,3] or f32[1,T,25,3], given to the library PIECE frames at a time
"""
import ctypes as c
import sys

import numpy as np


class Error(c.Structure):
    _fields_ = [("text", c.c_char * 512)]


class Segment(c.Structure):
    _fields_ = [("start", c.c_int64), ("end", c.c_int64), ("label", c.c_int64), ("score", c.c_double)]


class Stream:
    """Segments (label, start, end, score) of the frames pushed so far, as soon as they are known."""

    def __init__(self, path, name, step=0, shortest=0, threads=0):
        self.lib, self.name = c.CDLL(path), name
        self._function("label").restype = c.c_char_p
        self.model, self.stream = c.c_void_p(), c.c_void_p()
        self._call("load", None, None, c.byref(self.model))
        self._call("stream_new", self.model, c.c_int64(step), c.c_int64(shortest), threads, c.byref(self.stream))

    def _function(self, function):
        return getattr(self.lib, f"{self.name}_{function}")

    def _call(self, function, *args):
        error = Error()
        if self._function(function)(*args, c.byref(error)) != 0:
            raise RuntimeError(error.text.decode())

    def _known(self):
        segment = Segment()
        while self._function("stream_poll")(self.stream, c.byref(segment)):
            yield self._function("label")(int(segment.label)).decode(), segment.start, segment.end, segment.score

    def push(self, frames):
        frames, taken = np.ascontiguousarray(frames, np.float32), c.c_int64()
        while len(frames):
            self._call("stream_push", self.stream, frames.ctypes.data_as(c.c_void_p), c.c_int64(len(frames)), c.byref(taken))
            frames = frames[taken.value:]
            yield from self._known()

    def finish(self):
        self._call("stream_finish", self.stream)
        yield from self._known()

    def close(self):
        self._function("stream_free")(self.stream)
        self._function("free")(self.model)


if __name__ == "__main__":
    clip, piece = np.load(sys.argv[2]).reshape(-1, 25, 3), int(sys.argv[3])
    stream = Stream(sys.argv[1], "act")
    for at in range(0, len(clip), piece):
        for label, start, end, score in stream.push(clip[at:at + piece]):
            print(f"{label},{start},{end},{score:.9g}")
    for label, start, end, score in stream.finish():
        print(f"{label},{start},{end},{score:.9g}")
    stream.close()
