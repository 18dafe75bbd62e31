"""Everything that the toolchain raises on purpose.

    ExporterError
    ├── BundleError     Pyodide cannot be byte-compiled from the parts that were given
    ├── CatalogError    catalog.toml or runtime.toml says something that cannot be used
    ├── FetchError      no origin had the pinned file
    ├── PassError       a graph rewrite cannot be applied, or changed what the network computes
    ├── ServeError      the site cannot be served as asked
    └── SiteError       the sources under web/ do not make a site

`gossamer` prints the message of an ExporterError and exits with 1; anything else is a bug and keeps
its traceback.
"""

__all__ = [
    "BundleError",
    "CatalogError",
    "ExporterError",
    "FetchError",
    "PassError",
    "ServeError",
    "SiteError",
]


class ExporterError(Exception):
    """The message names what was expected, what came, and what to do."""


class BundleError(ExporterError):
    """The message names the part, or ends with what Pyodide's compiler said."""


class CatalogError(ExporterError):
    """The message starts with the file, the entry and the key."""


class FetchError(ExporterError):
    """The message lists every origin that was tried, each with its reason."""


class PassError(ExporterError):
    """The message starts with the name of the pass."""


class ServeError(ExporterError):
    """The message names the folder or the port."""


class SiteError(ExporterError):
    """The message starts with the file under web/."""
