"""The browser's storage and network, as `store.py` wants them."""

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any

import js
from pyodide.ffi import JsException, create_proxy, to_js

from pyside_logic.store import DownloadError, RefusedStorage, Response, Storage, StorageError

__all__ = ["blob_of", "fetch", "open_storage"]


@contextlib.asynccontextmanager
async def open_storage() -> AsyncIterator[Storage]:
    try:
        storage = await _IndexedDb.open()
    except (JsException, StorageError):
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
            await _first_event(request, "success", "error", "blocked")
        finally:
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
            data: bytes = (await blob.arrayBuffer()).to_bytes()
        except JsException as error:  # the browser lost the file behind the Blob
            raise StorageError(str(error)) from error
        return data

    async def put(self, key: str, data: bytes) -> None:
        blob = blob_of(data)
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
            await _first_event(transaction, "complete", "abort", "error")
        except JsException as error:
            raise StorageError(str(error)) from error
        if transaction.error or request.error:
            raise StorageError(str(transaction.error or request.error))
        return request.result


async def _first_event(target: Any, *types: str) -> None:
    def listen(resolve: Any, _reject: Any) -> None:
        for kind in types:
            target.addEventListener(kind, resolve)

    listener = create_proxy(listen)
    try:
        await js.Promise.new(listener)
    finally:
        listener.destroy()


async def fetch(url: str, offset: int) -> Response:
    """A Download by the browser's fetch; the model store is its only cache."""
    headers = {"Range": f"bytes={offset}-"} if offset else {}
    options = to_js({"cache": "no-store", "headers": headers}, dict_converter=js.Object.fromEntries)
    try:
        response = await js.fetch(url, options)
    except JsException as error:
        raise DownloadError(f"the site cannot be reached ({error.message})") from error
    if response.status == 416:  # nothing there from `offset` on
        return await fetch(url, 0)
    if not response.ok:
        raise DownloadError(f"the site answered {response.status}")
    return Response(offset if response.status == 206 else 0, _chunks(response.body.getReader()))


async def _chunks(reader: Any) -> AsyncGenerator[bytes, None]:
    try:
        while not (step := await reader.read()).done:
            yield step.value.to_bytes()
    except JsException as error:
        raise DownloadError(f"the connection was cut ({error.message})") from error
    finally:
        with contextlib.suppress(JsException):  # of a download that has failed already
            await reader.cancel()


def blob_of(data: bytes) -> Any:
    return js.Blob.new(to_js([data]))
