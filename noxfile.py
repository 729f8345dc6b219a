"""The versions that people have: ``nox`` runs the suite on each whose Python is on the PATH.

One of them: ``nox -s "tests(oldest ccxt, Python 3.13)"``. ``nox -s docs`` builds the documentation.
"""

import nox

nox.options.default_venv_backend = 'venv'

PYTHONS = ['3.10', '3.11', '3.12', '3.13']
OLDEST = 'ccxt==4.4.87'


@nox.session
@nox.parametrize(
    ('python', 'ccxt'),
    [
        *(nox.param(python, 'ccxt', id=f'newest ccxt, Python {python}') for python in PYTHONS),
        *(nox.param(python, OLDEST, id=f'oldest ccxt, Python {python}') for python in (PYTHONS[0], PYTHONS[-1])),
    ],
)
def tests(session: nox.Session, ccxt: str) -> None:
    session.install('.[test]', ccxt)
    session.run('pytest', *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    session.install('-e', '.[docs]')
    session.run('mkdocs', 'build', '--strict', *session.posargs)
