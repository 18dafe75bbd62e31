"""The one error of this package and its codes. `web/js/rpc/errors.js` holds the same two tables; a
test keeps them equal."""

from enum import StrEnum

__all__ = ["ErrorCode", "GossamerError", "Stage"]


class ErrorCode(StrEnum):
    EMPTY_FILE = "empty_file"
    UNSUPPORTED_FORMAT = "unsupported_format"
    TRUNCATED_IMAGE = "truncated_image"
    CORRUPT_IMAGE = "corrupt_image"
    IMAGE_TOO_LARGE = "image_too_large"
    IMAGE_TOO_SMALL = "image_too_small"
    INVALID_ARGUMENT = "invalid_argument"
    MODEL_UNAVAILABLE = "model_unavailable"
    MODEL_CORRUPT = "model_corrupt"
    BACKEND_UNAVAILABLE = "backend_unavailable"
    OUT_OF_MEMORY = "out_of_memory"
    WORKER_DIED = "worker_died"
    ABORTED = "aborted"
    INTERNAL = "internal"


class Stage(StrEnum):
    MODEL = "model"
    DECODE = "decode"
    PREPROCESS = "preprocess"
    INFER = "infer"
    REFINE = "refine"
    ENCODE = "encode"


class GossamerError(Exception):
    """Says what was expected, what came, and what to do."""

    def __init__(self, code: ErrorCode, stage: Stage, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.stage = stage
        self.message = message

    def to_dict(self) -> dict[str, str]:
        """The error as it crosses the thread boundary."""
        return {"code": self.code.value, "stage": self.stage.value, "message": self.message}
