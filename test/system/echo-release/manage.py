#!/usr/bin/python3
"""Stands in for Zulip's programs: the event system tells what it was asked, all others wait to be stopped."""

import http.server
import json
import signal
import sys


class Events(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        asked = {"port": self.server.server_port, "path": self.path, **dict(self.headers)}
        body = json.dumps(asked).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if sys.argv[1] == "runtornado":
    host, port = sys.argv[2].split(":")
    http.server.ThreadingHTTPServer((host, int(port)), Events).serve_forever()
signal.pause()
