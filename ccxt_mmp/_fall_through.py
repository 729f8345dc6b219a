"""Modules that make names of theirs when they are asked for, and that have those of one of ccxt's besides."""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any


def fall_through(
    module: ModuleType,
    stock: ModuleType | None = None,
    submodules: Sequence[str] = (),
    makers: Mapping[str, Callable[[], Any]] | None = None,
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """``__getattr__`` and ``__dir__`` of a module.

    stock: ccxt's module; None: it has no other names than its own
    submodules: that are imported when they are asked for
    makers: make what is kept in the module from then on
    """
    makers = makers or {}
    made: dict[str, Any] = {}

    def get(name: str) -> Any:
        if name in submodules:
            return import_module(f'{module.__name__}.{name}')
        if name in makers:
            # threads that make it at once get the same; so does whoever has taken it out of the module
            if name not in made:
                made.setdefault(name, makers[name]())
            return vars(module).setdefault(name, made[name])
        if stock is not None and not name.startswith('__') and hasattr(stock, name):
            return getattr(stock, name)
        nor = '' if stock is None else f', nor has {stock.__name__!r}'
        raise AttributeError(f'module {module.__name__!r} has no attribute {name!r}{nor}')

    def names() -> list[str]:
        return sorted({*vars(module), *(dir(stock) if stock else ()), *submodules, *makers})

    return get, names
