"""The browser's storage and network, as `store.py` wants them, and the store that they make."""

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection
from typing import Any

import js
from pyodide.ffi import JsException, create_once_callable, create_proxy, to_js

from pyside_logic.store import (
    DownloadError,
    Entry,
    ModelStore,
    RefusedStorage,
    Response,
    Storage,
    StorageError,
)

__all__ = ["fetch", "name_networks", "store_network"]

_OPEN_LIMIT_S = 10
#: A slow disk reads or writes a network of 176 MB meanwhile.
_RUN_LIMIT_S = 30


async def store_network(
    entry: Any, keep: Collection[str], received: Any, on_progress: Callable[[int, int], None]
) -> Any:
    """`bridge.ensure_model`: the network as a Blob where it could not be kept, else None."""
    wanted = Entry(entry.name, entry.url, entry.sha256, int(entry.bytes))
    begun = (await received.arrayBuffer()).to_bytes()
    async with _opened_storage() as storage:
        store = ModelStore(storage, fetch)
        data = await store.replace(wanted, entry.place, keep, on_progress, begun)
    return None if data is None else _blob_of(data)


async def name_networks(place: str, keep: Collection[str]) -> None:
    """`bridge.name_models`"""
    async with _opened_storage() as storage:
        await ModelStore(storage, fetch).evict(place, keep)


@contextlib.asynccontextmanager
async def _opened_storage() -> AsyncIterator[Storage]:
    try:
        storage = await _IndexedDb.open()
    except (JsException, StorageError, TimeoutError):
        yield RefusedStorage()
        return
    try:
        yield storage
    finally:
        storage.close()


class _IndexedDb:
    """Database `gossamer`, object store `models`: Blobs by sha256."""

    def __init__(self, database: Any) -> None:
        self._database = database

    @classmethod
    async def open(cls) -> "_IndexedDb":
        factory = getattr(js, "indexedDB", None)
        if factory is None:
            raise StorageError("there is no IndexedDB in this window")
        request = factory.open("gossamer", 1)

        def create(_event: Any) -> None:
            request.result.createObjectStore("models")

        upgrade = create_proxy(create)
        request.onupgradeneeded = upgrade
        try:
            await _first_event(request, "success", "error", "blocked", limit_s=_OPEN_LIMIT_S)
        except TimeoutError:
            # It may still come, and a database without its store would never get one.
            request.onsuccess = create_once_callable(lambda _event: request.result.close())
            raise
        request.onupgradeneeded = None
        upgrade.destroy()
        if request.readyState != "done" or request.error:
            raise StorageError(f"IndexedDB is refused: {request.error}")
        return cls(request.result)

    def close(self) -> None:
        self._database.close()

    async def get(self, key: str) -> bytes | None:
        blob = await self._run("readonly", lambda models: models.get(key))
        if not blob:
            return None
        try:
            data: bytes = (await _within(_RUN_LIMIT_S, blob.arrayBuffer())).to_bytes()
        except (JsException, TimeoutError) as error:  # the browser lost the file behind the Blob
            raise StorageError(str(error)) from error
        return data

    async def put(self, key: str, data: bytes) -> None:
        blob = _blob_of(data)
        await self._run("readwrite", lambda models: models.put(blob, key))

    async def delete(self, key: str) -> None:
        await self._run("readwrite", lambda models: models.delete(key))

    async def keys(self) -> list[str]:
        found = await self._run("readonly", lambda models: models.getAllKeys())
        return [str(key) for key in found]

    async def _run(self, mode: str, ask: Callable[[Any], Any]) -> Any:
        """The result of one request, when its transaction is complete: a full disk shows only
        then."""
        try:
            transaction = self._database.transaction("models", mode)
            request = ask(transaction.objectStore("models"))
            events = ("complete", "abort", "error")
            await _first_event(transaction, *events, limit_s=_RUN_LIMIT_S)
        except (JsException, TimeoutError) as error:
            raise StorageError(str(error)) from error
        if transaction.error or request.error:
            raise StorageError(str(transaction.error or request.error))
        return request.result


async def _first_event(target: Any, *types: str, limit_s: float) -> None:
    def listen(resolve: Any, _reject: Any) -> None:
        for kind in types:
            target.addEventListener(kind, resolve)

    listener = create_proxy(listen)
    try:
        await _within(limit_s, js.Promise.new(listener))
    finally:
        listener.destroy()


async def _within(limit_s: float, promise: Any) -> Any:
    """What the promise resolves to. Raises TimeoutError when it does not: while a site's storage is
    cleared, Chromium forgets who has asked, its service worker for files among them."""
    timer = None

    def run_out(resolve: Any, _reject: Any) -> None:
        nonlocal timer
        timer = js.setTimeout(resolve, limit_s * 1000)

    starter = create_proxy(run_out)
    try:
        answer = await js.Promise.race(to_js([promise, js.Promise.new(starter)]))
    finally:
        starter.destroy()
        js.clearTimeout(timer)
    if answer is None:
        raise TimeoutError(f"no answer within {limit_s} s")
    return answer


async def fetch(url: str, offset: int) -> Response:
    """A Download by the browser's fetch; the model store is its only cache."""
    headers = {"Range": f"bytes={offset}-"} if offset else {}
    aborter = js.AbortController.new()
    request = {"cache": "no-store", "headers": headers, "signal": aborter.signal}
    options = to_js(request, dict_converter=js.Object.fromEntries)
    try:
        response = await _within(_RUN_LIMIT_S, js.fetch(url, options))
    except TimeoutError as error:
        aborter.abort()
        raise DownloadError(f"the site gave {error}") from error
    except JsException as error:
        raise DownloadError(f"the site cannot be reached ({error.message})") from error
    if response.status == 416:  # nothing there from `offset` on
        return await fetch(url, 0)
    if not response.ok:
        raise DownloadError(f"the site answered {response.status}")
    return Response(offset if response.status == 206 else 0, _chunks(response.body.getReader()))


async def _chunks(reader: Any) -> AsyncGenerator[bytes, None]:
    try:
        while not (step := await _within(_RUN_LIMIT_S, reader.read())).done:
            yield step.value.to_bytes()
    except TimeoutError as error:
        raise DownloadError(f"the site gave {error}") from error
    except JsException as error:
        raise DownloadError(f"the connection was cut ({error.message})") from error
    finally:
        with contextlib.suppress(JsException):  # of a download that has failed already
            await reader.cancel()


def _blob_of(data: bytes) -> Any:
    return js.Blob.new(to_js([data]))
