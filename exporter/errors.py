"""Everything that the toolchain raises on purpose.

    ExporterError
    ├── BackendError    a backend cannot run a network, or not in the time that it was given
    ├── BatchError      a run over many photos cannot start, or cannot go on
    ├── BenchError      a bench cannot be run, or a file of figures is none
    ├── BundleError     Pyodide cannot be byte-compiled from the parts that were given
    ├── CalibrationError  the photos or the measured ranges of a network cannot be used
    ├── CatalogError    catalog.toml or runtime.toml says something that cannot be used
    ├── CheckError      there is no site at an address that is to be checked
    ├── EvaluationError a labelled folder cannot be measured on
    ├── FetchError      no origin had the pinned file
    ├── PassError       a graph rewrite cannot be applied, or changed what the network computes
    ├── PictureError    a picture cannot be read
    ├── ServeError      the site cannot be served as asked
    ├── SiteError       the sources under web/ do not make a site
    ├── SourceError     a network's file is not what its specification says
    └── VerifyError     two files cannot be compared: their inputs, their outputs, or no pictures

`gossamer` prints the message of an ExporterError and exits with 1; anything else is a bug and keeps
its traceback.
"""

from exporter.addresses import told_text

__all__ = [
    "BackendError",
    "BatchError",
    "BenchError",
    "BundleError",
    "CalibrationError",
    "CatalogError",
    "CheckError",
    "EvaluationError",
    "ExporterError",
    "FetchError",
    "PassError",
    "PictureError",
    "ServeError",
    "SiteError",
    "SourceError",
    "VerifyError",
]


class ExporterError(Exception):
    """The message names what was expected, what came, and what to do."""


class BackendError(ExporterError):
    """The message starts with the backend."""


class BatchError(ExporterError):
    """The message starts with the source, the target or the engine, and has no address with what
    opens it."""

    def __init__(self, message: str) -> None:
        super().__init__(told_text(message))


class BenchError(ExporterError):
    """A bench that cannot be run, or a file of figures that is none."""


class BundleError(ExporterError):
    """The message names the part, or ends with what Pyodide's compiler said."""


class CalibrationError(ExporterError):
    """The message names the network, the photo or the file of ranges."""


class CatalogError(ExporterError):
    """The message starts with the file, the entry and the key."""


class CheckError(ExporterError):
    """The message names the address."""


class EvaluationError(ExporterError):
    """The message starts with the folder or its manifest."""


class FetchError(ExporterError):
    """The message lists every origin that was tried, each with its reason."""


class PassError(ExporterError):
    """The message starts with the name of the pass."""


class PictureError(ExporterError):
    """The message starts with the file."""


class ServeError(ExporterError):
    """The message names the folder or the port."""


class SiteError(ExporterError):
    """The message starts with the file under web/."""


class SourceError(ExporterError):
    """The message starts with the network."""


class VerifyError(ExporterError):
    """The message names the file or the folder."""
