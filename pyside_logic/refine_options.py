"""What can be asked of `refine.py`."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from pyside_logic.errors import Stage
from pyside_logic.option_values import expect_keys, expect_number, invalid

__all__ = ["DETAILS", "RefineOptions"]

#: Ways to find alpha in the soft band again, from none to the slowest.
DETAILS = ("none", "guided", "closed_form", "knn")
#: The default where a plain backdrop has told the matte, which is sharp already.
_KEYED_SHARPEN = 0.0
_STAGE = Stage.REFINE


@dataclass(frozen=True)
class RefineOptions:
    """How alpha and colours are made from the matte. The defaults are what helps on measured
    pictures; every option does one thing, and the others do nothing as they are. Raises
    `invalid_argument` for values of another type or out of range.

    `sharpen`: how much of the matte's blur is taken back before it is enlarged, 0 (none) to 4.
    `min_region_px`: specks and holes of a smaller area, in pixels of the photo, go.
    `detail`: how the photo's own detail is found in soft edges, one of DETAILS.
    `contract_px`: how far edges move inwards, -64 (outwards) to 64; hair and gaps are spared.
    `feather_px`: the sigma of the Gaussian that softens alpha, 0 to 64.
    `decontaminate`: whether soft pixels get the subject's own colour, without the background's.
    """

    sharpen: float = 1.0
    min_region_px: float = 0
    detail: str = "guided"
    contract_px: int = 0
    feather_px: float = 0
    decontaminate: bool = True

    def __post_init__(self) -> None:
        expect_number("sharpen", self.sharpen, 0, 4, stage=_STAGE)
        expect_number("min_region_px", self.min_region_px, 0, 1e9, stage=_STAGE)
        expect_number("contract_px", self.contract_px, -64, 64, whole=True, stage=_STAGE)
        expect_number("feather_px", self.feather_px, 0, 64, stage=_STAGE)
        if self.detail not in DETAILS:
            raise invalid("detail", f"one of {', '.join(DETAILS)}", self.detail, _STAGE)
        if not isinstance(self.decontaminate, bool):
            raise invalid("decontaminate", "true or false", self.decontaminate, _STAGE)

    @property
    def moves_edges(self) -> bool:
        return self.contract_px != 0 or self.feather_px > 0

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], *, keyed: bool = False) -> Self:
        """For a matte by `chroma_key.py` where it is `keyed`. Raises `invalid_argument` for a key
        that is not an option, or a value out of range."""
        known = {field.name for field in fields(cls)}
        expect_keys("refine options", known, values, stage=_STAGE)
        return cls(**({"sharpen": _KEYED_SHARPEN, **values} if keyed else values))
