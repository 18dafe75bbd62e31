"""A photo that is being cut out, and what it takes to start again."""

from functools import cached_property

import numpy as np
import numpy.typing as npt

from pyside_logic.errors import ErrorCode, GossamerError, Stage
from pyside_logic.guided import Guide
from pyside_logic.pixels import as_numbers
from pyside_logic.resample import strips_of
from pyside_logic.shrink import shrink_photo

__all__ = ["Cutout"]

UInt8 = npt.NDArray[np.uint8]


#: The longer side of the working size, at which colours are looked at.
_WORKING_PX = 512
#: Of a pixel as one number.
_ALPHA_BITS = np.uint32(0xFF000000)
_NO_SUBJECT = np.zeros((1, 1), np.float32)


class Cutout:
    """A photo, its matte, and the alpha that `refine` writes into the photo's own pixels.

    `rgba_hwc` is uint8 (height, width, 4), straight sRGB, and written to; `matte_hw` is float32
    (h, w) in [0, 1] of any size, and may come later; `keyed` where a plain backdrop has told it.
    """

    def __init__(
        self,
        rgba_hwc: UInt8,
        matte_hw: npt.NDArray[np.float32] = _NO_SUBJECT,
        *,
        keyed: bool = False,
    ) -> None:
        if rgba_hwc.ndim != 3 or rgba_hwc.shape[2] != 4 or rgba_hwc.size == 0:
            raise GossamerError(
                ErrorCode.INVALID_ARGUMENT,
                Stage.REFINE,
                f"Expected pixels of shape (height, width, 4), received {rgba_hwc.shape}.",
            )
        self.rgba_hwc = np.ascontiguousarray(rgba_hwc)
        self.matte_hw = matte_hw
        self.keyed = keyed
        #: What a person has corrected; see touch_up.py.
        self.touch_hw: npt.NDArray[np.float32] | None = None
        opaque = bool((rgba_hwc[..., 3] == 255).all())
        #: The photo's own alpha, where it has one: `refine` may run many times.
        self.source_alpha_hw = None if opaque else rgba_hwc[..., 3].copy()
        self._larger: Cutout | None = None
        self.precise_alpha_hw: npt.NDArray[np.uint16] | None = None
        # Only the soft edges ever change colour: a copy of the whole photo would take its size.
        self._original_colours: list[
            tuple[slice, npt.NDArray[np.intp], npt.NDArray[np.uint32]]
        ] = []

    @cached_property
    def small_rgb_hwc(self) -> npt.NDArray[np.float32]:
        """The photo's colours at the working size, float32 (h, w, 3) in [0, 1]."""
        assert not self._original_colours  # those of the photo are there to be seen
        return shrink_photo(self.rgba_hwc, _WORKING_PX)[..., :3].copy()

    @cached_property
    def guide(self) -> Guide:
        """What the photo's colours tell of any matte."""
        return self._larger.guide if self._larger else Guide.of(self.small_rgb_hwc)

    def look(self) -> None:
        """Finds beforehand what takes no matte to find."""
        _ = self.guide

    def look_with(self, larger: "Cutout") -> None:
        """What `larger` finds in the same photo is taken over, where that looks no closer."""
        if max(self.rgba_hwc.shape) >= _WORKING_PX:
            self._larger = larger

    def small_rgba_hwc(self, alpha_hw: UInt8) -> npt.NDArray[np.float32]:
        """The same with `alpha_hw`, of the photo's size, float32 (h, w, 4) in [0, 1]."""
        alpha_hw1 = shrink_photo(alpha_hw[..., None], _WORKING_PX)
        return np.concatenate([self.small_rgb_hwc, alpha_hw1], axis=-1)

    def mixed(self, found_hw: UInt8) -> UInt8 | None:
        """How much of its colour each pixel has from the subject, uint8 (height, width); None where
        that is the alpha that it has. `found_hw` is what was found before edges were moved."""
        if self.source_alpha_hw is not None:  # a pixel that is transparent already is not mixed
            return np.where(self.source_alpha_hw < 255, np.uint8(255), found_hw)
        return None if np.may_share_memory(found_hw, self.rgba_hwc) else found_hw

    def ask_for_precision(self) -> None:
        """From the next `refine` on, `precise_alpha_hw` holds alpha in 16 bits, uint16 (height,
        width): not the eight bits of the pixels stretched, but what they were rounded from."""
        if self.precise_alpha_hw is None:
            self.precise_alpha_hw = np.zeros(self.rgba_hwc.shape[:2], np.uint16)

    def keep_precisely(self, rows: slice, alpha_hw: npt.NDArray[np.float32]) -> None:
        """Keeps alpha, (rows, width) in [0, 1], no more than the photo's own, where it was asked
        for."""
        if self.precise_alpha_hw is None:
            return
        scaled = alpha_hw * np.float32(65535)
        if self.source_alpha_hw is not None:
            np.minimum(scaled, self.source_alpha_hw[rows] * np.float32(257), out=scaled)
        self.precise_alpha_hw[rows] = scaled + np.float32(0.5)

    def recolour(self, rows: slice, at: npt.NDArray[np.intp], colours: UInt8) -> None:
        """Gives some of the photo's pixels colours, (n, 3): those `at` (n,) among those of `rows`,
        each at most once between restores."""
        pixels = as_numbers(self.rgba_hwc[rows])
        before = pixels[at]
        self._original_colours.append((rows, at, before))
        after = before.copy()
        after.view(np.uint8).reshape(-1, 4)[:, :3] = colours
        pixels[at] = after

    @property
    def is_recoloured(self) -> bool:
        return bool(self._original_colours)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left of the photo, as the first strips tell of most."""
        return not any(self.rgba_hwc[rows, :, 3].any() for rows in strips_of(len(self.rgba_hwc)))

    def restore_colours(self) -> None:
        """Undoes every `recolour`."""
        self._put_original(self.rgba_hwc)
        self._original_colours.clear()

    def original_rgba(self) -> UInt8:
        """A copy of the photo as it came, whatever `refine` has written into it since."""
        original = self.rgba_hwc.copy()
        self._put_original(original)
        original[..., 3] = 255 if self.source_alpha_hw is None else self.source_alpha_hw
        return original

    def _put_original(self, rgba_hwc: UInt8) -> None:
        for rows, at, before in self._original_colours:
            pixels = as_numbers(rgba_hwc[rows])
            pixels[at] = (pixels[at] & _ALPHA_BITS) | (before & ~_ALPHA_BITS)
