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
    names = {name for each in mro if each.__module__.startswith(OURS) for name in vars(each) if name[0] != '_'}
    for name in names:
        owners = [each for each in mro if name in vars(each)]
        stock = next((vars(each)[name] for each in owners if each.__module__.startswith(CCXTS)), None)
        method = vars(owners[0])[name]
        is_ours = owners[0].__module__.startswith(OURS) and isfunction(method)
        if is_ours and iscoroutinefunction(stock) and not iscoroutinefunction(method):
            setattr(kind, name, _awaited(kind, name, method))


def _awaited(kind: type, name: str, method: Callable[..., Any]) -> Callable[..., Coroutine[Any, Any, Any]]:
    @wraps(method)
    async def awaited(self: Any, *arguments: Any, **keywords: Any) -> Any:
        return await await_result(getattr(super(kind, self), name)(*arguments, **keywords))

    return awaited
