"""What schemathesis cannot know of the admin API: components, and what names there are."""

import itertools
import os
import pathlib

import schemathesis
from hypothesis import strategies as st

COMPONENT = pathlib.Path(os.environ["RHOST_COMPONENT"]).read_bytes()


@st.composite
def damaged(draw):
    """The component with some octets that are others, or without its end."""
    octets = bytearray(COMPONENT)
    for _ in range(draw(st.integers(1, 4))):
        octets[draw(st.integers(0, len(octets) - 1))] = draw(st.integers(0, 255))
    return bytes(octets[: draw(st.integers(1, len(octets)))])


uploads = st.one_of(
    st.just(COMPONENT),
    damaged(),
    st.binary(max_size=4096),
    st.just(b""),
    st.just(b"\0asm\x0d\0\x01\0"),
    st.just(bytes((1 << 20) + 1)),
)
schemathesis.openapi.media_type("application/wasm", uploads)


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """An app that is there, more often than chance would have it."""
    if path_parameters and "app" in path_parameters and hash(path_parameters["app"]) % 2:
        path_parameters["app"] = ["shop", "free", "new"][hash(path_parameters["app"]) % 3]
    return path_parameters


deploys = itertools.count()


@schemathesis.hook
def before_call(context, case, kwargs):
    """A log that is followed has no end; whether it begins, tests look at. And settings
    made by chance are mostly wrong: each fourth deploy is one that is right."""
    if case.path.endswith("/versions") and case.path_parameters and next(deploys) % 4 == 0:
        case.path_parameters["app"] = "shop"
        case.headers["Rhost-Settings"] = '{"hosts": "shop.test"}'
        case.body = COMPONENT
    follow = (case.query or {}).get("follow")
    if str(follow).lower() == "true":
        case.query["follow"] = "false"
