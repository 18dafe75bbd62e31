"""What some commands of the documentation need around them, on this machine alone."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from urllib.request import urlopen

import pytest

_STORE = ["s3fs", "moto[s3]", "flask", "flask-cors"]
_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/?")
_START_S = 900  # it may build what it serves
_END_S = 30


def new_environment(folder: Path) -> Path:
    """The programs of a fresh Python environment that has nothing but pip."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    return folder / "bin"


@contextmanager
def serving(command: list[str], folder: Path, environment: dict[str, str]) -> Iterator[str]:
    """The address that a command prints, as long as it serves; Ctrl+C ends it."""
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,  # as in a terminal: Ctrl+C reaches all that the command has started
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        assert process.stdout
        try:
            address = _address_in(process)
            Thread(target=process.stdout.read, daemon=True).start()  # a full pipe would stop it
            yield address
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGINT)
            try:
                process.wait(_END_S)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                raise


def _address_in(process: "subprocess.Popen[str]") -> str:
    assert process.stdout
    lines = []
    for line in process.stdout:
        lines.append(line)
        if found := _ADDRESS.search(line):
            return found[0]
    pytest.fail(f"Served nothing: {''.join(lines)}")


@contextmanager
def bucket(programs: Path, folder: Path, environment: dict[str, str]) -> Iterator[None]:
    """s3://shop holds the photos of `folder`; `environment` leads there, whoever asks.

    The store is moto's, and is installed into the environment of `programs`, as is s3fs.
    """
    subprocess.run([programs / "pip", "install", "--quiet", *_STORE], check=True)
    credentials = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
    environment |= {**credentials, "AWS_DEFAULT_REGION": "us-east-1"}
    command = [str(programs / "moto_server"), "--host", "127.0.0.1", "--port", "0"]
    with serving(command, folder, environment) as address:
        environment["AWS_ENDPOINT_URL"] = address
        put = "import s3fs; s = s3fs.S3FileSystem(); s.mkdir('shop')"
        put += "; s.put('photos', 'shop/', recursive=True)"
        subprocess.run([programs / "python", "-c", put], cwd=folder, env=environment, check=True)
        yield


@contextmanager
def cluster(programs: Path, folder: Path, environment: dict[str, str]) -> Iterator[None]:
    """A Ray cluster of this machine, which was there before the command."""
    command = [programs / "ray", "start", "--head", "--block", "--port=0"]
    options = ["--node-ip-address=127.0.0.1", "--include-dashboard=false", "--disable-usage-stats"]
    log = folder / "ray.log"
    with (
        log.open("w+") as output,
        subprocess.Popen(
            [*command, *options], cwd=folder, env=environment, stdout=output, stderr=output
        ) as head,
    ):
        try:
            _wait_for(head, log)
            yield
        finally:
            head.terminate()  # it drains for up to 30 s
            head.wait(3 * _END_S)


def _wait_for(head: "subprocess.Popen[bytes]", log: Path) -> None:
    """Whoever asks Ray too early never gets an answer."""
    until = time.monotonic() + _START_S
    while "Ray runtime started" not in (told := log.read_text()):
        assert head.poll() is None and time.monotonic() < until, told
        time.sleep(0.2)


def answers(address: str) -> bool:
    with urlopen(address, timeout=_END_S) as response:
        return bool(response.status == 200 and response.read())
