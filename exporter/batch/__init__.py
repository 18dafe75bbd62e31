"""`gossamer batch`: photos by the thousand, from and to wherever fsspec reaches.

    sources ──> photos ──> engine (worker processes here, or Ray's actors) ──> outcomes ──> summary
                             each: read ──> cut ──> write whole

`run.py` reads as the order of a run. A file that stands at its name in the target is finished, so
that a run goes on where another one stopped, and two runs give what one would have given.
"""
