"""What calls raise."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .models import Problem, Request

# Worth repeating: the request arrived too slowly, there is no room, or Temporal is away.
_TEMPORARY = (408, 429, 503)
# What proxies answer when the connection behind them broke; None if there was no answer.
_TEMPORARY_OF_OTHERS = (*_TEMPORARY, 502, 504, None)


class KeepapartError(Exception):
    """Base of every error of this package."""


class KeepapartApiError(KeepapartError):
    """The API refused a call. Branch on ``code``; docs/ERRORS.md explains each.

    ``request_id`` and ``accepted`` are those of a stream that broke: its first ``accepted`` records are durable.
    """

    def __init__(self, problem: Problem, status: int, retry_after_s: float | None) -> None:
        self.status = status
        self.code: str = problem["code"]
        self.detail: str = problem.get("detail") or problem.get("title") or self.code
        self.problems = problem.get("problems", [])
        self.retry_after_s = retry_after_s
        self.request_id: str | None = problem.get("requestId")
        self.accepted: int | None = problem.get("accepted")
        lines = [f"  {one['field']}: expected {one['expected']}; received {one['received']}" for one in self.problems]
        super().__init__("\n".join([self.detail, *lines]))

    @property
    def temporary(self) -> bool:
        """Whether the same call may succeed later."""
        return self.status in _TEMPORARY


class KeepapartUnreachableError(KeepapartError):
    """No keepapart answered: the connection failed, the time was over, or something else answered.

    It isn't known whether records were accepted; the same list under the same key adds nothing twice.
    """

    code = "api-unreachable"

    def __init__(
        self,
        url: str,
        reason: str,
        *,
        status: int | None = None,
        retry_after_s: float | None = None,
        untrusted: bool = False,
    ) -> None:
        what = f"The certificate of {url} is not trusted" if untrusted else f"No keepapart API answers at {url}"
        super().__init__(f"{what} ({reason})")
        self.url = url
        self.reason = reason
        self.status = status
        self.retry_after_s = retry_after_s
        self.untrusted = untrusted

    @property
    def temporary(self) -> bool:
        """Whether the same call may succeed later."""
        return not self.untrusted and self.status in _TEMPORARY_OF_OTHERS


class KeepapartTimeoutError(KeepapartError):
    """Not every record of a request had its outcome in time. ``view`` is the last answer, None if there was none."""

    def __init__(self, message: str, view: Request | None) -> None:
        super().__init__(message)
        self.view = view


class KeepapartSourceError(KeepapartError):
    """The source of a stream raised the ``__cause__``. What came before it was sent.

    ``accepted`` says how many records, from the first, are durable; the same stream under the same key continues after
    them. None if that isn't known.
    """

    def __init__(self, cause: Exception, request_id: str, accepted: int | None) -> None:
        super().__init__(f"The source of the records failed: {cause}")
        self.request_id = request_id
        self.accepted = accepted
