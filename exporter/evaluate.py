"""Measures cut-outs on a folder of labelled pictures, one or two candidates at a time.

    DIR/manifest.csv      set, stem, image, gt; paths relative to the folder
    image                 any picture
    gt                    grey, white = foreground, or the alpha of a cut-out; of the image's size

A candidate is a network's file and what refines its matte; it goes from the photo to alpha as in
the browser. Two of them that share a file share its mattes.
"""

import csv
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from exporter.confidence import is_unsure
from exporter.errors import EvaluationError, PictureError
from exporter.finder import improved
from exporter.metrics import Scores, mean_scores, measure, require_packages
from exporter.native import NativeNetwork, Refinement, Subject, cut_out
from exporter.pictures import read_grey, read_photo, read_size
from exporter.report import Report, silent
from exporter.terminal import shown_line

__all__ = [
    "Candidate",
    "Evaluation",
    "Pair",
    "evaluate",
    "format_evaluation",
    "read_manifest",
    "to_json",
]

# A manifest may have others for other readers.
_COLUMNS = ("set", "stem", "image", "gt")


@dataclass(frozen=True)
class Pair:
    """A picture and its ground truth."""

    set: str
    stem: str
    image: Path
    truth: Path


@dataclass(frozen=True)
class Candidate:
    """`label` is its name in the table; the edges are the `specialist`'s where that one agrees."""

    label: str
    network: NativeNetwork
    refinement: Refinement
    second_look: bool = False
    specialist: NativeNetwork | None = None


@dataclass(frozen=True)
class Evaluation:
    """`scores` has one entry a candidate for every pair, in the order of `pairs`; `failures` says
    which pairs could not be measured, and why. `confidences` are those of the networks, as `scores`
    are laid out."""

    labels: tuple[str, ...]
    pairs: tuple[Pair, ...]
    scores: tuple[tuple[Scores, ...], ...]
    confidences: tuple[tuple[float, ...], ...]
    failures: tuple[str, ...] = ()

    def per_set(self) -> dict[str, tuple[int, tuple[Scores, ...]]]:
        """By set: the number of pictures, and each candidate's mean over them."""
        rows: dict[str, list[tuple[Scores, ...]]] = {}
        for pair, scores in zip(self.pairs, self.scores, strict=True):
            rows.setdefault(pair.set, []).append(scores)
        return {
            name: (len(found), tuple(mean_scores(column) for column in zip(*found, strict=True)))
            for name, found in rows.items()
        }


def read_manifest(folder: Path) -> list[Pair]:
    """Raises EvaluationError for a folder without a manifest, and for one that says nothing."""
    path = folder / "manifest.csv"
    try:
        # With or without the mark that Excel begins "CSV UTF-8" with.
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise EvaluationError(
            f"{folder}: Expected a folder with a manifest.csv, which names {', '.join(_COLUMNS)} "
            f"of every picture: {error.strerror}."
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise EvaluationError(f"{path}: Expected a CSV file in UTF-8: {error}.") from error
    if not rows:
        raise EvaluationError(f"{path}: Expected a line for every picture, received none.")
    return [_pair(path, number, row) for number, row in enumerate(rows, start=2)]


def evaluate(
    pairs: Sequence[Pair], candidates: Sequence[Candidate], *, report: Report = silent
) -> Evaluation:
    """Raises EvaluationError before the first picture where one of them is missing or has not the
    size of its truth, and where none at all can be measured."""
    require_packages()
    for pair in pairs:
        _check(pair)
    measured, scores, confidences, failures = [], [], [], []
    for done, pair in enumerate(pairs):
        report("Measuring", done, len(pairs))
        try:
            rows = _measured(pair, candidates)
            scores.append(tuple(score for score, _ in rows))
            confidences.append(tuple(confidence for _, confidence in rows))
            measured.append(pair)
        except (EvaluationError, PictureError) as error:
            failures.append(str(error))
    report("Measuring", len(pairs), len(pairs))
    if not measured:
        raise EvaluationError("\n".join(map(shown_line, failures)))
    labels = tuple(candidate.label for candidate in candidates)
    return Evaluation(labels, tuple(measured), tuple(scores), tuple(confidences), tuple(failures))


def _check(pair: Pair) -> None:
    """What the heads of its files tell. Raises EvaluationError."""
    for path in (pair.image, pair.truth):
        if not path.is_file():
            raise EvaluationError(f"{path}: Expected the file that manifest.csv names.")
    try:
        size, truth_size = read_size(pair.image), read_size(pair.truth)
    except PictureError as error:
        raise EvaluationError(str(error)) from error
    if size != truth_size:
        raise EvaluationError(
            f"{pair.truth}: Expected the size of {pair.image.name}, {_size(size)} px, received "
            f"{_size(truth_size)} px."
        )


def _pair(manifest: Path, line: int, row: Mapping[str | None, str | list[str] | None]) -> Pair:
    values = [row.get(column) for column in _COLUMNS]
    # DictReader files what it has no name for under None, and a cell that is missing as None.
    if None in row or not all(isinstance(value, str) and value for value in values):
        raise EvaluationError(
            f"{manifest}: line {line}: Expected the columns {', '.join(_COLUMNS)}, all of them "
            f"filled, received {', '.join(f'{name}={value}' for name, value in row.items())}."
        )
    name, stem, image, truth = map(str, values)
    return Pair(name, stem, manifest.parent / image, manifest.parent / truth)


def _measured(pair: Pair, candidates: Sequence[Candidate]) -> list[tuple[Scores, float]]:
    """Each candidate's scores, and how sure its network is."""
    rgba_hwc, truth_hw = read_photo(pair.image), _unit(read_grey(pair.truth))
    subjects: dict[NativeNetwork, Subject] = {}
    rows = []
    for candidate in candidates:
        network = candidate.network
        if network not in subjects:
            subjects[network] = network.subject(rgba_hwc)
        specialists = [candidate.specialist] if candidate.specialist else []
        found = improved(
            subjects[network], network, specialists, rgba_hwc, second_look=candidate.second_look
        )
        cutout_hwc = cut_out(rgba_hwc, found.matte_hw, candidate.refinement)
        alpha_hw = _unit(cutout_hwc[..., 3])
        try:
            rows.append((measure(alpha_hw, truth_hw), subjects[network].confidence))
        except EvaluationError as error:
            raise EvaluationError(f"{pair.truth}: {error}") from error
    return rows


def _unit(values_hw: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    return values_hw.astype(np.float32) / np.float32(255)


def _size(size: tuple[int, int]) -> str:
    height, width = size
    return f"{width} x {height}"


# ---- what is printed and written -----------------------------------------------------------------

_TITLES = ("MAE", "MSE", "band MAE", "S-measure", "weighted F")


def format_evaluation(evaluation: Evaluation) -> str:
    """A row for every set and candidate; with two of them, a third row with their difference. Last,
    what a candidate's confidence is worth."""
    width = max(map(len, ("difference", *evaluation.labels))) + 2
    lines = [" " * width + "".join(f"{title:>12}" for title in _TITLES)]
    for name, (count, means) in evaluation.per_set().items():
        lines.append(f"{name} ({count} pictures)")
        rows = list(zip(evaluation.labels, means, strict=True))
        lines += [f"  {label:{width - 2}}{_cells(scores, '12.4f')}" for label, scores in rows]
        if len(means) == 2:
            difference = _cells(means[1].minus(means[0]), "+12.4f")
            lines.append(f"  {'difference':{width - 2}}{difference}")
    return "\n".join([*lines, *map(_doubts, evaluation.labels, *_columns(evaluation))])


def _columns(evaluation: Evaluation) -> tuple[list[tuple[Scores, ...]], list[tuple[float, ...]]]:
    """By candidate."""
    scores, confidences = evaluation.scores, evaluation.confidences
    return list(zip(*scores, strict=True)), list(zip(*confidences, strict=True))


def _doubts(label: str, scores: Sequence[Scores], confidences: Sequence[float]) -> str:
    pairs = list(zip(scores, confidences, strict=True))
    unsure = [score for score, confidence in pairs if is_unsure(confidence)]
    sure = [score for score, confidence in pairs if not is_unsure(confidence)]
    line = f"{label}: unsure of {len(unsure)} of {len(pairs)} pictures"
    if not unsure or not sure:
        return line
    doubtful, others = mean_scores(unsure), mean_scores(sure)
    return (
        f"{line}: MAE {doubtful.mae:.4f}, of the others {others.mae:.4f}; "
        f"weighted F {doubtful.weighted_f:.4f} and {others.weighted_f:.4f}"
    )


def to_json(evaluation: Evaluation) -> str:
    """Means by set, every picture's own scores, and what failed; NaN, which JSON lacks, becomes
    null."""
    document = {
        "candidates": list(evaluation.labels),
        "sets": {
            name: {"pictures": count, "scores": [_plain(scores) for scores in means]}
            for name, (count, means) in evaluation.per_set().items()
        },
        "pictures": [
            {
                "set": pair.set,
                "stem": pair.stem,
                "scores": [_plain(one) for one in scores],
                "confidence": list(confidences),
            }
            for pair, scores, confidences in zip(
                evaluation.pairs, evaluation.scores, evaluation.confidences, strict=True
            )
        ],
        "failures": list(evaluation.failures),
    }
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


def _cells(scores: Scores, style: str) -> str:
    return "".join(f"{value:{style}}" for value in asdict(scores).values())


def _plain(scores: Scores) -> dict[str, float | None]:
    return {name: None if math.isnan(value) else value for name, value in asdict(scores).items()}
