"""Options that say who may be at the other end of a stream, and what they mean."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from streamer.endpoint import Address
from streamer.errors import SecurityError, SettingsError
from streamer.karabo.address import KaraboAddress, is_karabo
from streamer.keys import KeyFolder, public_key
from streamer.security import Binding, Connecting, CurveClient, CurveServer, Plain

log = logging.getLogger("security")

Keys = Annotated[
    Path | None,
    typer.Option(
        "--keys",
        metavar="DIR",
        envvar="ATOMSTREAM_KEYS",
        help="Folder of keys; by default this user's.",
    ),
]
ServerKey = Annotated[
    str | None,
    typer.Option(
        "--server-key",
        metavar="KEY|FILE",
        help="Public key of who publishes there: listen to nobody else, encrypted.",
    ),
]
ServerKeys = Annotated[
    list[str] | None,
    typer.Option(
        "--server-key",
        metavar="KEY|FILE",
        help="Public key of who publishes there: listen to nobody else, encrypted. "
        "Once for all, or once for each --connect in their order; karabo-bridges, "
        "which have no keys, do not count.",
    ),
]
Insecure = Annotated[
    bool,
    typer.Option("--insecure", help="Do without keys beyond this computer."),
]
InsecureAll = Annotated[
    bool,
    typer.Option(
        "--insecure",
        help="Do without protection beyond this computer: without keys, and a page "
        "without a password.",
    ),
]
InsecureService = Annotated[
    bool,
    typer.Option(
        "--insecure",
        help="Do without protection beyond this computer: without keys, a page "
        "without a password, and metrics for everybody.",
    ),
]
Secure = Annotated[
    bool,
    typer.Option(
        "--secure",
        help="Publish with keys on this computer too; beyond it that is the default.",
    ),
]


def key_folder(keys: Path | None) -> KeyFolder:
    """The folder that was named, or this user's."""
    return KeyFolder(keys or Path(typer.get_app_dir("atomstream")) / "keys")


def connecting(
    urls: Sequence[str],
    keys: Path | None,
    server_keys: Sequence[str],
    *,
    insecure: bool,
) -> dict[str, Connecting]:
    """How each of `urls` is connected to; karabo-bridges know no keys.

    Raises
    ------
    LinkError
        An address is none.
    SecurityError
        A key is missing or damaged, or an address needs one.
    SettingsError
        There are neither as many server keys as addresses, nor one.
    """
    ours = [url for url in urls if not is_karabo(url)]
    if server_keys and not ours:
        raise SettingsError("a karabo-bridge has no keys: omit --server-key")
    if len(server_keys) not in (0, 1, len(ours)):
        raise SettingsError(
            f"{len(server_keys)} --server-key for {len(ours)} addresses that can have "
            "one: give one for all, or one for each in their order"
        )
    plain = [url for url in urls if not server_keys or is_karabo(url)]
    plainly: dict[str, Connecting] = {
        url: connecting_plainly(url, anywhere=insecure) for url in plain
    }
    if not server_keys:
        return plainly
    folder = key_folder(keys)
    folder.private()
    each = [public_key(text) for text in server_keys] * (len(ours) // len(server_keys))
    return plainly | {
        url: CurveClient(folder, key) for url, key in zip(ours, each, strict=True)
    }


def connecting_plainly(url: str, *, anywhere: bool) -> Plain:
    """How `url` is connected to without a key.

    Raises
    ------
    LinkError
        The address is none.
    SecurityError
        It needs one.
    """
    bridge = KaraboAddress.parse(url) if is_karabo(url) else None
    address = bridge.place if bridge else Address.parse(url)
    if not address.is_local:
        if not anywhere and bridge:
            raise SecurityError(
                f"{url} is another computer, and a karabo-bridge encrypts nothing: "
                f"bring it here by `ssh -L {address.port}:localhost:{address.port} "
                f"{address.host}` and connect to 127.0.0.1, or give --insecure"
            )
        if not anywhere:
            raise SecurityError(
                f"{url} is another computer: give --server-key KEY, which `atomstream "
                "keys show` prints there, or --insecure"
            )
        warn(url)
    return Plain(anywhere)


def binding(url: str, keys: Path | None, *, secure: bool, insecure: bool) -> Binding:
    """How `url` is bound; with keys where nothing is said, but on this computer.

    Raises
    ------
    LinkError
        The address is none.
    SecurityError
        A key is missing or damaged.
    """
    is_local = Address.parse(url).is_local
    if not secure and (is_local or insecure):
        if not is_local:
            warn(url)
        return Plain(anywhere=not is_local)
    folder = key_folder(keys)
    if not folder.private_file.exists():
        raise SecurityError(
            f"{url} needs keys, and there are none in {folder.path}: make them with "
            "`atomstream keys new` and let others in with `atomstream keys allow NAME "
            "KEY`" + ("" if is_local else ", or give --insecure")
        )
    folder.private()
    if not folder.allowed().keys:
        log.warning(
            "nobody else may connect to %s yet: `atomstream keys allow NAME KEY` lets "
            "others in, also while this runs",
            url,
        )
    return CurveServer(folder)


def warn(url: str) -> None:
    """Say what `--insecure` means."""
    log.warning(
        "%s is not protected: everybody on the network can read and forge what "
        "travels there",
        url,
    )
