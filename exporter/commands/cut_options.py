"""What `gossamer cut` and `gossamer batch` can be asked of a photo, declared once."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exporter.commands.networks import add_spec_argument
from exporter.errors import ExporterError

if TYPE_CHECKING:
    from exporter.cut import CutJob
    from exporter.finder import FindSettings

__all__ = ["add_cut_arguments", "cut_job", "find_settings"]

_MIME_TYPES = {"png": "image/png", "webp": "image/webp", "svg": "image/svg+xml"}


def add_cut_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model",
        default="u2netp",
        metavar="NETWORK",
        help="a name; auto, the catalogue's first network with the edges of one that knows people"
        " better where the two agree; or an ONNX file of your own with --spec (default:"
        " %(default)s)",
    )
    add_spec_argument(parser)
    parser.add_argument(
        "--precision",
        choices=("fp32", "int8"),
        default="fp32",
        help="of the network (default: %(default)s)",
    )
    parser.add_argument(
        "--no-wider-look",
        action="store_false",
        dest="wider_look",
        help="do not run the network once more, on the photo in fewer pixels, for parts of a large"
        " subject that it has lost",
    )
    parser.add_argument(
        "--second-look",
        action="store_true",
        help="run the network once more, on the subject's box, for finer edges",
    )
    parser.add_argument(
        "--key",
        metavar="COLOUR",
        help="instead of a network, for a plain backdrop: its colour, or auto",
    )
    parser.add_argument(
        "--refine",
        default="default",
        metavar="OPTIONS",
        help="default, none, or the options as a JSON object (default: %(default)s)",
    )
    _add_output_arguments(parser.add_argument_group("the files"))


def _add_output_arguments(group: Any) -> None:
    group.add_argument(
        "--format", choices=_MIME_TYPES, default="png", help="of the files (default: %(default)s)"
    )
    group.add_argument(
        "--preset",
        metavar="NAME",
        help="product, id-photo, avatar or sticker; other options win over it",
    )
    group.add_argument(
        "--background",
        metavar="WHAT",
        help="transparent, a colour, blur, a picture's file, or a JSON object such as"
        ' {"gradient": ["white", "#89a"], "angle": 180}',
    )
    group.add_argument(
        "--shadow",
        nargs="?",
        const="drop",
        metavar="KIND",
        help="drop (default) or contact, or the options as a JSON object",
    )
    group.add_argument(
        "--outline",
        nargs="?",
        const="{}",
        metavar="OPTIONS",
        help='a rim around the subject, such as {"width_px": 12, "colour": "white"}',
    )
    group.add_argument(
        "--crop",
        nargs="?",
        const=0,
        type=int,
        metavar="PX",
        help="to the subject, with so many pixels around it (default: 0)",
    )
    group.add_argument(
        "--canvas",
        metavar="SIZE",
        help='a picture of another size, as 800x600 px or a JSON object such as {"width_mm": 35,'
        ' "height_mm": 45}',
    )
    group.add_argument("--quality", type=float, metavar="Q", help="of a WebP, 0 to 1 (0.9)")
    group.add_argument(
        "--outline-only", action="store_true", help="of an SVG, without the photo inside"
    )
    group.add_argument(
        "--metadata",
        choices=("keep", "all", "none"),
        help="of the photo: keep says who, when and with what (default), all where too",
    )
    group.add_argument("--alpha", action="store_true", help="write the matte alone, in grey")
    group.add_argument("--depth", type=int, choices=(8, 16), help="bits of --alpha in a PNG")


def find_settings(arguments: argparse.Namespace) -> "FindSettings":
    """Raises ExporterError."""
    from exporter.finder import FindSettings
    from exporter.native import check_key

    if arguments.key is not None:
        try:
            check_key(arguments.key)
        except ExporterError as error:
            raise ExporterError(f"--key: {error}") from error
    return FindSettings(
        arguments.model,
        arguments.spec,
        arguments.precision,
        arguments.wider_look,
        arguments.second_look,
        arguments.key,
    )


def cut_job(arguments: argparse.Namespace) -> "CutJob":
    """Raises ExporterError."""
    from exporter.cut import CutJob
    from exporter.native import parse_output, parse_refinement

    values, backdrop = _output_values(arguments)
    job = CutJob(
        parse_refinement(arguments.refine, keyed=arguments.key is not None),
        parse_output(values),
        "alpha" if arguments.alpha else "cutout",
        backdrop,
    )
    _expect_fitting(job)
    return job


def _expect_fitting(job: "CutJob") -> None:
    """Options of which each is right and all together are not: as `pyside_logic/encode.py` refuses
    them, before the first photo instead of after each. Raises ExporterError."""
    output = job.output
    if job.content == "alpha":
        for name in ("background", "shadow", "outline"):
            if getattr(output, name) is not None:
                raise ExporterError(
                    f"--alpha: Expected no {name}, as a matte has no colours, received --{name} or "
                    "a --preset with one."
                )
    elif output.depth == 16:
        raise ExporterError("--depth 16: Expected --alpha too, as only a matte has 16 bits.")
    if not output.embed and output.type != "image/svg+xml":
        raise ExporterError("--outline-only: Expected --format svg too, as no other is drawn.")
    if output.background == "picture" and job.backdrop is None:
        raise ExporterError("--background: Expected a picture's file, received 'picture'.")


def _output_values(arguments: argparse.Namespace) -> tuple[dict[str, Any], Path | None]:
    """The public API's `output`, and the picture behind. Raises ExporterError."""
    values: dict[str, Any] = {"type": _MIME_TYPES[arguments.format]}
    for name in ("preset", "quality", "metadata", "depth"):
        if getattr(arguments, name) is not None:
            values[name] = getattr(arguments, name)
    for name in ("shadow", "outline", "canvas", "background"):
        if getattr(arguments, name) is not None:
            values[name] = _parsed(name, getattr(arguments, name))
    if arguments.outline_only:
        values["embed"] = False
    if arguments.crop is not None:
        values["crop"] = {"margin_px": arguments.crop}
    backdrop = None
    background = values.get("background")
    if isinstance(background, str) and (Path(background).suffix or Path(background).is_file()):
        backdrop, values["background"] = Path(background), "picture"
    return values, backdrop


def _parsed(name: str, text: str) -> Any:
    """A JSON object, WIDTHxHEIGHT, or the text itself."""
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            raise ExporterError(
                f"Expected a JSON object for --{name}, received {text!r}: {error}."
            ) from error
    width, x, height = text.partition("x")
    if name == "canvas" and x and width.isdecimal() and height.isdecimal():
        return {"height_px": int(height), "width_px": int(width)}
    return text
