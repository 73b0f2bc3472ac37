#!/usr/bin/env python3
"""Asks an address over and over, each time by a connection of its own, until SIGTERM; then tells
how often, and what failed: `hammer.py PORT PATH`."""

import http.client
import json
import signal
import sys
import time

PAUSE_SECONDS = 0.02
# Who waits for this long while a service starts anew is not refused.
WAIT_SECONDS = 60


def main():
    """Asks until it is told to stop."""
    port, path = int(sys.argv[1]), sys.argv[2]
    going = True

    def stop(_signal, _frame):
        nonlocal going
        going = False

    signal.signal(signal.SIGTERM, stop)
    asked, failed, slowest = 0, [], 0.0
    while going:
        begin = time.monotonic()
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_SECONDS)
            connection.request("GET", path)
            status = connection.getresponse().status
            if status != 200:
                failed.append(f"status {status}")
            connection.close()
        except (OSError, http.client.HTTPException) as error:
            failed.append(repr(error))
        asked += 1
        slowest = max(slowest, time.monotonic() - begin)
        time.sleep(PAUSE_SECONDS)
    print(json.dumps({"asked": asked, "failed": len(failed), "first": failed[:3],
                      "slowest_seconds": round(slowest, 3)}))
    sys.exit(1 if failed or asked == 0 else 0)


main()
