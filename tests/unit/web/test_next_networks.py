"""Which networks an update brings to a device, by those that it has stored."""

from typing import Any

import pytest

from .conftest import RunJs

NEXT = "return module.nextNetworks(given.before, given.next, new Set(given.stored))"


def build(*models: dict[str, Any]) -> dict[str, Any]:
    return {"models": models, "defaultModel": models[0]["name"]}


def model(name: str, *artefacts: str) -> dict[str, Any]:
    """`artefacts`: 'backend precision sha256'."""
    keys = ("backend", "precision", "sha256")
    return {
        "name": name,
        "artefacts": [dict(zip(keys, one.split(), strict=True)) for one in artefacts],
    }


SMALL = model("small", "webgpu fp16 g1", "webgpu fp32 f1", "wasm fp32 f1")
PEOPLE = model("people", "wasm int8 p1")


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ([], []),
        (["f1"], ["f2", "i2"]),
        (["g1"], ["g2"]),
        (["p1"], ["p2"]),
        (["f1", "p1", "f2", "i2", "p2"], []),
        (["another site's"], []),
    ],
)
def test_the_same_network_for_the_same_backend(
    run_js: RunJs, stored: list[str], expected: list[str]
) -> None:
    after = build(
        model("small", "webgpu fp16 g2", "webgpu fp32 f2", "wasm int8 i2"),
        model("people", "wasm int8 p2"),
    )
    found = run_js("next-networks.js", NEXT, before=build(SMALL, PEOPLE), next=after, stored=stored)
    assert [artefact["sha256"] for artefact in found] == expected


def test_a_backend_that_is_gone_is_followed_by_wasm(run_js: RunJs) -> None:
    after = build(model("small", "wasm fp32 f2"))
    found = run_js("next-networks.js", NEXT, before=build(SMALL), next=after, stored=["g1"])
    assert [artefact["sha256"] for artefact in found] == ["f2"]


def test_the_first_network_is_followed_by_the_first_one(run_js: RunJs) -> None:
    after = build(model("fine", "wasm int8 x2"), PEOPLE)
    given = {"before": build(SMALL, PEOPLE), "next": after}
    found = run_js("next-networks.js", NEXT, **given, stored=["f1", "p1"])
    assert {artefact["sha256"] for artefact in found} == {"x2"}
