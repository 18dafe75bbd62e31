"""Checks of what a caller has written, each of which raises `invalid_argument` by name."""

from collections.abc import Mapping
from typing import Any

from pyside_logic.errors import ErrorCode, GossamerError, Stage

__all__ = ["expect_keys", "expect_number", "expect_one_of", "invalid"]


def expect_keys(
    what: str, known: set[str], values: Mapping[str, Any], *, stage: Stage = Stage.ENCODE
) -> None:
    unknown = sorted(set(values) - known, key=repr)  # they may be of several types
    if unknown:
        raise GossamerError(
            ErrorCode.INVALID_ARGUMENT,
            stage,
            f"Expected {what} among {sorted(known)}, received {unknown}.",
        )


def expect_number(
    name: str,
    value: object,
    least: float,
    greatest: float,
    *,
    whole: bool = False,
    stage: Stage = Stage.ENCODE,
) -> None:
    right_type = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
    if not right_type or not least <= value <= greatest:  # type: ignore[operator]
        kind = "a whole number" if whole else "a number"
        raise invalid(name, f"{kind} from {least:g} to {greatest:g}", value, stage)


def expect_one_of(name: str, value: object, choices: tuple[object, ...]) -> None:
    # True is 1 to Python, and 8.0 is 8: what is meant has the type too.
    if not any(value == choice and type(value) is type(choice) for choice in choices):
        raise invalid(name, " or ".join(map(str, choices)), value)


def invalid(
    name: str, expected: str, received: object, stage: Stage = Stage.ENCODE
) -> GossamerError:
    return GossamerError(
        ErrorCode.INVALID_ARGUMENT,
        stage,
        f"Expected {expected} for {name}, received {received!r}.",
    )
