"""Commands to the control side of a simulator, as a bot in another process sends them."""

import json
import urllib.error
import urllib.request


def control(simulator, command, body=None, *, content_type='application/json', host=None):
    headers = {'Content-Type': content_type, **({'Host': host} if host else {})}
    data = None if body is None else json.dumps(body).encode() if isinstance(body, dict) else body
    request = urllib.request.Request(f'{simulator.url}/_control/{command}', data, headers)  # noqa: S310
    try:
        answer = urllib.request.urlopen(request)  # noqa: S310
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return answer.status, json.load(answer), answer.headers
