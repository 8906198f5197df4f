"""Both images, built once for all tests of this folder, on the cached root file system. `make image-test` runs them."""

import os

import pytest

from tools import image
from tools.progress import SetupError

ON_DEMAND = pytest.mark.skipif(
    "NOBAT_IMAGE_TEST" not in os.environ, reason="building images takes minutes: `make image-test`"
)


@pytest.fixture(scope="session")
def engine() -> image.Engine:
    try:
        return image.buildah()
    except SetupError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def images(engine: image.Engine) -> dict[str, str]:
    """Both, built."""
    try:
        more = image.from_cache(engine)
    except SetupError as error:
        pytest.skip(str(error))
    return {target: image.build(engine, target, *more) for target in image.TARGETS}
