"""Byte-compiles the modules of a zip archive: half of Pyodide's start is compiling otherwise.

Bytecode fits one Python version only, so this file runs inside the very Pyodide that the site
ships (`exporter/node/compile.mjs` imports it there). Standard library only.
"""

import base64
import hashlib
import py_compile
import re
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

__all__ = ["compile_archive"]

# The same input gives the same bytes: no clock, no host, no umask.
_TIMESTAMP = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_FILE_MODE = 0o100644 << 16

# What no interpreter reads while it runs: C sources and headers, stubs, build leftovers.
_UNUSED_SUFFIXES = {".a", ".bat", ".c", ".cfg", ".f", ".f90", ".h", ".ini", ".pc", ".pxd", ".pyi"}
_UNUSED_SUFFIXES |= {".pyx", ".rst", ".template"}
_UNUSED_FOLDERS = {"tests", "_examples", "include"}
# What nobody here imports of NumPy. Pyodide unpacks a wheel and compiles every library in it
# before anything is imported: without these 19 libraries are four, and that takes two thirds. The
# median, of all functions, imports `ma`.
_UNUSED_OF_NUMPY = (
    *("core/", "compat/", "doc/", "f2py/", "fft/", "polynomial/", "random/", "testing/"),
    *("_core/_operand_flag_tests.", "_core/_rational_tests.", "_core/_simd."),
    *("_core/_struct_ufunc_tests.", "_core/_umath_tests.", "_pyinstaller/"),
    *("ma/testutils.", "ma/timer_comparison."),
)
# What neither we nor Pyodide, NumPy or Pillow import of the standard library, nor what they import.
_UNUSED_OF_STDLIB = (
    *("asyncio/proactor_", "asyncio/windows_", "ctypes/macholib/", "html/", "http/"),
    *("logging/config.", "logging/handlers.", "multiprocessing/"),
    *("tomllib/", "unittest/", "urllib/request.", "urllib/robotparser.", "wsgiref/", "xml/"),
    *("xmlrpc/", "zoneinfo/"),
    *("_pyio.", "aifc.", "bdb.", "cProfile.", "cgi.", "cgitb.", "cmd.", "code.", "compileall."),
    *("configparser.", "difflib.", "doctest.", "filecmp.", "fileinput.", "ftplib."),
    *("gzip.", "imaplib.", "mailbox.", "mailcap.", "mimetypes.", "modulefinder.", "nntplib."),
    *("optparse.", "pdb.", "pickletools.", "plistlib.", "poplib.", "profile.", "pstats."),
    *("pyclbr.", "pydoc.", "shelve.", "smtplib.", "sndhdr.", "socketserver."),
    *("sunau.", "symtable.", "tabnanny.", "telnetlib.", "trace."),
    *("uuid.", "wave.", "xdrlib.", "zipapp."),
)
# Of Pillow: fonts, with FreeType in them, and what is for Tk and shapes alone.
_UNUSED_OF_PILLOW = ("ImageMorph.", "ImageTk.", "_imagingft.", "_imagingmorph.", "_imagingtk.")
_UNUSED_PREFIXES = (
    *_UNUSED_OF_STDLIB,
    *(f"numpy/{name}" for name in _UNUSED_OF_NUMPY),
    *(f"PIL/{name}" for name in _UNUSED_OF_PILLOW),
)
#: Of the encodings, those that are not for some languages alone.
_USED_ENCODINGS = re.compile(
    r"encodings/(__init__|aliases|ascii|charmap|cp1252|cp437|idna|latin_1|punycode"
    r"|raw_unicode_escape|unicode_escape|utf_.*)\.py"
)


def compile_archive(source: Path, target: Path, *, installed_at: str) -> None:
    """Writes `target` with a sourceless `.pyc` where `source`, a zip or a wheel, has a `.py`.

    The `.pyc` files lie beside where the sources were and are never checked against them
    (PEP 552, unchecked hashes), so that their bytes depend on nothing but the sources.
    `installed_at` is the folder that tracebacks name. A wheel gets a new RECORD.
    Raises `py_compile.PyCompileError` for a module that is not valid Python.
    """
    with zipfile.ZipFile(source) as archive:
        originals = {
            name: archive.read(name)
            for name in sorted(archive.namelist())
            if not name.endswith("/") and not _is_unused(name)
        }
    contents = dict(_compiled(name, data, installed_at) for name, data in originals.items())
    for record in [name for name in contents if name.endswith(".dist-info/RECORD")]:
        contents[record] = _record(contents, record)
    # Stored, the three archives start 40 ms sooner and are 13 MB larger.
    with zipfile.ZipFile(target, "w", compresslevel=9) as archive:
        for name, data in sorted(contents.items()):
            entry = zipfile.ZipInfo(name, _TIMESTAMP)
            entry.create_system = _UNIX
            entry.external_attr = _FILE_MODE
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)


def _is_unused(name: str) -> bool:
    path = PurePosixPath(name)
    return (
        path.suffix in _UNUSED_SUFFIXES
        or not _UNUSED_FOLDERS.isdisjoint(path.parts)
        or name.startswith(_UNUSED_PREFIXES)
        or (name.startswith("encodings/") and not _USED_ENCODINGS.match(name))
    )


def _compiled(name: str, data: bytes, installed_at: str) -> tuple[str, bytes]:
    if not name.endswith(".py"):
        return name, data
    with tempfile.TemporaryDirectory() as folder:
        module = Path(folder, "module.py")
        module.write_bytes(data)
        bytecode = module.with_suffix(".pyc")
        py_compile.compile(
            str(module),
            str(bytecode),
            dfile=f"{installed_at}/{name}",
            doraise=True,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )
        return f"{name}c", bytecode.read_bytes()


def _record(contents: dict[str, bytes], record: str) -> bytes:
    """The lines of a wheel's RECORD: path, sha256 in URL-safe base64 without padding, size."""
    lines = []
    for name, data in sorted(contents.items()):
        if name == record:
            continue
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={digest},{len(data)}")
    return "\n".join([*lines, f"{record},,\n"]).encode()
