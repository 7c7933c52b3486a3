"""One call over HTTP, by the standard library alone."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from .errors import KeepapartApiError, KeepapartUnreachableError


@dataclass(frozen=True)
class Connection:
    """Where the API is, and how to call it."""

    url: str
    api_key: str | None
    timeout_s: float
    ssl_context: ssl.SSLContext | None

    def call(
        self,
        method: str,
        path: str,
        *,
        body: bytes | Iterable[bytes] | None = None,
        content_type: str = "application/json",
        headers: dict[str, str] | None = None,
        timeout_s: float | None = None,
    ) -> Any:
        """The value in the answer. An iterable is sent in chunks, as it comes; what it raises comes out unchanged.

        Raises KeepapartApiError for an error of the API, KeepapartUnreachableError without an answer of keepapart's.
        """
        sent = {"accept": "application/json", **(headers or {})}
        if self.api_key is not None:
            sent["authorization"] = f"Bearer {self.api_key}"
        if body is not None:
            sent["content-type"] = content_type
        connection = self._open(self.timeout_s if timeout_s is None else timeout_s)
        try:
            status, text, retry_after = _exchange(connection, method, self._path(path), body, sent)
        except ssl.SSLCertVerificationError as error:
            raise KeepapartUnreachableError(self.url, error.verify_message, untrusted=True) from error
        except TimeoutError as error:
            raise KeepapartUnreachableError(self.url, "no answer in time") from error
        except (OSError, http.client.HTTPException) as error:
            raise KeepapartUnreachableError(self.url, str(error) or type(error).__name__) from error
        finally:
            connection.close()
        return _value_of(self.url, status, text, retry_after)

    def _open(self, timeout_s: float) -> http.client.HTTPConnection:
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        if parts.scheme == "https":
            return http.client.HTTPSConnection(host, parts.port, timeout=timeout_s, context=self.ssl_context)
        return http.client.HTTPConnection(host, parts.port, timeout=timeout_s)

    def _path(self, path: str) -> str:
        return urlsplit(self.url).path.rstrip("/") + path




def _exchange(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: bytes | Iterable[bytes] | None,
    headers: dict[str, str],
) -> tuple[int, str, str | None]:
    if body is None or isinstance(body, bytes):
        connection.request(method, path, body=body, headers=headers)
    else:
        connection.putrequest(method, path)
        for name, value in {**headers, "transfer-encoding": "chunked"}.items():
            connection.putheader(name, value)
        connection.endheaders()
        pieces = iter(body)
        # Its own errors are left alone: only sending is tried.
        while (piece := next(pieces, None)) is not None:
            if piece and not _sent(connection, piece):
                break
        else:
            _sent(connection, b"")
    response = connection.getresponse()
    return response.status, response.read().decode("utf-8", "replace"), response.getheader("retry-after")


def _sent(connection: http.client.HTTPConnection, piece: bytes) -> bool:
    """Sends a chunk, the empty one as the end. The API answers a stream that it refuses before its end, and closes; what

    it said can still be read, so a failure to send isn't one of the call.
    """
    try:
        connection.send(b"%x\r\n%s\r\n" % (len(piece), piece))
    except (BrokenPipeError, ConnectionResetError):
        return False
    return True


def _value_of(url: str, status: int, text: str, retry_after: str | None) -> Any:
    try:
        value: Any = json.loads(text)
        known = True
    except ValueError:
        value, known = None, False
    if 200 <= status < 300 and known:
        return value
    wait = _seconds(retry_after)
    if status < 400 or not isinstance(value, dict) or not isinstance(value.get("code"), str):
        reason = f"status {status}, not sent by keepapart"
        raise KeepapartUnreachableError(url, reason, status=status, retry_after_s=wait)
    raise KeepapartApiError(value, status, wait)  # type: ignore[arg-type] # it has a code, so it is a Problem


def _seconds(header: str | None) -> float | None:
    """``Retry-After``, in seconds or as a date."""
    if not header:
        return None
    if header.isdigit():
        return float(header)
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - time.time())
    except ValueError:
        return None
