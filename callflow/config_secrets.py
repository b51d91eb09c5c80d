"""Passwords as a configuration has them: in a file, in the environment, or in place."""

import os
import re
from pathlib import Path
from typing import Annotated, Final

import pydantic

from callflow.document import Shape
from callflow.named_files import why_no_file

_MOST: Final = 4096
"""Bytes of a file with a password; what is longer is another file."""
_SIGNS_OF_NONE: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff\ufffe\uffff]"
)
"""Characters that nobody types and nobody sees."""


def _password(text: object) -> str:
    # A fault shows what it finds; these do not.
    if not isinstance(text, str):
        raise ValueError("a password is text; put it in quotes")
    return text


class Secret(Shape):
    """A password: from a file, from the environment, or in place."""

    password: Annotated[str, pydantic.BeforeValidator(_password)] | None = pydantic.Field(None, repr=False)
    password_file: Path | None = None
    password_env: str | None = None

    @pydantic.model_validator(mode="after")
    def _one_source(self) -> "Secret":
        if sum(given is not None for given in (self.password, self.password_file, self.password_env)) != 1:
            raise ValueError("an account has one of password, password_file and password_env")
        return self

    def secret(self, folder: Path) -> str:
        """The password. Raises `ValueError` where there is none to be had."""
        if self.password is not None:
            found = self.password
        elif self.password_env is not None:
            if self.password_env not in os.environ:
                raise ValueError(f"the environment has no {self.password_env}")
            found = os.environ[self.password_env]
        else:
            assert self.password_file is not None
            found = _of_file(folder / self.password_file, str(self.password_file))
        if not found:
            raise ValueError("the password is empty; anybody could register")
        if wrong := _SIGNS_OF_NONE.search(found):
            # Of the password itself nothing is shown.
            where = self.password_file or self.password_env or "the password"
            raise ValueError(f"{where} has the invisible character U+{ord(wrong[0]):04X}; remove it")
        return found


def _of_file(path: Path, named: str) -> str:
    """The one line of a file. Raises `ValueError` where it has another number of them."""
    if why := why_no_file(path):
        raise ValueError(f"{named} cannot be read: {why}")
    try:
        with path.open("rb") as file:
            read = file.read(_MOST + 1)
        # Editors on Windows put a mark before the text; it is no part of what was typed.
        text = read.decode("utf-8-sig").strip()
    except OSError as error:
        raise ValueError(f"{named} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{named} is not UTF-8") from None
    lines = len(text.splitlines())
    if lines > 1 or len(read) > _MOST:
        told = f"has {lines} lines" if lines > 1 else f"is longer than {_MOST} bytes"
        raise ValueError(f"{named} {told}; the file of a password has one line, the password")
    return text
