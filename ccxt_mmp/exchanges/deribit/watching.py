"""What tells of trips on Deribit: reads. Its channel user.mmp_trigger is not subscribed yet.

https://docs.deribit.com/api-reference/trading/private-get_mmp_status
"""

from ccxt_mmp.exchanges.deribit.answers import DeribitAnswers


class DeribitWatching(DeribitAnswers):
    """Reads of all rules and all freezes, which are two requests."""

    _lists_mmps = True
    _reads_mmps_at_once = True
    _least_poll_interval = 500  # 4 of the 20 requests in a second that the account has
