"""What is given back when a request is over, by an instance that may serve another."""

_releases = []


def at_end(release):
    """Has `release` called after each request."""
    _releases.append(release)


def end():
    """The request is over."""
    for release in _releases:
        release()
