"""What the tests of this folder have measured is written; docs/benchmarks.md says no other thing.

Last in the folder, in the order of names.
"""

import json

import pytest

from .conftest import Matrix
from .table import COMMITTED, MEASURED, keys


@pytest.mark.soak
def test_the_page_knows_every_row(matrix: Matrix) -> None:
    document = matrix.document()
    if not document["rows"]:
        pytest.skip("nothing was measured in this run")
    MEASURED.parent.mkdir(exist_ok=True)
    MEASURED.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    # Some tests alone, or a machine without some engines, measure some of the rows.
    unknown = keys(document) - keys(json.loads(COMMITTED.read_text(encoding="utf-8")))
    assert not unknown, "run `make matrix`"
