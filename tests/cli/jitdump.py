#!/usr/bin/env python3
"""What SINEW_JITDUMP wrote, read by the format's specification: jitdump.py FILE.  Prints "NAME FILE:LINE SIZE" for every piece of code."""
import struct
import sys


def check(condition, text):
    if not condition:
        sys.exit(f"FAILED: {text}")


def text_at(data, at):
    end = data.index(b"\0", at)
    return data[at:end].decode(), end + 1


def main():
    data = open(sys.argv[1], "rb").read()
    magic, version, size, machine, _, pid, _, flags = struct.unpack_from("<6I2Q", data)
    check((magic, version, size, machine, flags) == (0x4A695444, 1, 40, 62, 0), "header")
    check(sys.argv[1].endswith(f"jit-{pid}.dump"), "the file's name")
    at, lines, indices, before = size, {}, set(), 0
    while at < len(data):
        kind, length, time = struct.unpack_from("<2IQ", data, at)
        check(time >= before and at + length <= len(data), f"record at {at}")
        before = time
        if kind == 2:
            address, count = struct.unpack_from("<2Q", data, at + 16)
            where = at + 32
            for _ in range(count):
                _, number, _ = struct.unpack_from("<Q2I", data, where)
                name, where = text_at(data, where + 16)
                lines[address] = f"{name}:{number}"
            check(where == at + length, f"lines at {at}")
        else:
            check(kind == 0, f"record of kind {kind}")
            owner, _, vma, address, code, index = struct.unpack_from("<2I4Q", data, at + 16)
            name, where = text_at(data, at + 56)
            check(owner == pid and vma == address and where + code == at + length and index not in indices, f"code of {name}")
            indices.add(index)
            print(name, lines[address], code)
        at += length
    check(at == len(data) and indices, "the file's end")


main()
