"""Reads the forms that pages and scripts send, and refuses malformed ones with 400 and the reason."""

import asyncio
import re
from typing import Final
from urllib.parse import parse_qsl

from aiohttp import web

LARGEST: Final = 16_384
"""Bytes of a form; the longest of ours has some hundred."""
PATIENCE: Final = 10.0
"""Seconds that a form may take to arrive."""
_MOST: Final = 32
"""Fields of a form."""
_BROKEN_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_KIND: Final = "application/x-www-form-urlencoded"


def bad(why: str) -> web.HTTPBadRequest:
    """A 400; `why` says what is wrong and what would be right."""
    return web.HTTPBadRequest(text=why)


async def read_form(request: web.Request) -> dict[str, str]:
    """The fields of the form in the request's body. Raises `HTTPBadRequest`."""
    body = await _body(request)
    if not body:
        return {}
    if request.content_type != _KIND:
        raise bad(f"the form's Content-Type is {request.content_type[:80]!r}, and should be {_KIND}")
    if (request.charset or "utf-8").lower().replace("_", "-") not in ("utf-8", "utf8"):
        raise bad("the form's charset should be UTF-8")
    if _BROKEN_ESCAPE.search(body):
        raise bad("a % in the form should be followed by two hexadecimal digits")
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=_MOST
        )
    except UnicodeDecodeError:
        raise bad("the form should be UTF-8, escaped or not") from None
    except ValueError:
        raise bad(f"the form should be name=value pairs joined by &, {_MOST} at most") from None
    form = dict(pairs)
    if len(form) != len(pairs):
        raise bad("the form should have each field once")
    return form


async def _body(request: web.Request) -> bytes:
    try:
        async with asyncio.timeout(PATIENCE):
            return await request.read()
    except TimeoutError:
        raise bad(f"the whole form should be here within {PATIENCE:g} s") from None
    except web.HTTPRequestEntityTooLarge:
        raise bad(f"the form should have at most {LARGEST} bytes") from None
    except (web.PayloadAccessError, web.RequestPayloadError, ValueError, ConnectionError):
        raise bad("the body ends too early, or is not encoded as its header fields say") from None
