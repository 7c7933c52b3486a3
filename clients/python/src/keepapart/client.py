"""The client."""

from __future__ import annotations

import json
import re
import ssl
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, cast
from urllib.parse import quote, urlencode, urlsplit

from ._http import Connection
from .errors import KeepapartApiError, KeepapartSourceError, KeepapartTimeoutError, KeepapartUnreachableError
from .models import (
    AcceptedList,
    AcceptedStream,
    Action,
    Audit,
    Audits,
    Batch,
    BatchPage,
    BatchSummary,
    DeadLetter,
    DeadLetterPage,
    JsonValue,
    RedriveResult,
    Request,
    Status,
)
from .retry import RetryPolicy

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
_PIECE_BYTES = 64 * 1024
# Sent when a source fails. It is never JSON, wherever the text was cut, so the API answers how much is durable; a clean
# end would make an incomplete stream look complete.
_SOURCE_FAILED = b" !the source of the records failed\n"


class KeepapartClient:
    """A client for keepapart's HTTP API. It keeps no connection and no state, so threads may share it.

    Every call raises KeepapartApiError if the API refuses it, and KeepapartUnreachableError if it doesn't answer.

    >>> client = KeepapartClient("http://127.0.0.1:3000", api_key="...")
    >>> accepted = client.send([{"sku": "a", "stock": 3}, {"sku": "b", "stock": 5}])
    >>> client.wait_for_outcomes(accepted["requestId"])["counts"]["saved"]
    2
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        timeout_s: float = 60.0,
        retry: RetryPolicy = RetryPolicy(),
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"The url must start with http:// or https://; it is {url}")
        if api_key is not None and not re.fullmatch(r"[\x21-\x7e]+", api_key):
            raise ValueError("The api_key must consist of printable ASCII characters, without spaces")
        self._connection = Connection(url.rstrip("/"), api_key, timeout_s, ssl_context)
        self._retry = retry

    def send(self, values: Iterable[JsonValue], *, idempotency_key: str | None = None) -> AcceptedList:
        """Sends one list; returns when all of its records are durable.

        While the API can't be reached or answers 408, 429 or 503, the list is sent again under the same key, so it is
        accepted once.
        """
        key = _require_key(idempotency_key)
        body = json.dumps(list(values), separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()

        def attempt() -> AcceptedList:
            headers = {"idempotency-key": key}
            return cast(AcceptedList, self._connection.call("POST", "/v1/records", body=body, headers=headers))

        return self._retry.run(attempt)

    def stream(
        self, values: Callable[[], Iterable[JsonValue]] | list[JsonValue], *, idempotency_key: str | None = None
    ) -> AcceptedStream:
        """Sends any number of records as one request, in constant memory, waiting while the buffer is full.

        After a break, everything is sent again under the same key, and the API continues after what it has. So the
        values are a list, or a function that returns the same values each time. Raises KeepapartSourceError if the
        source raises.
        """
        return self.stream_ndjson(
            lambda: _lines(values() if callable(values) else values), idempotency_key=idempotency_key
        )

    def stream_ndjson(
        self, pieces: Callable[[], Iterable[bytes]], *, idempotency_key: str | None = None
    ) -> AcceptedStream:
        """Like ``stream``, for text that is NDJSON already, cut anywhere."""
        key = _require_key(idempotency_key)
        most = -1
        progress = False

        def attempt() -> AcceptedStream:
            nonlocal most, progress
            source = _Source(pieces)
            try:
                answer = self._connection.call(
                    "POST",
                    "/v1/records",
                    body=source,
                    content_type="application/x-ndjson",
                    headers={"idempotency-key": key},
                )
                return cast(AcceptedStream, answer)
            except (KeepapartApiError, KeepapartUnreachableError) as error:
                accepted = error.accepted if isinstance(error, KeepapartApiError) else None
                if source.failure is not None:
                    raise KeepapartSourceError(source.failure, key, accepted) from source.failure
                reached = source.sent if accepted is None else accepted
                progress = reached > most
                most = max(most, reached)
                raise

        return self._retry.run(attempt, lambda: progress)

    def request(self, request_id: str) -> Request:
        """Where each record of a request is."""
        return cast(Request, self._get(f"/v1/requests/{quote(request_id, safe='')}"))

    def wait_for_outcomes(self, request_id: str, *, timeout_s: float = 300.0) -> Request:
        """Waits until every record of a request is saved or rolled back. Temporary failures of the API are retried.

        Raises KeepapartTimeoutError after ``timeout_s``.
        """
        deadline = time.monotonic() + timeout_s
        view: Request | None = None
        pause = 0.1
        while True:
            asked = 0.0
            try:
                view = self.request(request_id)
                if view["counts"]["buffered"] + view["counts"]["in_batch"] == 0:
                    return view
            except (KeepapartApiError, KeepapartUnreachableError) as error:
                if not error.temporary:
                    raise
                asked = error.retry_after_s or 0.0
            left = deadline - time.monotonic()
            if left <= 0:
                raise KeepapartTimeoutError(f"Not every record has its outcome after {timeout_s} s", view)
            time.sleep(min(left, max(asked, pause)))
            pause = min(5.0, pause * 1.5)

    def batches(
        self, *, state: Literal["running", "completed", "failed"] | None = None, request_id: str | None = None
    ) -> Iterator[BatchSummary]:
        """All batches, or those with records of a request: running ones first, then the most recently closed."""
        for page in self._pages("/v1/batches", {"state": state, "requestId": request_id}):
            yield from cast(BatchPage, page)["batches"]

    def batch(self, batch_id: str) -> Batch:
        """One batch with its records and outcomes."""
        return cast(Batch, self._get(f"/v1/batches/{quote(batch_id, safe='')}"))

    def dead_letters(self, *, request_id: str | None = None) -> Iterator[DeadLetter]:
        """Records that were rolled back and not sent again."""
        for page in self._pages("/v1/dead-letters", {"requestId": request_id}):
            yield from cast(DeadLetterPage, page)["deadLetters"]

    def redrive(self, records: list[str] | None = None, *, by: str | None = None) -> RedriveResult:
        """Sends dead letters again, each at most once: those with these ids, or all."""
        selection: dict[str, JsonValue] = {"all": True} if records is None else {"records": list(records)}
        return cast(RedriveResult, self._operate("/v1/dead-letters/redrive", by, selection))

    def status(self) -> Status:
        """Status of each shard, their sums, and the settings in force. Needs a worker."""
        return cast(Status, self._get("/v1/status"))

    def flush(self, *, by: str | None = None) -> Action:
        """Flushes everything that is buffered now."""
        return cast(Action, self._operate("/v1/flush", by))

    def pause(self, *, by: str | None = None) -> Action:
        """Starts no more batches until ``resume``; records are still accepted."""
        return cast(Action, self._operate("/v1/pause", by))

    def resume(self, *, by: str | None = None) -> Action:
        """Starts batches again."""
        return cast(Action, self._operate("/v1/resume", by))

    def start_audit(self, *, by: str | None = None) -> Audit:
        """Has a worker check its batch files against the guarantees."""
        return cast(Audit, self._operate("/v1/audits", by))

    def audits(self) -> Audits:
        """The latest audits."""
        return cast(Audits, self._get("/v1/audits"))

    def _get(self, path: str) -> Any:
        return self._connection.call("GET", path)

    def _operate(self, path: str, by: str | None, more: dict[str, JsonValue] | None = None) -> Any:
        body = {**(more or {}), **({} if by is None else {"by": by})}
        return self._connection.call("POST", path, body=json.dumps(body).encode())

    def _pages(self, path: str, query: dict[str, str | None]) -> Iterator[Any]:
        cursor: str | None = None
        while True:
            given = {name: value for name, value in {**query, "cursor": cursor}.items() if value is not None}
            page = self._get(f"{path}?{urlencode(given)}" if given else path)
            yield page
            cursor = page["nextCursor"]
            if cursor is None:
                return


class _Source:
    """The pieces of one attempt, counted by their lines."""

    def __init__(self, pieces: Callable[[], Iterable[bytes]]) -> None:
        self._pieces = pieces
        self.sent = 0
        self.failure: Exception | None = None

    def __iter__(self) -> Iterator[bytes]:
        try:
            for piece in self._pieces():
                yield piece
                self.sent += piece.count(b"\n")
        except Exception as error:  # whatever the source raises is its caller's
            self.failure = error
            yield _SOURCE_FAILED


def _lines(values: Iterable[JsonValue]) -> Iterator[bytes]:
    """NDJSON in pieces, as a chunk for each line would cost more than the line."""
    piece = bytearray()
    for value in values:
        piece += json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode() + b"\n"
        if len(piece) >= _PIECE_BYTES:
            yield bytes(piece)
            piece.clear()
    yield bytes(piece)


def _require_key(key: str | None) -> str:
    """The key, or a random one."""
    if key is None:
        return str(uuid.uuid4())
    if not _KEY.fullmatch(key):
        raise ValueError(
            "An idempotency key consists of up to 128 letters, digits and . _ : -, and starts with a letter or digit"
        )
    return key
