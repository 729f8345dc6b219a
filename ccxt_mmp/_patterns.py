"""Regular expressions that are compiled when they are first used, as most programs use few of them."""

import re
from collections.abc import Callable
from functools import cached_property


class Pattern:
    """A regular expression. To use it costs no more than to use one that ``re.compile`` made."""

    def __init__(self, text: str, flags: int = 0) -> None:
        self._text = text
        self._flags = flags

    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self._text, self._flags)  # which remembers it

    @cached_property
    def fullmatch(self) -> Callable[[str], re.Match[str] | None]:
        return self._compiled().fullmatch

    @cached_property
    def search(self) -> Callable[[str], re.Match[str] | None]:
        return self._compiled().search

    @cached_property
    def sub(self) -> Callable[[str | Callable[[re.Match[str]], str], str], str]:
        return self._compiled().sub
