"""Networks for web/wasm/winograd.c, which convolves in a quarter of the multiplications.

plan.py       an ONNX file  ->  what is to be done with it, step by step (program.py)
weights.py    where the file has its numbers, in int8 too
tensors.py    what is written into one another
arena.py      where every tensor lies, in as little memory as may be
layout.py     all of it, as bytes
kernel.py     winograd.c  ->  WebAssembly
proof.py      runs both as a browser does, and compares with ONNX Runtime
"""
