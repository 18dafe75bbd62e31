"""The lines along which alpha is one half.

Marching squares: W. Lorensen and H. Cline, "Marching cubes", SIGGRAPH 1987, in two dimensions. All
cells that an outline crosses are looked at at once; only the walk along it is a loop.
"""

import numpy as np
import numpy.typing as npt

__all__ = ["trace_contours"]

Float64 = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

_HALF = 127.5
#: A cell's corners are the centres of four pixels, its sides lie between them; both clockwise.
_CORNERS = ((0, 0), (0, 1), (1, 1), (1, 0))
_TOP, _RIGHT, _BOTTOM, _LEFT = range(4)


def trace_contours(alpha_hw: npt.NDArray[np.uint8]) -> list[Float64]:
    """Closed polygons, each float64 (n, 2) of (y, x) with the picture's top left corner at (0, 0)
    and the centre of its first pixel at (0.5, 0.5). Nothing is beyond the picture's border, so that
    a subject that touches it ends there. Holes run the other way round."""
    padded = np.pad(alpha_hw, 1)
    entries, exits = _segments(padded)
    order = np.argsort(entries)
    entries, exits = entries[order], exits[order]
    # Every crossed side is left through in one cell and entered through in the other.
    following = np.searchsorted(entries, exits)
    points = _crossings(padded, entries)
    return [points[cycle] for cycle in _cycles(following)]


def _segments(padded: npt.NDArray[np.uint8]) -> tuple[Index, Index]:
    """The sides through which an outline enters a cell and leaves it, alpha on one hand always."""
    height, width = padded.shape
    inside = padded > _HALF
    code = np.zeros((height - 1, width - 1), np.uint8)
    for bit, (down, right) in enumerate(_CORNERS):
        code |= inside[down : down + height - 1, right : right + width - 1].view(np.uint8) << bit
    y, x = np.nonzero((code > 0) & (code < 15))
    code = code[y, x]
    total = sum(padded[y + down, x + right].astype(np.int32) for down, right in _CORNERS)
    joined = np.asarray(total) > 4 * _HALF  # a saddle's middle belongs to the subject
    entries, exits = [], []
    for case in range(1, 15):
        for middle in (False, True):
            chosen = (code == case) & (joined == middle)
            for entry, leave in _walks(case, middle):
                entries.append(_side(entry, y[chosen], x[chosen], width))
                exits.append(_side(leave, y[chosen], x[chosen], width))
    return np.concatenate(entries), np.concatenate(exits)


def _walks(case: int, joined: bool) -> list[tuple[int, int]]:
    """How outlines cross a cell whose corners are inside as the bits of `case` say: they enter
    where the way clockwise around it leads into the subject."""
    corner = [bool(case >> bit & 1) for bit in range(4)]
    if case == 0b0101:
        return [(_RIGHT, _TOP), (_LEFT, _BOTTOM)] if joined else [(_RIGHT, _BOTTOM), (_LEFT, _TOP)]
    if case == 0b1010:
        return [(_TOP, _LEFT), (_BOTTOM, _RIGHT)] if joined else [(_TOP, _RIGHT), (_BOTTOM, _LEFT)]
    turns = [(corner[side], corner[(side + 1) % 4]) for side in range(4)]
    return [(turns.index((False, True)), turns.index((True, False)))]


def _side(side: int, y: Index, x: Index, width: int) -> Index:
    """A number for a side of the cells (y, x), the same from both its cells: twice that of the
    pixel where it begins, and one more where it leads down."""
    if side == _BOTTOM:
        y = y + 1
    if side == _RIGHT:
        x = x + 1
    return 2 * (y * width + x) + (side in (_LEFT, _RIGHT))


def _crossings(padded: npt.NDArray[np.uint8], sides: Index) -> Float64:
    """Where alpha is one half on each side, by linear interpolation."""
    y, x = np.divmod(sides >> 1, padded.shape[1])
    down = sides & 1
    before = padded[y, x].astype(np.float64)
    after = padded[y + down, x + 1 - down].astype(np.float64)
    share = (_HALF - before) / (after - before)
    # The padding has moved everything by one pixel; centres lie half a pixel in.
    return np.stack([y + share * down - 0.5, x + share * (1 - down) - 0.5], axis=1)


def _cycles(following: Index) -> list[Index]:
    successors = following.tolist()
    seen = [False] * len(successors)
    cycles = []
    for start in range(len(successors)):
        if seen[start]:
            continue
        cycle = []
        at = start
        while not seen[at]:
            seen[at] = True
            cycle.append(at)
            at = successors[at]
        cycles.append(np.array(cycle, np.int64))
    return cycles
