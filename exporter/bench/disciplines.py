"""What is measured. Contestants take turns, so that a machine that slows down slows all of them."""

import base64
import gzip
import io
import json
import re
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from exporter.bench.chromium import Tab, new_tab, open_chromium, peak_bytes
from exporter.bench.contestants import Contestant
from exporter.bench.document import Row
from exporter.catalog import find_network
from exporter.errors import BenchError
from exporter.evaluate import Pair
from exporter.exported import exported_file
from exporter.metrics import mean_scores, measure
from exporter.nodejs import find_node
from exporter.pictures import read_grey
from exporter.report import Report, silent
from exporter.verification.browser import OWN_ENGINE, open_lab
from exporter.winograd.plan import plan_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Playwright

__all__ = ["cold", "networks_alone", "quality", "transfer", "warm"]

_WARM_UPS = 1
#: What a page may be slow with before it counts as broken.
_OFFLINE_READY_S = 120


# ---- photo to PNG, warm --------------------------------------------------------------------------


def warm(
    playwright: "Playwright",
    contestants: Sequence[Contestant],
    photos: Mapping[str, bytes],
    *,
    rounds: int,
    is_asked: Mapping[str, Sequence[str]] | None = None,
    report: Report = silent,
) -> list[Row]:
    """Each contestant in a browser of its own, where the first run is not counted. `is_asked` names
    the photos of contestants that do not get all of them. Raises BenchError."""
    rows = []
    with ExitStack() as stack:
        tabs: list[tuple[Tab, Browser]] = []
        for done, contestant in enumerate(contestants):
            report("Starting the contestants", done, len(contestants))
            browser = stack.enter_context(open_chromium(playwright))
            context = browser.new_context(
                service_workers="allow" if contestant.isolated else "block"
            )
            tab = new_tab(context, contestant)
            tab.open()
            tab.preload()
            tabs.append((tab, browser))
        report("Starting the contestants", len(contestants), len(contestants))
        for done, (name, jpeg) in enumerate(photos.items()):
            report("Photo to PNG, warm", done, len(photos))
            taking_part = [
                (tab, browser)
                for tab, browser in tabs
                if is_asked is None or name in is_asked.get(tab.contestant.title, [name])
            ]
            for tab, _ in taking_part:
                tab.take(name, jpeg)
            answers: dict[str, list[dict[str, Any]]] = defaultdict(list)
            for turn in range(_WARM_UPS + rounds):
                for tab, _ in taking_part:
                    answer = tab.cut(name)
                    if turn >= _WARM_UPS:
                        answers[tab.contestant.title].append(answer)
            rows += [
                _warm_row(tab.contestant, name, answers[tab.contestant.title], peak_bytes(browser))
                for tab, browser in taking_part
            ]
        report("Photo to PNG, warm", len(photos), len(photos))
    return rows


def _warm_row(
    contestant: Contestant, photo: str, answers: Sequence[Mapping[str, Any]], peak: int | None
) -> Row:
    first = answers[0]
    return Row(
        "warm",
        contestant.title,
        photo,
        {stage: [answer["times_ms"][stage] for answer in answers] for stage in first["times_ms"]},
        {
            "longest_task_ms": max(answer["longest_task_ms"] for answer in answers),
            "peak_bytes": peak,
            "png_bytes": first["bytes"],
            "backend": first["backend"],
            "precision": first["precision"],
            "threads": first["threads"],
        },
        _WARM_UPS,
        contestant.is_peer,
    )


# ---- the first visit -----------------------------------------------------------------------------


def cold(
    playwright: "Playwright",
    contestants: Sequence[Contestant],
    photo: tuple[str, bytes],
    *,
    rounds: int,
    report: Report = silent,
) -> list[Row]:
    """From an empty browser to the first cut-out; and again without a network where the site has
    promised that. Raises BenchError."""
    times: dict[tuple[str, str], list[float]] = defaultdict(list)
    steps = rounds * len(contestants)
    for turn in range(rounds):
        for index, contestant in enumerate(contestants):
            report("First visits", turn * len(contestants) + index, steps)
            with open_chromium(playwright) as browser:
                context = browser.new_context()
                tab = new_tab(context, contestant)
                times[contestant.title, "first visit"].append(_visit_ms(tab, photo))
                if contestant.is_peer:
                    continue
                _wait_until_offline_ready(tab)
                tab.page.close()
                context.set_offline(True)
                again = new_tab(context, contestant)
                times[contestant.title, "second visit, offline"].append(_visit_ms(again, photo))
    report("First visits", steps, steps)
    peers = {contestant.title for contestant in contestants if contestant.is_peer}
    return [
        Row("cold", title, f"{case}, {photo[0]}", {"total": measured}, is_peer=title in peers)
        for (title, case), measured in times.items()
    ]


def _visit_ms(tab: Tab, photo: tuple[str, bytes]) -> float:
    """As a person meets it: a page opens, a photo is dropped, its cut-out is there. A peer has no
    page of its own, but the two calls."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, f"{photo[0]}.jpg")
        file.write_bytes(photo[1])
        started_s = time.monotonic()
        tab.open()
        taking_s = 0.0
        if tab.contestant.is_peer:
            taken_s = time.monotonic()
            tab.take(*photo)  # a person's file lies on the disk already
            taking_s = time.monotonic() - taken_s
            tab.cut(photo[0])
        else:
            tab.drop(file)
        return 1000 * (time.monotonic() - started_s - taking_s)


def _wait_until_offline_ready(tab: Tab) -> None:
    give_up_s = time.monotonic() + _OFFLINE_READY_S
    badge = tab.page.get_by_test_id("offline-state")
    while not badge.is_visible():
        if time.monotonic() > give_up_s:
            raise BenchError(f"{tab.contestant.title}: Expected the page to be ready offline.")
        tab.page.wait_for_timeout(100)


# ---- what a visit fetches ------------------------------------------------------------------------

_BROTLI = """
const { brotliCompressSync, constants } = require('zlib'), { readFileSync } = require('fs')
const params = { [constants.BROTLI_PARAM_QUALITY]: 6 }
const sizeOf = (path) => brotliCompressSync(readFileSync(path), { params }).length
console.log(JSON.stringify(process.argv.slice(1).map(sizeOf)))
"""


def transfer(site: Path) -> list[Row]:
    """Bytes of the site's parts: as they are, and as servers send them."""
    parts: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(path for path in site.rglob("*") if path.is_file()):
        parts[_part_of(path.relative_to(site).parts)].append(path)
    rows = []
    for name, paths in parts.items():
        contents = [path.read_bytes() for path in paths]
        values: dict[str, float | str | None] = {
            "files": len(paths),
            "bytes": sum(map(len, contents)),
            "gzip_bytes": sum(len(gzip.compress(content, 6)) for content in contents),
            "brotli_bytes": _brotli_bytes(paths),
        }
        rows.append(Row("transfer", "Gossamer", name, {}, values))
    return rows


def _part_of(parts: Sequence[str]) -> str:
    if parts[0] == "vendor":
        return re.split(r"-\d", parts[1])[0]
    return f"network {parts[1].split('.')[0]}" if parts[0] == "models" else "the page"


def _brotli_bytes(paths: Sequence[Path]) -> int | None:
    try:
        run = subprocess.run(
            [find_node(), "-e", _BROTLI, *map(str, paths)],
            check=True,
            capture_output=True,
            text=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    sizes: list[int] = json.loads(run.stdout)
    return sum(sizes)


# ---- the network alone ---------------------------------------------------------------------------


def networks_alone(
    artefacts: Sequence[tuple[str, str]], *, threads: int, rounds: int, report: Report = silent
) -> list[Row]:
    """`artefacts` are pairs of network and precision. Each in ONNX Runtime Web, in turn with the
    float32 file in the same page, and that one natively; and the float32 file in our own engine,
    where it can. Raises ExporterError."""
    rows = []
    with open_lab(report=report) as lab:
        for done, (name, precision) in enumerate(artefacts):
            report("The networks alone", done, len(artefacts))
            network = find_network(name)
            own, exact = (
                exported_file(network, precision=one, report=report) for one in (precision, "fp32")
            )
            spec = network.input
            picture = np.random.default_rng(0).random((1, 3, spec.height, spec.width), np.float32)
            common: dict[str, Any] = {
                "input_name": spec.name,
                "output_name": network.output.name,
                "threads": threads,
                "rival": exact.read_bytes(),
                "rounds": rounds,
            }
            run = lab.run("wasm", own.read_bytes(), [picture], **common)
            native_ms = _native_ms(exact, spec.name, picture, threads, rounds)
            for title, times_ms in (
                (f"{name} {precision}, browser", run.race_ms),
                (f"{name} fp32, browser", run.rival_ms),
                (f"{name} fp32, native", native_ms),
            ):
                ratio = median(run.rival_ms) / median(times_ms)
                values = {"times_as_fast_as_fp32_in_the_browser": ratio}
                case = f"{precision} in turn with fp32"
                rows.append(Row("network", title, case, {"total": times_ms}, values))
            if plan_of(exact.read_bytes()):
                run = lab.run(OWN_ENGINE, exact.read_bytes(), [picture], **common)
                ratio = median(run.rival_ms) / median(run.race_ms)
                values = {"times_as_fast_as_fp32_in_the_browser": ratio}
                title, case = f"{name} fp32, our own engine", "in turn with ONNX Runtime's fp32"
                rows.append(Row("network", title, case, {"total": run.race_ms}, values))
    report("The networks alone", len(artefacts), len(artefacts))
    return rows


def _native_ms(
    path: Path, name: str, picture: np.ndarray, threads: int, rounds: int
) -> list[float]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    times_ms = []
    for turn in range(_WARM_UPS + rounds):
        started_s = time.perf_counter()
        session.run(None, {name: picture})
        if turn >= _WARM_UPS:
            times_ms.append(1000 * (time.perf_counter() - started_s))
    return times_ms


# ---- quality -------------------------------------------------------------------------------------


def quality(
    playwright: "Playwright",
    contestants: Sequence[Contestant],
    pairs: Sequence[Pair],
    *,
    report: Report = silent,
) -> list[Row]:
    """The alpha of the PNG that a person gets, against ground truth, by set; and how long each took
    on these photos. Raises BenchError, EvaluationError."""
    scores: dict[tuple[str, str], list[Any]] = defaultdict(list)
    times: dict[tuple[str, str], list[float]] = defaultdict(list)
    with ExitStack() as stack:
        tabs = []
        for contestant in contestants:
            browser = stack.enter_context(open_chromium(playwright))
            tab = new_tab(browser.new_context(), contestant)
            tab.open()
            tab.preload()
            tabs.append(tab)
        for done, pair in enumerate(pairs):
            report("Quality", done, len(pairs))
            truth_hw = read_grey(pair.truth).astype(np.float32) / np.float32(255)
            for tab in tabs:
                tab.take(pair.stem, pair.image.read_bytes())
                answer = tab.cut(pair.stem, wants_pixels=True)
                picture = Image.open(io.BytesIO(base64.b64decode(answer["png"])))
                alpha_hw = np.asarray(picture.convert("RGBA"))[..., 3].astype(
                    np.float32
                ) / np.float32(255)
                if alpha_hw.shape != truth_hw.shape:
                    raise BenchError(
                        f"{tab.contestant.title}, {pair.stem}: Expected alpha of "
                        f"{truth_hw.shape}, received {alpha_hw.shape}."
                    )
                key = tab.contestant.title, pair.set
                scores[key].append(measure(alpha_hw, truth_hw))
                times[key].append(answer["times_ms"]["total"])
        report("Quality", len(pairs), len(pairs))
    peers = {contestant.title for contestant in contestants if contestant.is_peer}
    rows = []
    for (title, name), measured in scores.items():
        mean = mean_scores(measured)
        values: dict[str, float | str | None] = {
            "pictures": len(measured),
            "mae": mean.mae,
            "band_mae": mean.band_mae,
            "s_measure": mean.s_measure,
        }
        row_times = {"total": times[title, name]}
        rows.append(Row("quality", title, name, row_times, values, is_peer=title in peers))
    return rows
