"""docs/quickstart.md: what each example sends."""

import re

import pytest

from tests.documents import ROOT, doors, run  # noqa: F401 - a fixture
from tests.test_readme import LOADING_MARKETS

PAGE = ROOT / 'docs' / 'quickstart.md'
BLOCKS = dict(re.findall(r'^## (.+?)\n[^#]*?^```python\n(.*?)^```', PAGE.read_text(), re.MULTILINE | re.DOTALL))
SENT = {
    'Sync': [
        'POST account/mmp-config',
        'GET account/mmp-config',
        'POST trade/batch-orders',
        'POST trade/mass-cancel',
    ],
    'asyncio': ['POST account/mmp-config', 'POST mmpSet'],
    'Websockets': ['POST account/mmp-config', 'GET account/mmp-config', 'POST account/mmp-reset'],
    'An existing script: one import changed': [],
    'An object made elsewhere': ['POST account/mmp-config'],
    'A program that makes its exchanges itself': ['POST trade/mass-cancel'],
    'A subclass of your own': [],
}


@pytest.mark.parametrize('title', SENT)
def test_example_sends_what_it_says(doors, simulator, title):  # noqa: F811
    run(BLOCKS[title], PAGE)
    sent = [
        f'{request.method} {re.sub("^/(api/v5|eapi/v1)/", "", request.path)}'
        for request in simulator.requests
        if not request.path.endswith(LOADING_MARKETS)
    ]
    assert sorted(sent) == sorted(SENT[title])
    assert {request.status for request in simulator.requests} <= {200}


def test_every_example_is_here():
    assert [*BLOCKS] == [*SENT]
