"""A TOML table that is read key by key and says exactly where it is wrong."""

import re
from collections.abc import Sequence
from typing import Any

from exporter.errors import CatalogError

__all__ = ["TomlTable"]

#: No scale, mean or size is beyond it; float() refuses some whole numbers that TOML allows.
_GREATEST = 1e9


class TomlTable:
    """Every reader raises CatalogError with the file, the entry and the dotted key."""

    def __init__(self, file: str, name: str, values: object, prefix: str = "") -> None:
        self.name = name
        self._file = file
        self._prefix = prefix
        self._read: set[str] = set()
        if not isinstance(values, dict):
            raise self.error("", "a table", values)
        self._values: dict[str, Any] = values

    def has(self, key: str) -> bool:
        """Asked of a key that may be left out."""
        self._read.add(key)
        return key in self._values

    def error(self, key: str, expected: str, received: object) -> CatalogError:
        place = ".".join(part for part in (self._prefix, key) if part)
        where = ": ".join(part for part in (self._file, self.name, place) if part)
        return CatalogError(f"{where}: Expected {expected}, received {received!r}.")

    def text(self, key: str) -> str:
        value = self._value(key, "a text")
        if not isinstance(value, str) or not value.strip():
            raise self.error(key, "a text that is not empty", value)
        return value

    def matching(self, key: str, pattern: str, expected: str) -> str:
        value = self._value(key, expected)
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise self.error(key, expected, value)
        return value

    def choice(self, key: str, choices: Sequence[str]) -> str:
        value = self._value(key, " or ".join(map(repr, choices)))
        if value not in choices:
            raise self.error(key, " or ".join(map(repr, choices)), value)
        return str(value)

    def count(self, key: str) -> int:
        value = self._value(key, "a whole number above 0")
        # bool is an int to Python, not to whoever wrote `bytes = true`.
        if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
            raise self.error(key, "a whole number above 0", value)
        return value

    def share(self, key: str) -> float:
        value = self._value(key, "a number from 0 to 1")
        if type(value) not in (int, float) or not 0 <= value <= 1:
            raise self.error(key, "a number from 0 to 1", value)
        return float(value)

    def triple(self, key: str) -> tuple[float, float, float]:
        value = self._value(key, "three numbers")
        if (
            not isinstance(value, list)
            or len(value) != 3
            or not all(type(number) in (int, float) for number in value)
            or not all(abs(number) < _GREATEST for number in value)  # nor nan
        ):
            raise self.error(key, "three numbers", value)
        return float(value[0]), float(value[1]), float(value[2])

    def table(self, key: str) -> "TomlTable":
        return TomlTable(self._file, self.name, self._value(key, "a table"), self._dotted(key))

    def tables(self, key: str) -> list["TomlTable"]:
        value = self._value(key, "a list of tables")
        if not isinstance(value, list) or not value:
            raise self.error(key, "a list of tables that is not empty", value)
        return [
            TomlTable(self._file, self.name, one, f"{self._dotted(key)}[{index}]")
            for index, one in enumerate(value)
        ]

    def refuse_unknown_keys(self) -> None:
        """Call it last: it knows only the keys that were read by then."""
        for key in self._values:
            if key not in self._read:
                known = ", ".join(sorted(self._read))
                raise self.error(key, f"only the keys {known}", key)

    def _value(self, key: str, expected: str) -> Any:
        self._read.add(key)
        if key not in self._values:
            raise self.error(key, expected, "nothing")
        return self._values[key]

    def _dotted(self, key: str) -> str:
        return f"{self._prefix}.{key}" if self._prefix else key
