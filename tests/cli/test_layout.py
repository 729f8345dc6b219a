"""Tables that fit a terminal, whatever is in them."""

import re

import pytest

from ccxt_mmp.cli.layout import fit, lines_of, visible, wrapped
from ccxt_mmp.cli.report import COLUMNS

ROWS = [
    ['okx', 'BTC/USD:BTC', 'orders', 'FROZEN', '4:12', '5s', '5m', '100 contracts', '2026-11-26 07:20:54 UTC'],
    ['okx', '-', 'rfq', 'not frozen', '-', '5s', 'until reset', '10 attempts', '-'],
    ['binance@desk2', 'BTC/USDT:USDT', 'orders', 'armed', '-', '3s', '5m', '1.5 contracts, delta 0.5 BTC', '-'],
    ['deribit', 'BTC/USDC:USDC', 'orders', 'failed', '-', '-', '-', '-', '-'],
]
OF_ORDERS = [row for row in ROWS if row[2] == 'orders']


def drawn(rows, width, columns=COLUMNS):
    fitted = fit(columns, rows, width)
    return [''.join(text for text, _ in line) for line in lines_of(fitted)], fitted


@pytest.mark.parametrize('width', [59, 60, 79, 80, 99, 100, 160])
@pytest.mark.parametrize('rows', [ROWS, OF_ORDERS, ROWS[:1], []])
def test_table_is_never_wider_than_the_terminal_and_says_what_it_leaves_out(rows, width):
    lines, fitted = drawn(rows, width)
    assert all(len(line) <= width for line in lines)
    shown = {*fitted.columns}
    assert {'exchange', 'underlying', 'state'} <= shown
    hidden = {
        name
        for index, name in enumerate(COLUMNS)
        if name not in shown and {row[index] for row in rows} - {'-', 'orders'}
    }
    assert hidden == {*fitted.left_out}
    assert fitted.notes == ([f'Not shown here: {", ".join(fitted.left_out)}.'] if hidden else [])


@pytest.mark.parametrize('width', [60, 80, 100])
def test_cells_stay_whole(width):
    lines, fitted = drawn(ROWS, width)
    for row, line in zip(fitted.rows, lines[1:], strict=True):
        assert re.split(r'  +', line) == row
        assert {*row} <= {cell for original in ROWS for cell in original}


def test_what_matters_most_stays_longest():
    assert drawn(OF_ORDERS, 100)[1].left_out == ['last trigger']
    # the scope says nothing where all are orders, so it is no loss
    assert 'scope' not in drawn(OF_ORDERS, 80)[1].columns
    assert 'scope' not in drawn(OF_ORDERS, 80)[1].left_out
    assert drawn(ROWS, 60)[1].columns == ['exchange', 'underlying', 'state', 'time left']


def test_without_a_terminal_everything_is_there():
    assert fit(COLUMNS, ROWS, None).columns == [*COLUMNS]


def test_names_that_have_no_place_are_cut_and_nothing_else_is():
    row = ['okx', 'A' * 100, *ROWS[0][2:]]
    [_, line], fitted = drawn([row], 60)
    assert 50 < len(line) <= 60
    assert re.fullmatch(r'okx +A+\.\. +FROZEN +4:12', line)
    assert 'underlying' in fitted.columns
    lines, fitted = drawn([row, ROWS[0]], 60)
    assert [each[1] for each in fitted.rows][1] == 'BTC/USD:BTC'  # which has its place
    lines, _ = drawn([row], 20)  # not even the headings have a place
    assert 'FROZEN' in lines[1]


def many(*states):
    return [['okx', f'U{index}/USD', *ROWS[0][2:3], state, *ROWS[0][4:]] for index, state in enumerate(states)]


def test_low_terminal_shows_the_frozen_ones_first():
    rows = many(*['armed'] * 20, 'off', 'FROZEN', 'failed', 'FROZEN')
    kept, [line] = visible(COLUMNS, rows, 6)
    assert [row[3] for row in kept] == ['FROZEN', 'FROZEN', 'failed', 'off', 'armed']
    assert line == 'And 19 more: 19 armed.'
    assert visible(COLUMNS, rows, 24) == (rows, [])


def test_frozen_ones_without_a_place_of_their_own_are_named():
    rows = many(*['FROZEN'] * 30, 'armed')
    kept, (named, others) = visible(COLUMNS, rows, 10)
    assert kept == []
    assert named.startswith('FROZEN: okx U0/USD, okx U1/USD, ')
    assert named.endswith('okx U29/USD.')
    assert others == 'And 1 more: 1 armed.'
    assert len(visible(COLUMNS, rows[:30], 10)[1]) == 1


def test_notes_break_between_words():
    text = 'a-hyphenated-word-that-is-long and some others'
    assert wrapped(text, 20) == ['a-hyphenated-word-that-is-long', 'and some others']
    assert wrapped(text, None) == [text]
    assert wrapped('', 20) == ['']
