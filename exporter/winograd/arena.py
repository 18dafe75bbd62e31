"""Places buffers that are not needed at the same time over one another."""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Life", "arrange"]

# A cache line of floats.
_ALIGNED = 16


@dataclass(frozen=True)
class Life:
    """Of a buffer of so many floats: the first and the last step that need it."""

    floats: int
    first: int
    last: int


def arrange(lives: Mapping[str, Life]) -> tuple[dict[str, int], int]:
    """The place of every buffer, and the floats of all: the largest first, each at the lowest place
    that is free for as long as it lives."""
    places: dict[str, int] = {}
    for name in sorted(lives, key=lambda name: (-lives[name].floats, name)):
        life = lives[name]
        taken = sorted(
            (places[other], places[other] + lives[other].floats)
            for other in places
            if lives[other].first <= life.last and life.first <= lives[other].last
        )
        place = 0
        for start, end in taken:
            if place + life.floats <= start:
                break
            place = max(place, -(-end // _ALIGNED) * _ALIGNED)
        places[name] = place
    return places, max((places[name] + life.floats for name, life in lives.items()), default=0)
