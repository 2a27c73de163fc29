"""Writes numpy.npz, fortran.npz and big.npz: arrays as NumPy itself stores them.

Run in this folder: python3 make_npz.py. The values are spelled out again in npz_test.go.
"""
import numpy as np

np.savez_compressed(
    "numpy.npz",
    half=np.array([[1.5, -2.0], [6.103515625e-05, 5.960464477539063e-08]], np.float16),  # the last is subnormal
    single=np.arange(24, dtype=np.float32).reshape(2, 3, 4) / 8,
    double=np.array([0.1, -1e10]),
    short=np.array([-7, 2**31 - 1], np.int32),
    long=np.array([[-(2**63)], [2**63 - 1]], np.int64),
    byte=np.array([0, 255], np.uint8),
    truth=np.array([True, False, True]),
    scalar=np.array(2.5, np.float32),
    empty=np.zeros((0, 3), np.float32),
    special=np.array([np.nan, np.inf, -np.inf], np.float32),
)
np.savez("fortran.npz", a=np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3)))
np.savez("big.npz", a=np.arange(3, dtype=">f4"))
