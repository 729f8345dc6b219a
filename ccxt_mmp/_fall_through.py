"""Modules that have the names of one of ccxt's besides their own."""

from collections.abc import Callable, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any


def fall_through(
    module: ModuleType, stock: ModuleType, submodules: Sequence[str] = ()
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """``__getattr__`` and ``__dir__`` of a module; its own submodules are imported when they are asked for."""

    def get(name: str) -> Any:
        if name in submodules:
            return import_module(f'{module.__name__}.{name}')
        if not name.startswith('__') and hasattr(stock, name):
            return getattr(stock, name)
        raise AttributeError(f'module {module.__name__!r} has no attribute {name!r}, nor has {stock.__name__!r}')

    def names() -> list[str]:
        return sorted({*vars(module), *dir(stock), *submodules})

    return get, names
