"""A public client of Deribit, typed-deribit, which knows nothing of this package, works against the simulator."""

import asyncio

import pytest

from ccxt_mmp.simulator import KEY, SECRET

typed_deribit = pytest.importorskip('typed_deribit')


# its models are dicts at run time, of which its serializer complains
@pytest.mark.filterwarnings('ignore:Pydantic serializer warnings')
@pytest.mark.parametrize('http_auth', ['token', 'hmac'])
def test_typed_deribit_sets_quotes_and_cancels(simulator, http_auth):
    option = simulator.instruments('deribit', 'btc_usd')[0]

    async def live():
        client = typed_deribit.Deribit.new(client_id=KEY, client_secret=SECRET, http_auth=http_auth, validate=False)
        client.rpc_client.base_url = f'{simulator.url}/api/v2'
        trading = client.trading
        async with client.rpc_client:
            rule = {'interval': 3, 'frozen_time': 30, 'quantity_limit': 5, 'max_quote_quantity': 20}
            await trading.set_mmp_config('btc_usd', **rule)
            [listed] = await trading.get_mmp_config(index_name='btc_usd', validate=True)
            assert (listed['interval'], listed['max_quote_quantity']) == (3, 20)
            order = {
                'instrument_name': option,
                'amount': 1,
                'price': 0.01,
                'type': 'limit',
                'label': 'typed',
                'mmp': True,
            }
            placed = await trading.buy(order)
            assert placed['order']['mmp'] is True
            assert len(await trading.get_open_orders()) == 1
            simulator.trip('deribit', 'btc_usd')
            [frozen] = await trading.get_mmp_status(index_name='btc_usd')
            assert frozen['frozen_until'] > simulator.now()
            assert await trading.reset_mmp(index_name='btc_usd') == 'ok'
            await trading.buy(order)
            assert await trading.cancel_by_label(label='typed') == 1

    asyncio.run(live())
