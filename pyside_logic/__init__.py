"""From a network's matte to a finished picture. Runs in Pyodide and on CPython; NumPy and the
standard library only."""
