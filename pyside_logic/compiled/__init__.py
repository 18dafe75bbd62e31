"""The loops of pixels.c and deflate.c, where there is a library of them.

In the browser NumPy runs without vector instructions, and passes through memory cost more than what
is computed on the way. There a library lies beside this file, which is loaded as Python loads any
other; on CPython there is none. Each loop stands beside NumPy that computes the same, and which
says what that is.
"""

import ctypes
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.ctypeslib import ndpointer

__all__ = ["LIBRARY", "load", "loops"]

LIBRARY = Path(__file__).with_name("loops.wasm")

_Index = ctypes.c_ssize_t
_Float = ctypes.c_float
_Floats, _Doubles, _Bytes, _Sums, _Indices = (
    ndpointer(dtype, flags="C_CONTIGUOUS")
    for dtype in (np.float32, np.float64, np.uint8, np.uint32, np.intp)
)
_Pixels = ndpointer(np.uint8)  # their strides come with the call
_Size = (_Index, _Index)
_Between = (_Indices, _Indices, _Floats)
_Held = (_Index, _Float, _Float, _Float)

#: What each takes, and what it returns.
_SIGNATURES: dict[str, tuple[Sequence[Any], Any]] = {
    "combine_rows": ([_Floats, _Index, _Indices, _Floats, *_Size, _Floats], None),
    "box_mean": ([_Doubles, _Index, *_Size, _Index, _Doubles, _Doubles], None),
    "alpha_rows": (
        [
            *(_Floats, _Floats, _Floats, _Index),
            *(*_Between, _Index, *_Between, _Index),
            *(_Bytes, *_Held, _Floats, _Floats),
        ],
        None,
    ),
    "write_alpha": ([_Floats, _Index, _Bytes], None),
    "block_sums": ([_Pixels, *_Size, _Indices, _Index, _Indices, _Index, _Sums], None),
    "finer_layers": (
        [*(_Floats, *_Size), *(_Floats, *_Size), *(_Floats, *_Size), _Floats, _Index, _Float],
        None,
    ),
    "foreground": (
        [
            *(_Bytes, *_Size, ctypes.c_uint8),
            *(_Floats, *_Size),
            *(*_Between, *_Between),
            *(_Indices, _Bytes),
        ],
        _Index,
    ),
    "scan_lines": ([_Bytes, *_Size, _Bytes, _Bytes], None),
    "deflate": ([_Bytes, _Index, _Bytes], _Index),
}


def load(library: Path) -> ctypes.CDLL:
    """The loops as functions of NumPy arrays, contiguous and of the types that are declared above:
    they raise ctypes.ArgumentError for any other. Raises OSError for a library that cannot be
    loaded, as where a browser has no vector instructions."""
    loaded = ctypes.CDLL(str(library))
    for name, (takes, returns) in _SIGNATURES.items():
        function = getattr(loaded, name)
        function.argtypes, function.restype = takes, returns
    return loaded


def _found() -> ctypes.CDLL | None:
    try:
        return load(LIBRARY) if LIBRARY.exists() else None
    except OSError:
        return None


#: None where NumPy computes.
loops = _found()
