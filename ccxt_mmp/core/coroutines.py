"""What is a coroutine function in ccxt is one here, too: retries and ``gather`` ask, and what it raises is awaited."""

from collections.abc import Callable, Coroutine
from functools import wraps
from inspect import iscoroutinefunction, isfunction
from typing import Any

from ccxt_mmp.core.awaiting import await_result

OURS, CCXTS = 'ccxt_mmp.', 'ccxt.'


def await_as_in_ccxt(kind: type) -> None:
    """Let an async class have coroutine functions where plain methods of the mixins come before those of ccxt."""
    mro = kind.__mro__
    stock = next((each for each in mro if each.__module__.startswith(CCXTS)), None)
    names = {name for each in mro if each.__module__.startswith(OURS) for name in vars(each) if name[0] != '_'}
    for name in names:
        if not iscoroutinefunction(getattr(stock, name, None)) or iscoroutinefunction(getattr(kind, name)):
            continue
        owner = next(each for each in mro if name in vars(each))
        method = vars(owner)[name]
        if owner.__module__.startswith(OURS) and isfunction(method):
            setattr(kind, name, _awaited(kind, name, method))


def _awaited(kind: type, name: str, method: Callable[..., Any]) -> Callable[..., Coroutine[Any, Any, Any]]:
    @wraps(method)
    async def awaited(self: Any, *arguments: Any, **keywords: Any) -> Any:
        return await await_result(getattr(super(kind, self), name)(*arguments, **keywords))

    return awaited
