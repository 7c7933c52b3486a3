"""How often and how long a call is repeated."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from .errors import KeepapartApiError, KeepapartUnreachableError

T = TypeVar("T")


@dataclass(frozen=True)
class Retry:
    """A retry that is about to happen."""

    failures: int
    delay_s: float
    error: KeepapartApiError | KeepapartUnreachableError


@dataclass(frozen=True)
class RetryPolicy:
    """The first bound that is reached ends a call with its last error. For a stream, only attempts that got no further

    than all before them count.

    :param max_attempts: attempts in all, at least 1
    :param max_elapsed_s: time since the first attempt, including waits
    :param initial_delay_s: bound of the first random delay, doubled for each further one
    :param max_delay_s: limit of the doubling; ``Retry-After`` may be longer
    :param on_retry: called before each delay
    """

    max_attempts: int = 10
    max_elapsed_s: float = 60.0
    initial_delay_s: float = 0.2
    max_delay_s: float = 10.0
    on_retry: Callable[[Retry], None] = lambda retry: None

    def run(self, attempt: Callable[[], T], made_progress: Callable[[], bool] = lambda: False) -> T:
        """Repeats an attempt while it fails temporarily. Raises its last error."""
        began = time.monotonic()
        failures = 0
        while True:
            try:
                return attempt()
            except (KeepapartApiError, KeepapartUnreachableError) as error:
                if not error.temporary:
                    raise
                if made_progress():
                    failures, began = 0, time.monotonic()
                failures += 1
                bound = min(self.max_delay_s, self.initial_delay_s * 2.0 ** (failures - 1))
                delay = (error.retry_after_s or 0.0) + random.uniform(0.0, bound)
                if failures >= self.max_attempts or time.monotonic() - began + delay > self.max_elapsed_s:
                    raise
                self.on_retry(Retry(failures, delay, error))
                time.sleep(delay)
