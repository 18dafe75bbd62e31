"""The subcommands of `gossamer`, one a file: `add_arguments(parser)` and `run(arguments)`.

cli.py imports all of them at every start, so that what takes time to import, onnx above all, is
imported inside `run`.
"""
