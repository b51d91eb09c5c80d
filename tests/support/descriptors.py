"""A want of descriptors in this very process."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager


def lowest_free() -> int:
    """The number that the next descriptor will have."""
    free = os.dup(0)
    os.close(free)
    return free


@contextmanager
def few_descriptors(count: int) -> Iterator[None]:
    """This process gets so many more, and then no other, as if others had them all."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free() + count, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
