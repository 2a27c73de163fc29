"""Writes golden.json: elements of seeded tensors, computed apart from the Go code.

Python's integers, hashlib and statistics.NormalDist.inv_cdf do the work, and struct rounds to float32. What the cases
tell apart: the word order of Philox's counter and key (seeds and blocks past 2^32), which end of the name's SHA-256 is
used, the order of words within a block, tensors read from the middle of a block, and the lattice of the uniform values.

    python3 golden.py > golden.json
"""

import hashlib
import json
import statistics
import struct

MASK = 0xFFFFFFFF


def philox4x32_10(counter, key):
    c, k = list(counter), list(key)
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k[0], p1 & MASK, (p0 >> 32) ^ c[3] ^ k[1], p0 & MASK]
        k = [(k[0] + 0x9E3779B9) & MASK, (k[1] + 0xBB67AE85) & MASK]
    return c


def halves(v):
    return v & MASK, v >> 32


def word(seed, name, i):
    tensor = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
    return philox4x32_10(halves(i // 4) + halves(tensor), halves(seed))[i % 4]


def f32(v):
    return struct.unpack("<f", struct.pack("<f", v))[0]


def bits(v):
    return "%08x" % struct.unpack("<I", struct.pack("<f", v))[0]


def uniform(seed, name, bound, i):
    top = word(seed, name, i) >> 8
    odd = 2 * (top - (1 << 24 if top >> 23 else 0)) + 1
    return bits(f32(bound) * odd * 2.0**-24)  # 24 by 24 bits: exact in a double, rounded once


def normal(seed, name, mean, std, i):
    part = (word(seed, name, 2 * i) << 32 | word(seed, name, 2 * i + 1)) >> 12
    return bits(mean + std * statistics.NormalDist().inv_cdf((part + 0.5) * 2.0**-52))


CASES = [
    (0, "model.0.conv.weight", 0),
    (0, "model.9.SRU.gn.gamma", 3),
    (1, "model.0.conv.weight", 0),
    ((1 << 32) + 5, "model.24.m.0.bias", 1),
    ((1 << 64) - 1, "модель", (1 << 34) + 2),
    (7, "", (1 << 62) - 6),
]

if __name__ == "__main__":
    out = []
    for seed, name, offset in CASES:
        where = range(offset, offset + 6)
        out.append({
            "seed": seed,
            "name": name,
            "offset": offset,
            "uniform": [uniform(seed, name, 0.09622504486493763, i) for i in where],
            "normal": [normal(seed, name, 0.25, 1.5, i) for i in where],
        })
    print(json.dumps(out, indent=1, ensure_ascii=False))
