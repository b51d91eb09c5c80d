"""What is wrong with text that is no YAML, in words of ours and at the line where it is to be mended.

A parser finds a fault where it can go no further, and that is often a line later: a key without a colon is
found at the next colon. So the lines around that place are looked through for what people mistype.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from callflow.document.spaces import wide_indent
from callflow.errors import Fault

_QUOTED: Final = re.compile(r""""(?:[^"\\]|\\.)*"|(?<![\w'])'(?:[^']|'')*'""")
_COMMENT: Final = re.compile(r"(?:^|(?<=\s))#.*")
_SEPARATOR: Final = re.compile(r":(?=[ \t]|$)")
_KEY: Final = re.compile(
    r"\s*(?:- +)*(?P<key>[\w.*#+-]+)(?P<between>\s*：\s*|:(?![ \t]|$)\s*|\s+|$)(?P<rest>.*)", re.DOTALL
)
_WIDE: Final = re.compile(r"[，；、](?=\s*[\w.*#+-]+\s*[:：])|[｛｝［］]|(?<=\w)：")
"""Full-width signs where YAML's own stand; elsewhere they are prose."""
_NARROW: Final = str.maketrans("，；｛｝［］：、", ",;{}[]:,")
_WIDE_NAMES: Final = {"，": "comma", "、": "comma", "：": "colon", "；": "semicolon"}
_DEEPEST_FLOW: Final = 61
_NO_ITEM: Final = re.compile(r"\s*(?P<sign>-)(?=[^ \t-])")
"""A hyphen without the space that makes it the beginning of an item."""

_NAMES: Final = "'&' and '*' have a meaning of their own in YAML; put the text in quotes"
TAGS: Final = "'!' has a meaning of its own in YAML; put the text in quotes"
_ESCAPES: Final = "in double quotes \\ begins an escape, and this is none; write \\\\, or use single quotes"
_BLOCK_TEXT: Final = "after | or > the text begins on the next line"
_VERSION: Final = "this version of YAML is not read here; remove the line"
_SENTENCES: Final = (
    ("block sequence entries", "a list cannot begin here; begin it on a line of its own, or write [a, b]"),
    ("mapping keys are not allowed", "'?' cannot begin a value; put the text in quotes"),
    ("alphabetic or numeric", _NAMES),
    ("duplicate anchor", _NAMES),
    ("directive", "a line that begins with % is an instruction to YAML, and this is none; remove it"),
    ("tag", TAGS),
    ("'!'", TAGS),
    ("expected '>'", TAGS),
    ("escape", _ESCAPES),
    ("hexdecimal", _ESCAPES),
    ("comment or line break", _BLOCK_TEXT),
    ("indentation indicator", _BLOCK_TEXT),
    ("document start", "nothing may follow the end of the document; remove `...` or what comes after it"),
    ("unexpected ':'", "a space is missing after this colon"),
    ("node content", "a value is missing before this"),
    ("'-' indicator", "this line stands in a list; begin it with '- ', or indent it otherwise"),
    ("YAML document", _VERSION),
    ("version number", _VERSION),
)
"""What PyYAML's problems, by a part of their text, are in our words where the lines do not tell more."""
_OTHERWISE: Final = (
    "YAML cannot be read on from here; compare the indentation, colons, quotation marks and brackets "
    "with the lines above"
)

Found = tuple[int, int, str]
"""Line and column from 0, and the sentence."""


def diagnosed(text: str, file: str, error: Any) -> Fault:
    """The fault that PyYAML's `error`, with its marks, stands for."""
    line, column, what = _Diagnosis(text, error).found()
    return Fault(file, line + 1, column + 1, what)


class _Diagnosis:
    def __init__(self, text: str, error: Any) -> None:
        self._text = text
        self._lines = text.splitlines() or [""]
        self._problem = str(error.problem)
        self._context = str(error.context)
        mark = error.problem_mark or error.context_mark
        begun = error.context_mark or mark
        self._line: int = mark.line if mark else 0
        self._column: int = mark.column if mark else 0
        self._begun: tuple[int, int] = (begun.line, begun.column) if begun else (0, 0)

    def found(self) -> Found:
        looks = (self._depth, self._tab, self._space, self._first, self._tag, self._quotes)
        for look in (*looks, self._colon, self._flow, self._start, self._block):
            found = look()
            if found:
                return found
        sentences = (what for problem, what in _SENTENCES if problem in self._problem)
        return self._here(next(sentences, _OTHERWISE))

    def _here(self, what: str) -> Found:
        return self._line, self._column, what

    def _bare(self, line: int) -> str:
        return _bare(self._lines[line]) if 0 <= line < len(self._lines) else ""

    def _above(self, line: int) -> Iterator[int]:
        """The lines with something on them above `line`, upwards."""
        return (each for each in range(min(line, len(self._lines)) - 1, -1, -1) if self._bare(each).strip())

    def _depth(self) -> Found | None:
        if "nesting depth" not in self._problem:
            return None
        depth = 0
        for line in range(len(self._lines)):
            for column, sign in enumerate(self._bare(line)):
                depth += (sign in "[{") - (sign in "]}")
                if depth > _DEEPEST_FLOW:
                    return line, column, f"nested deeper than {_DEEPEST_FLOW - 1} levels"
        return None

    def _tab(self) -> Found | None:
        for line in sorted({self._begun[0], self._line}, reverse=True):
            text = self._lines[line] if line < len(self._lines) else ""
            indent = text[: len(text) - len(text.lstrip())]
            if "\t" in indent:
                return line, indent.index("\t"), "a tab indents this line; indent with spaces"
        return None

    def _space(self) -> Found | None:
        for line in (self._line, *[*self._above(self._line)][:1]):
            found = wide_indent(self._bare(line))
            if found:
                return line, *found
        return None

    def _first(self) -> Found | None:
        """The file begins with an indented line, and so ends for YAML where one is not."""
        if "document start" not in self._problem:
            return None
        first = min(self._above(self._line), default=self._line)
        indent, ended = _indent(self._bare(first)), any(line.startswith("...") for line in self._lines)
        if ended or indent <= self._indent_here() or self._bare(first).lstrip()[:1] in ("{", "["):
            return None
        several = "s" if indent > 1 else ""
        what = f"{indent} space{several} before the first line, and fewer before line {self._line + 1}"
        return first, 0, f"{what}; indent both alike"

    def _tag(self) -> Found | None:
        return (*self._begun, TAGS) if "tag" in self._context else None

    def _quotes(self) -> Found | None:
        if "quoted scalar" in self._context and "escape" not in self._problem and "hex" not in self._problem:
            return *self._begun, "the quotation mark that opens here is not closed"
        if "expected key" not in self._problem and "expected ','" not in self._problem:
            return None
        for line in (self._line, *self._above(self._line)):
            if line < self._begun[0]:
                return None
            odd = _odd_quote(self._bare(line))
            if odd is not None and line != self._line:
                return line, odd, "the quotation mark that opens here is not closed in its line"
        if self._lines[self._line : self._line + 1] and _ends_quoted(self._lines[self._line][: self._column]):
            what = "text follows the closing quotation mark; put the whole value in quotes"
            return self._here(what)
        return None

    # --- colons ---

    def _colon(self) -> Found | None:
        if "could not find expected ':'" in self._problem:
            return self._no_colon(self._begun[0])
        if "mapping values" not in self._problem:
            return None
        before = self._bare(self._line)[: self._column]
        if wide := _WIDE.search(before):
            return self._line, wide.start(), full_width(wide[0])
        if unspaced := mistyped_key(self._bare(self._line), alone=False):
            return self._line, *unspaced
        if _SEPARATOR.search(before):
            return self._here(
                "a second colon in one line; a value with a colon and a space in it belongs in quotes"
            )
        return self._no_colon_above() or self._too_deep()

    def _no_colon_above(self) -> Found | None:
        """The first of the lines above that have no colon."""
        first = None
        for line in self._above(self._line):
            if _SEPARATOR.search(self._bare(line)) or _indent(self._bare(line)) > self._indent_here():
                break
            first = line
        return None if first is None else self._no_colon(first)

    def _indent_here(self) -> int:
        return _indent(self._bare(self._line))

    def _no_colon(self, line: int) -> Found:
        bare = self._bare(line)
        if item := _NO_ITEM.match(bare):
            rest = self._lines[line][item.end() :].strip()[:40]
            return line, item.start("sign"), f"'-' begins an item only with a space after it; write - {rest}"
        found = _KEY.match(bare)
        if found is None or _SEPARATOR.match(bare, found.end("key")):
            return line, _indent(bare), "a key with ':' and a space after it belongs here"
        return line, *key_without_colon(found)

    def _too_deep(self) -> Found:
        what = "this line is indented deeper than the one above, which has a value already; indent both alike"
        return self._line, self._indent_here(), what

    # --- brackets ---

    def _flow(self) -> Found | None:
        if "expected ','" not in self._problem:
            return None
        for line in range(self._begun[0], self._line + 1):
            wide = _WIDE.search(self._bare(line), self._begun[1] if line == self._begun[0] else 0)
            if wide:
                return line, wide.start(), full_width(wide[0])
        if self._bare(self._line)[self._column - 1 : self._column + 1].strip()[1:] in ("{", "["):
            return self._here("a bracket stands inside of a text; put the text in quotes")
        opened, closing = ("[", "]") if "']'" in self._problem else ("{", "}")
        if self._line > self._begun[0] and self._indent_here() <= _indent(self._bare(self._begun[0])):
            return *self._begun, f"the {opened} that opens here is not closed"
        return self._here(f"a comma, or the closing {closing}, is missing before this")

    # --- what cannot begin or stand there ---

    def _start(self) -> Found | None:
        if "cannot start any token" not in self._problem:
            return None
        sign = (
            self._lines[self._line][self._column : self._column + 1] if self._line < len(self._lines) else ""
        )
        if sign == "\t":
            return self._here("a tab stands here; use spaces")
        return self._here(f"{sign!r} cannot begin a value; put the text in quotes")

    def _block(self) -> Found | None:
        if "expected key" not in self._problem:
            return None
        rest = self._bare(self._line)[self._column :]
        if rest[:1] in ("}", "]"):
            return self._here(f"there is nothing open that this {rest[0]} closes")
        if rest.startswith("- "):
            return self._here("'- ' begins an item of a list, and there are keys here; remove it")
        if self._bare(self._line)[: self._column].strip():
            return self._here("this does not belong to the value before it; put all of the value in quotes")
        return self._here(
            "the indentation of this line is that of no line above; indent it like its neighbours"
        )


def key_without_colon(found: re.Match[str]) -> tuple[int, str]:
    """The column, and what is wrong where a key is not followed by a colon and a space."""
    key, between = found["key"], found["between"]
    if "：" in between:
        what = f"a full-width colon '：' follows {key!r}; write ':' and a space"
        return found.start("between") + between.index("："), what
    if ":" in between:
        return found.start("between"), f"the colon after {key!r} has no space after it; write ':' and a space"
    return found.start("key"), f"the key {key!r} has no colon; write ':' and a space after it"


def mistyped_colon(text: str) -> str:
    """What is wrong with `text` where it was meant for a key and a value; empty where it was not."""
    found = _KEY.match(text)
    if found is None or not found["rest"]:
        return ""
    return key_without_colon(found)[1]


def mistyped_key(key: str, *, alone: bool) -> tuple[int, str] | None:
    """Where a key has a colon in it that parts nothing, and what is wrong; `alone`: it has no value."""
    found = _KEY.match(key)
    if (
        found is None
        or not found["rest"]
        or not (alone or ":" in found["between"] or "：" in found["between"])
    ):
        return None
    return key_without_colon(found)


def full_width(sign: str) -> str:
    """What is wrong with a full-width sign where YAML has a narrow one."""
    name = _WIDE_NAMES.get(sign, "bracket")
    return f"a full-width {name} {sign!r} stands here; write {sign.translate(_NARROW)!r}"


def _bare(line: str) -> str:
    """The line without its comment, and with x for all that is in quotes."""
    return _COMMENT.sub("", _QUOTED.sub(lambda quoted: "x" * len(quoted[0]), line)).rstrip()


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _odd_quote(bare: str) -> int | None:
    """Where a quotation mark stands alone, that opens a value."""
    found = re.search(r"""(?:^|[\s,\[{])(["'])""", bare)
    return found.start(1) if found else None


def _ends_quoted(text: str) -> bool:
    return bool(re.search(r"""["']\s*\w*$""", text))
