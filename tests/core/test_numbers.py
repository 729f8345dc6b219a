import math
from decimal import Context, Decimal, Inexact, localcontext

import ccxt
import pytest

from ccxt_mmp.core.numbers import exact_decimal, is_integer, plain
from tests.rows import rows


@rows(
    ('value', 'text'),
    [
        (0, '0'),
        (5000, '5000'),
        (2**53, '9007199254740992'),
        (0.1, '0.1'),
        (1e-05, '0.00001'),
        (1e15, '1000000000000000'),
        (100.0, '100'),
        (-0.0, '0'),
        (0.1 + 0.2, '0.30000000000000004'),
        ('2.50', '2.5'),
        ('007', '7'),
        ('0.00001', '0.00001'),
        (Decimal('1E-5'), '0.00001'),
        (Decimal('1E+3'), '1000'),
        (Decimal('-0'), '0'),
        (Decimal('1.000000000000000000000000000001'), '1.000000000000000000000000000001'),
        (-5, '-5'),
    ],
)
def test_number_goes_out_as_a_plain_decimal(value, text):
    assert plain(exact_decimal(value)) == text


@rows(
    'value',
    [
        True,
        False,
        None,
        math.nan,
        math.inf,
        -math.inf,
        Decimal('NaN'),
        Decimal('sNaN'),
        Decimal('Infinity'),
        2**53 + 1,
        -(2**53) - 1,
        pytest.param(10**5000, id='10**5000'),
        1e16,
        5e-324,
        Decimal('1e999999'),
        Decimal('1e-999999'),
        '',
        ' 5',
        '5 ',
        '5\n',
        '+5',
        '-5',
        '1e3',
        '1_000',
        '1,5',
        '.5',
        '5.',
        '٥',
        '５',
        'five',
        'NaN',
        'Infinity',
        b'5',
        [],
        [5],
        {},
        5j,
        object(),
    ],
)
def test_what_is_no_exact_number_is_refused(value):
    assert exact_decimal(value) is None


def test_users_decimal_context_changes_nothing():
    with localcontext() as context:
        context.prec = 3
        context.traps[Inexact] = True
        assert plain(exact_decimal('1.23456789')) == '1.23456789'
        assert plain(exact_decimal(2**53 - 1)) == '9007199254740991'


OF_DERIBIT = {'maxQuoteQuantity': '123456.7', 'vegaLimit': 12345.6789}
OF_BYBIT = {'vegaLimit': 123456.75}


@rows(
    ('exchange_id', 'arguments', 'limits'),
    [
        ('deribit', ('BTC/USD', 3_600_000, 125_000, '12345.6789', '1.5', OF_DERIBIT), (12345.6789, 1.5, 12345.6789)),
        ('bybit', ('BTC', 123_456, 0, '123456.78', '1234.25', OF_BYBIT), (123456.78, 1234.25, 123456.75)),
        ('binance', ('BTC/USDT', 3000, 123_456, '123456.7', '12345.5'), (123456.7, 12345.5, None)),
        ('okx', ('ETH/USD', 123_456, 0, '12345.6', None, {'qtyUnit': 'base'}), (123456, None, None)),
    ],
)
def test_rule_is_the_same_in_every_decimal_context(flavour, fast, exchange_id, arguments, limits):
    exchange = flavour.exchange(exchange_id, fast.url)
    with localcontext(Context(prec=2, traps=[Inexact])):
        state = flavour.take(exchange.set_mmp(*arguments))
    assert (state['window'], state['frozenTime']) == arguments[1:3]
    assert (state['qtyLimit'], state['deltaLimit'], state['vegaLimit']) == limits


def test_number_that_is_none_of_a_rule_is_refused_in_every_decimal_context(flavour, simulator):
    deribit, limits = flavour.exchange('deribit', simulator.url), {'maxQuoteQuantity': 1}
    for wrong in ((1000, 0, '12345.67891'), (123_500, 0, 1), (1000, 123_500, 1)):
        with localcontext(Context(prec=2)), pytest.raises(ccxt.BadRequest):
            flavour.take(deribit.set_mmp('BTC/USD', *wrong, None, limits))
    assert simulator.requests == []


def test_integers_are_told_by_their_value():
    assert is_integer(exact_decimal('5000.0'))
    assert not is_integer(exact_decimal('5000.5'))
    assert not is_integer(exact_decimal(Decimal('9007199254740991.000000000000000000000000000001')))
