"""ONNX Runtime, told not to report to its maker: everybody imports it from here.

Since 1.29 its packages for Linux write an identifier of the user to the home folder
when they are imported, complain where they cannot, and send what was run to Microsoft.
`disable_telemetry_events` comes too late for that: the import has done it already.
"""

import os

# Who wants it has set it to 0.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime as onnxruntime  # noqa: TID251 # the environment comes first
