"""Headers of every answer: what a browser must not do with the page."""

import base64
import hashlib
import re
from collections.abc import Iterable

from tornado.httputil import HTTPHeaders
from tornado.web import OutputTransform

INLINE_SCRIPT = re.compile(rb"<script(?:\s[^>]*)?>(.*?)</script>", re.DOTALL)

FIXED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
OF_BOKEH_CORS = (
    "Access-Control-Allow-Origin",
    "Access-Control-Allow-Headers",
    "Access-Control-Allow-Credentials",
)
"""By which Bokeh invites other sites to embed the page."""


class GuardedHeaders(OutputTransform):
    """Adds to each answer what forbids more than the page needs."""

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        """As Tornado asks for; `chunk` is whole where there are inline scripts."""
        for name in (*OF_BOKEH_CORS, "Server"):
            headers.pop(name, None)
        for name, value in FIXED.items():
            headers[name] = value
        is_page = headers.get("Content-Type", "").startswith("text/html")
        scripts = list(filter(None, INLINE_SCRIPT.findall(chunk))) if is_page else []
        headers["Content-Security-Policy"] = content_policy(scripts)
        if "Cache-Control" not in headers and is_page:
            headers["Cache-Control"] = "no-store"
        return super().transform_first_chunk(status_code, headers, chunk, finishing)


def content_policy(inline_scripts: Iterable[bytes]) -> str:
    """What a page may load and run: these scripts, and what this server has.

    Bokeh needs the rest: it imports the code of callbacks from blobs, builds the
    programs of WebGL as strings, and styles its parts one by one. A page without
    scripts is none of Bokeh's, and may run none.
    """
    hashes = [
        f"'sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}'"
        for script in inline_scripts
    ]
    allowed = ["'self'", "blob:", "'unsafe-eval'", *hashes] if hashes else ["'none'"]
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {' '.join(allowed)}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )
