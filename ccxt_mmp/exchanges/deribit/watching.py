"""Streams of protections on Deribit: none yet. Its channel user.mmp_trigger tells of trips.

https://docs.deribit.com/subscriptions/market-maker-protection/usermmp_triggerindex_name
"""

from ccxt_mmp.exchanges.deribit.answers import DeribitAnswers


class DeribitWatching(DeribitAnswers):
    """``has['watchMmp']`` is False: ``fetch_mmp`` tells."""
