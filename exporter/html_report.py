"""Pages that tell what was measured: one file each, which loads nothing, light and dark."""

from pathlib import Path

import jinja2

__all__ = ["report_environment"]

_SHARED = Path(__file__).parent / "templates"


def report_environment(templates: Path) -> jinja2.Environment:
    """For the templates of a folder, which may include `paper.css`, the look of all of them."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader([templates, _SHARED]),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
