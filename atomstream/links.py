"""What people type into a browser to see the page."""

import socket
from ipaddress import ip_address
from urllib.parse import urlsplit

from dashboard.access.origins import EVERYWHERE, in_url, names_of_this_computer


def links_in_words(url: str) -> str:
    """The page's link; two where it is served on every interface of this computer."""
    parts = urlsplit(url)
    if parts.hostname not in EVERYWHERE:
        return url
    near = f"{parts.scheme}://127.0.0.1:{parts.port}"
    # A certificate is for a name.
    encrypted = parts.scheme == "https"
    far = socket.gethostname() if encrypted else address_of_this_computer()
    return f"{near}, from other computers {parts.scheme}://{far}:{parts.port}"


def address_of_this_computer() -> str:
    """By which others most likely reach it: a number if it has one, else its name."""
    numbers = []
    for name in names_of_this_computer():
        try:
            number = ip_address(name.strip("[]"))
        except ValueError:
            continue
        if not (number.is_loopback or number.is_link_local):
            numbers.append(number)
    if not numbers:
        return socket.gethostname()
    return in_url(str(min(numbers, key=lambda each: (each.version, int(each)))))
