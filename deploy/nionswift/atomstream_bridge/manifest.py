"""What Nion Swift reads of the plug-in before it loads it.

A file that is written where the plug-in is built, for there the version is known. This
module, too, is read by the build, which has nothing but the standard library.
"""

import json

FILE = "manifest.json"


def manifest(version: str) -> str:
    """Text of the file."""
    told = {
        "name": "atomstream",
        "identifier": "atomstream.bridge",
        "version": version,
        "modules": ["zmq", "msgpack"],
    }
    return json.dumps(told, indent=4) + "\n"
