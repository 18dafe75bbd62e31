"""Photos by the hundred, of the size of a shop's."""

from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data


def make_photos(folder: Path, count: int) -> list[Path]:
    """Pieces of four photographs, turned and mirrored, 640 px long."""
    wholes = [getattr(data, name)() for name in ("astronaut", "chelsea", "coffee", "rocket")]
    places = np.random.default_rng(5)
    paths = []
    for number in range(count):
        whole = wholes[number % 4]
        height, width = (int(side * places.uniform(0.6, 1)) for side in whole.shape[:2])
        top, left = (
            int(places.integers(0, whole.shape[axis] - size + 1))
            for axis, size in enumerate((height, width))
        )
        piece = np.rot90(whole[top : top + height, left : left + width], number // 4 % 4)
        picture = Image.fromarray(piece[:, ::-1] if number // 16 % 2 else piece)
        scale = 640 / max(picture.size)
        size = (round(picture.width * scale), round(picture.height * scale))
        paths.append(folder / f"{number:03}.jpg")
        picture.resize(size, Image.Resampling.LANCZOS).save(paths[-1], quality=92)
    return paths
