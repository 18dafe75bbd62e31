"""Numbers as arguments, which argparse refuses in our words."""

import argparse
import math
from collections.abc import Callable

__all__ = ["finite_number", "whole_number"]


def whole_number(least: int) -> Callable[[str], int]:
    """Reads one of at least so much."""

    def parse(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if number < least:
            raise argparse.ArgumentTypeError(
                f"Expected a whole number of at least {least}, received {text!r}."
            )
        return number

    return parse


def finite_number(text: str) -> float:
    """Neither infinity nor NaN, with which nothing can be compared and which JSON has not."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(f"Expected a finite number, received {text!r}.")
    return number
