"""What is told of a photo's progress."""

from .conftest import RunJs

STAGES = """
const meter = new module.ProgressMeter()
const stages = [meter.progress.stage]
const fractions = []
for (const [stage, done, total] of given.reports) {
  const progress = meter.update({ stage, done, total })
  if (progress.stage !== stages.at(-1)) stages.push(progress.stage)
  fractions.push(progress.fraction)
}
return { stages, fractions }
"""
RUN = [
    ["preprocess", 0, 1],
    ["preprocess", 1, 1],
    ["infer", 0, 1],
    ["infer", 1, 1],
    ["refine", 0, 1],
    ["refine", 1, 1],
    ["encode", 0, 1],
]


def test_no_words_come_back(run_js: RunJs) -> None:
    """A photo is opened while the network is fetched, before or after."""
    opened, fetched = ["decode", 0, 1], ["model", 100, 100]
    ways = (
        ([opened, ["decode", 1, 1]], ["decode", "model"]),
        ([opened, ["model", 9, 100], ["decode", 1, 1], fetched], ["decode", "model"]),
        ([["model", 9, 100], fetched, opened, ["decode", 1, 1]], ["decode", "model"]),
    )
    for reports, before in ways:
        told = run_js("ui/progress.js", STAGES, reports=[*reports, *RUN])
        assert told["stages"] == [*before, "infer", "refine", "encode"]
        assert told["fractions"] == sorted(told["fractions"])
