"""The pictures of the README and the quickstart show what the commands say now."""

import re

import pytest

from tests import pictures


@pytest.fixture(scope='module')
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp('pictures')
    pictures.draw(folder)
    return folder


def said(path):
    """What can be read in a picture."""
    return ' '.join(re.findall(r'<text[^>]*>([^<]*)<', path.read_text()))


@pytest.mark.parametrize('theme', pictures.THEMES)
def test_picture_of_the_status_says_the_same(drawn, theme):
    name = f'status-{theme}.svg'
    assert said(drawn / name) == said(pictures.FOLDER / name)
    assert '4:12' in said(drawn / name)


@pytest.mark.parametrize('theme', pictures.THEMES)
def test_picture_of_the_demo_tells_the_same(drawn, theme):
    # without numbers, which the time of day and the machine change
    now, then = (re.findall(r'[^\W\d]+', said(folder / f'demo-{theme}.svg')) for folder in (drawn, pictures.FOLDER))
    assert now == then
    assert {'FROZEN', 'MmpFrozen', 'armed'} <= {*now}


def test_pictures_ask_no_other_host(drawn):
    for path in drawn.iterdir():
        addresses = re.findall(r'https?://[^\s"\')]+', path.read_text())
        assert {*addresses} <= {'http://www.w3.org/2000/svg', 'https://www.textualize.io'}
