"""Addresses as they may be told, and texts that hold some."""

import pickle

import pytest

from exporter.addresses import told_address, told_text
from exporter.batch.job import Outcome
from exporter.errors import BatchError

SIGNED = "http://user:s3cret@host:81/a b.jpg?X-Amz-Signature=TOKEN"


@pytest.mark.parametrize(
    ("address", "told"),
    [
        (SIGNED, "http://host:81/a b.jpg"),
        ("https://token@host/x.jpg#part", "https://host/x.jpg"),
        ("https://a@b:c@host?sig=a b", "https://host"),
        ("sftp://user:s3cret@host/a#1.jpg", "sftp://host/a#1.jpg"),
        ("simplecache::https://u:p@host/x.jpg?sig=x", "simplecache::https://host/x.jpg"),
        *((same, same) for same in ("s3://shop/why?#1.jpg", "az://box@account/a.jpg", "a?b@c.jpg")),
    ],
)
def test_an_address_is_told_without_what_opens_it(address: str, told: str) -> None:
    assert told_address(address) == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "http://u:p@h/x?v=2: Expected a file: http://h/x?v=2",
            "http://h/x: Expected a file: http://h/x",
        ),
        ("403, url='https://h/x?sig=a:b'", "403, url='https://h/x'"),
        ("of http://h/x?a, http://h/y?b=c).\nmore", "of http://h/x, http://h/y).\nmore"),
        ("what is a?b@c: 1", "what is a?b@c: 1"),
    ],
)
def test_a_text_keeps_what_is_around_its_addresses(text: str, told: str) -> None:
    assert told_text(text) == told


def test_neither_outcomes_nor_errors_hold_what_opens_an_address() -> None:
    outcome = Outcome(
        SIGNED, "host/a b-cutout.png", "failed", f"{SIGNED}: Expected a file: {SIGNED}"
    )
    assert outcome.source == "http://host:81/a b.jpg"
    assert outcome.reason == f"{outcome.source}: Expected a file: {outcome.source}"
    error = pickle.loads(pickle.dumps(BatchError("http://u:p@host/x?sig=1: Expected a source")))
    assert str(error) == "http://host/x: Expected a source"
