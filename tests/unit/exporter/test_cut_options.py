"""What commands refuse before the first photo is what the encoder would refuse of every one."""

import argparse
from itertools import product

import numpy as np
import pytest

from exporter.commands.cut_options import _output_values, add_cut_arguments, cut_job
from exporter.errors import ExporterError
from exporter.native import parse_output
from pyside_logic.cutout import Cutout
from pyside_logic.encode import _check
from pyside_logic.errors import GossamerError

CHOICES = (
    ("", "--alpha"),
    ("", "--depth 8", "--depth 16"),
    ("", "--background white", "--background blur", "--background picture"),
    ("", "--shadow"),
    ("", "--outline"),
)


def test_options_are_refused_together_where_the_encoder_refuses_them() -> None:
    refused = [choices for choices in product(*CHOICES) if is_refused(" ".join(choices))]
    assert len(refused) == 45 + 24  # with --alpha, and without


def is_refused(options: str) -> bool:
    """By both, or by neither."""
    parser = argparse.ArgumentParser()
    add_cut_arguments(parser)
    arguments = parser.parse_args(options.split())
    values, backdrop = _output_values(arguments)
    content = "alpha" if arguments.alpha else "cutout"
    cutout = Cutout(np.zeros((2, 2, 4), np.uint8))
    cutout.precise_alpha_hw = np.zeros((2, 2), np.uint16) if arguments.alpha else None
    try:
        _check(cutout, parse_output(values), content, backdrop)
    except GossamerError:
        with pytest.raises(ExporterError, match=r"^--(alpha|depth 16|background): Expected"):
            cut_job(arguments)
        return True
    assert cut_job(arguments).content == content
    return False
