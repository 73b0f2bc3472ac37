#!/usr/bin/env python3
"""A publisher with a secret, on loopback: `publisher.py PORT SECRET`. Who does not send the secret as a
bearer's gets 401."""

import http.server
import sys

RSS = b"""<rss version="2.0"><channel><title>t</title>
<item><guid>1</guid><title>For who knows the secret</title></item></channel></rss>"""


class Publisher(http.server.BaseHTTPRequestHandler):
    """Answers every address with the same feed."""

    def do_GET(self):
        """Gives the feed to who knows the secret."""
        knows = self.headers.get("Authorization") == f"Bearer {sys.argv[2]}"
        body = RSS if knows else b""
        self.send_response(200 if knows else 401)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Says nothing."""


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Publisher).serve_forever()
