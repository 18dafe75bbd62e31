"""What of an address may be told: not what opens it.

Of HTTP that is a name, a password, and the query, in which signed addresses have their signature;
of anything else a name with a password. Keys of object stores may hold a question mark.
"""

import re

__all__ = ["told_address", "told_text"]

_USER = re.compile(r"(https?://)[^\s/?#'\"]*@", re.IGNORECASE)
_PASSWORD = re.compile(r"(\w://)[^\s/?#:@'\"]*:[^\s/?#'\"]*@")
_QUERY = re.compile(r"(https?://[^?#]*)[?#].*", re.IGNORECASE | re.DOTALL)
# In a text: what ends the sentence, or the quotation, that the address is in does not belong to it.
_QUERY_WITHIN = re.compile(
    r"(https?://[^\s?#'\"<>]*)[?#][^\s'\"<>]*?(?=[.,:;)\]]*(?:[\s'\"<>]|$))", re.IGNORECASE
)


def told_address(address: str) -> str:
    return _without_user(_QUERY.sub(r"\1", address))


def told_text(text: str) -> str:
    """With every address in it as `told_address` has it."""
    return _without_user(_QUERY_WITHIN.sub(r"\1", text))


def _without_user(text: str) -> str:
    return _PASSWORD.sub(r"\1", _USER.sub(r"\1", text))
