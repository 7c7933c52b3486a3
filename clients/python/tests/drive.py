"""Makes the calls of the shared test of clients: one JSON call per line on stdin, one JSON answer per line on stdout.

test/client/conformance.test.ts in the repository gives the calls, and expects the same of every client.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

from keepapart import (
    KeepapartApiError,
    KeepapartClient,
    KeepapartError,
    KeepapartSourceError,
    KeepapartUnreachableError,
    RetryPolicy,
)
from keepapart.models import JsonValue


def numbered(count: int, fails_after: int | None) -> Callable[[], Iterator[JsonValue]]:
    def values() -> Iterator[JsonValue]:
        for number in range(count):
            if number == fails_after:
                raise ValueError("the source is broken")
            yield {"n": number, "text": "ä€😀"}

    return values


def made(client: KeepapartClient, call: str, args: dict[str, Any]) -> object:
    key = args.get("key")
    if call == "send":
        return client.send(args["values"], idempotency_key=key)
    if call == "stream":
        return client.stream(numbered(args["count"], args.get("failsAfter")), idempotency_key=key)
    if call == "streamNdjson":
        return client.stream_ndjson(lambda: [args["text"].encode()], idempotency_key=key)
    if call == "request":
        return client.request(args["requestId"])
    if call == "waitForOutcomes":
        return client.wait_for_outcomes(args["requestId"], timeout_s=args["timeoutMs"] / 1000)
    if call == "batches":
        return list(client.batches(request_id=args["requestId"]))
    if call == "batch":
        return client.batch(args["batchId"])
    if call == "deadLetters":
        return list(client.dead_letters(request_id=args["requestId"]))
    if call == "redrive":
        return client.redrive(args["records"], by="tests")
    if call == "startAudit":
        return client.start_audit(by="tests")
    if call == "audits":
        return client.audits()
    operations: dict[str, Callable[[], object]] = {
        "status": client.status,
        "flush": lambda: client.flush(by="tests"),
        "pause": lambda: client.pause(by="tests"),
        "resume": lambda: client.resume(by="tests"),
    }
    return operations[call]()


def described(error: KeepapartError | ValueError) -> dict[str, object]:
    told: dict[str, object] = {"error": type(error).__name__}
    if isinstance(error, KeepapartApiError):
        told |= {"code": error.code, "status": error.status, "accepted": error.accepted}
    if isinstance(error, KeepapartUnreachableError):
        told |= {"code": error.code}
    if isinstance(error, KeepapartSourceError):
        told |= {"accepted": error.accepted, "requestId": error.request_id}
    return told


def main() -> None:
    for line in sys.stdin:
        asked = json.loads(line)
        retries: list[str] = []
        policy = RetryPolicy(
            max_attempts=4, initial_delay_s=0.01, max_delay_s=0.02, on_retry=lambda retry: retries.append(retry.error.code)
        )
        client = KeepapartClient(asked["url"], api_key=asked.get("apiKey"), retry=policy)
        try:
            answer: object = {"value": made(client, asked["call"], asked["args"])}
        except (KeepapartError, ValueError) as error:
            answer = described(error)
        print(json.dumps({"retries": retries, "answer": answer}), flush=True)


main()
