"""Graph rewrites, one a file, each `apply(model, ...) -> model`.

They leave their argument as it is, raise PassError where the pattern is there and cannot be
rewritten exactly, and return an equal model where it is not there. pipeline.py has their order and
compares what each of them computes with the source network.
"""
