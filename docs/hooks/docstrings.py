"""The docstrings, which are written in the style of ccxt, as the API reference shows them."""

import ast
import re
from typing import Any

import griffe

ADDRESSES = re.compile(r'(https://\S+\n?)+')
VALUES = re.compile(r'([a-z]\w*: .*\n?)+')  # what an error has


class CcxtDocstrings(griffe.Extension):
    """Makes Markdown and Sphinx's fields of them, and docstrings of the comments beside fields."""

    def on_attribute_instance(self, *, node: Any, attr: griffe.Attribute, agent: Any, **kwargs: Any) -> None:
        """A field of a structure is explained on its line."""
        if attr.docstring is None and isinstance(node, ast.AnnAssign) and isinstance(attr.parent, griffe.Class):
            line = attr.parent.source.splitlines()[node.lineno - (attr.parent.lineno or 0)]
            _, is_there, comment = line.partition('  # ')
            if is_there:
                attr.docstring = griffe.Docstring(comment, lineno=node.lineno, parent=attr)

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        if obj.docstring is not None:
            obj.docstring.value = '\n\n'.join(map(in_markdown, obj.docstring.value.split('\n\n')))


def in_markdown(paragraph: str) -> str:
    if ADDRESSES.fullmatch(paragraph):
        return '\n'.join(f'- <{address}>' for address in paragraph.split())
    if VALUES.fullmatch(paragraph):
        return '\n'.join('- `{}`: {}'.format(*line.split(': ', 1)) for line in paragraph.splitlines())
    # :param float [price]: and :returns dict: of ccxt
    paragraph = re.sub(r'^:param (\S+) \[(\S+)\]:', r':param \1 \2:', paragraph, flags=re.MULTILINE)
    paragraph = re.sub(r'^:returns [^:]+:', ':returns:', paragraph, flags=re.MULTILINE)
    return re.sub(r'(^|:)::$', r'\1', paragraph, flags=re.MULTILINE)
