"""Let an exchange object of ccxt talk to another address."""

from typing import Any

URL_TABLES = ('api', 'test', 'demo', 'demotrading', 'apiBackup', 'apiBackupDemoTrading')


def redirect(exchange: Any, url: str) -> None:
    """Let every API of an exchange object, live, sandbox and demo, be at another base."""
    exchange.urls = {
        # None where an exchange has no sandbox
        name: _redirected(table, url) if name in URL_TABLES and table is not None else table
        for name, table in exchange.urls.items()
    }


def _redirected(urls: Any, base: str) -> Any:
    if isinstance(urls, dict):
        return {name: _redirected(each, base) for name, each in urls.items()}
    scheme, _, rest = urls.partition('://')
    _, slash, path = rest.partition('/')
    return (base.replace('http', 'ws', 1) if scheme in ('ws', 'wss') else base) + slash + path
