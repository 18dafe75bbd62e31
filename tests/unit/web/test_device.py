"""What a browser offers to a network, where the browser does not answer."""

from .conftest import RunJs

# Time flies.
GPU_THAT_HANGS = """
const { setTimeout } = globalThis
globalThis.setTimeout = (run, ms) => setTimeout(run, ms / 1000)
const gpu = { requestAdapter: () => new Promise(() => {}) }
Object.defineProperty(globalThis, 'navigator', { value: { gpu } })
return module.detect({ backends: ['webgpu', 'wasm'] })
"""


def test_a_gpu_that_gives_no_answer_holds_nothing_up(run_js: RunJs) -> None:
    device = run_js("pipeline/device.js", GPU_THAT_HANGS)
    assert device["webgpu"]["missing"] == "its graphics adapter gave no answer"
    assert device["simd"]
