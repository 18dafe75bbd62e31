"""A run of the bench from top to bottom: sites, contestants, disciplines, document."""

import hashlib
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from exporter.bench import disciplines
from exporter.bench.chromium import machine, open_chromium, open_playwright
from exporter.bench.contestants import PEER_MODELS, Contestant, serve_peer, serve_site
from exporter.bench.document import PARTS, Document, Row
from exporter.bench.photos import photo_of
from exporter.catalog import SHIPPED, load_runtime
from exporter.errors import BenchError
from exporter.evaluate import read_manifest
from exporter.report import Report, silent
from exporter.site import SiteChoices, build_site

__all__ = ["Plan", "run_bench"]

#: Beside the site as it is shipped: with every network in int8, and the fastest one.
_SMALL_FILES = (*SHIPPED, "u2net")
_FASTEST = "u2netp"
_FASTEST_PX = 256
#: Photos that the slow ones are asked for: the peer, and the networks beside the default.
_FEW = (1, 6)


@dataclass(frozen=True)
class Plan:
    """What to measure. `picture` is enlarged to `megapixels`; `labelled` is a folder in the layout
    of `gossamer eval`, of which every `every`-th picture is used; `folder` keeps sites and peer."""

    picture: Path
    folder: Path
    parts: Sequence[str] = PARTS
    megapixels: Sequence[int] = (1, 6, 12, 24)
    rounds: int = 5
    with_peer: bool = True
    labelled: Path | None = None
    every: int = 4


def run_bench(plan: Plan, *, report: Report = silent) -> Document:
    """Raises ExporterError."""
    if "quality" in plan.parts and plan.labelled is None:
        raise BenchError("Expected a folder of labelled pictures for the quality: --eval DIR.")
    started = datetime.now(UTC).isoformat(timespec="seconds")
    started_s = time.monotonic()
    photos = {f"{size} MP": photo_of(plan.picture, size) for size in plan.megapixels}
    middle = f"{6 if 6 in plan.megapixels else plan.megapixels[0]} MP"
    rows: list[Row] = []
    with ExitStack() as stack:
        playwright = stack.enter_context(open_playwright())
        shipped = build_site(SHIPPED, plan.folder / "site", report=report)
        small = build_site(
            _SMALL_FILES,
            plan.folder / "site-int8",
            choices=SiteChoices(("wasm",), "int8"),
            report=report,
        )
        fastest = build_site(
            (_FASTEST,),
            plan.folder / "site-fastest",
            choices=SiteChoices(("wasm",), size=(_FASTEST_PX, _FASTEST_PX)),
            report=report,
        )
        peer_url = (
            stack.enter_context(serve_peer(plan.folder / "peer", report)) if plan.with_peer else ""
        )
        shipped_url = stack.enter_context(serve_site(shipped))
        small_url = stack.enter_context(serve_site(small))
        fastest_url = stack.enter_context(serve_site(fastest))
        plain_url = stack.enter_context(serve_site(shipped, headers=False))
        default = Contestant("Gossamer as shipped (u2netp)", shipped_url)
        once = Contestant("Gossamer without a wider look", shipped_url, {"widerLook": False})
        sized = [
            Contestant(f"Gossamer {_FASTEST}, {_FASTEST_PX} px", fastest_url),
            *(
                Contestant(f"Gossamer {name} int8", small_url, {"model": name, "backend": "wasm"})
                for name in _SMALL_FILES
            ),
        ]
        peers = [
            Contestant(f"peer, {model}", peer_url, {"model": model}, is_peer=True)
            for model in PEER_MODELS
            if plan.with_peer
        ]
        if "warm" in plan.parts:
            one_thread = Contestant(
                "Gossamer as shipped, one thread", plain_url, {"backend": "wasm"}, isolated=False
            )
            few = [f"{size} MP" for size in _FEW]
            fastest_one, fast, *finer = sized
            contestants = [default, once, fastest_one, fast, one_thread, *finer, *peers]
            rows += disciplines.warm(
                playwright,
                contestants,
                photos,
                rounds=plan.rounds,
                is_asked={one.title: few for one in [once, one_thread, *finer, *peers]},
                report=report,
            )
        if "cold" in plan.parts:
            rows += disciplines.cold(
                playwright,
                [default, sized[0], *peers[:1]],
                (middle, photos[middle]),
                rounds=max(2, plan.rounds // 2),
                report=report,
            )
        if "quality" in plan.parts and plan.labelled:
            pairs = read_manifest(plan.labelled)[:: plan.every]
            rows += disciplines.quality(
                playwright, [default, once, *sized, *peers], pairs, report=report
            )
        with open_chromium(playwright) as browser:
            version = browser.version
    if "transfer" in plan.parts:
        rows += disciplines.transfer(shipped)
    if "network" in plan.parts:
        artefacts = [(name, "int8") for name in _SMALL_FILES]
        rows += disciplines.networks_alone(
            artefacts, threads=2, rounds=plan.rounds + 4, report=report
        )
    about = {
        "started": started,
        "took_s": round(time.monotonic() - started_s),
        "machine": dict(machine()),
        "browser": f"Chromium {version}",
        "versions": {name: part.version for name, part in load_runtime().items()},
        "artefacts": {
            f"{site.name}/{path.name}": _sha256(path)
            for site in (shipped, small, fastest)
            for path in sorted((site / "models").iterdir())
        },
        "rounds": plan.rounds,
        "picture": {"file": plan.picture.name, "sha256": _sha256(plan.picture)},
    }
    return Document(about, rows)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
