"""ONNX Runtime without its telemetry, which would queue facts about this machine for its makers."""

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

# The library looks at the variable while it is imported.
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as refusals

onnxruntime.disable_telemetry_events()

__all__ = ["onnxruntime", "refusals"]
