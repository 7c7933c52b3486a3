"""Client for keepapart: durable micro-batching over HTTP that keeps conflicting records apart."""

from . import models
from .client import KeepapartClient
from .errors import (
    KeepapartApiError,
    KeepapartError,
    KeepapartSourceError,
    KeepapartTimeoutError,
    KeepapartUnreachableError,
)
from .retry import Retry, RetryPolicy

__all__ = [
    "KeepapartApiError",
    "KeepapartClient",
    "KeepapartError",
    "KeepapartSourceError",
    "KeepapartTimeoutError",
    "KeepapartUnreachableError",
    "Retry",
    "RetryPolicy",
    "models",
]
