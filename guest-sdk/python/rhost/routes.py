"""What paths an application answers, as far as its framework lists them: for a warm-up
where nobody has named one.
"""

import sys

# So many are tried.
_MOST = 5


def of(app):
    """Paths without anything to fill in, the shortest first."""
    found = []
    for listed in (_werkzeug, _django, _bottle):
        try:
            found = list(listed(app))
        except Exception:
            # It has not what the framework's has by that name.
            continue
        if found:
            break
    paths = {path if path.startswith("/") else "/" + path for path in found}
    return sorted(paths - {"/"}, key=lambda path: ("static" in path, len(path), path))[:_MOST]


def _werkzeug(app):
    for rule in app.url_map.iter_rules():
        if not rule.arguments and "GET" in (rule.methods or ("GET",)):
            yield rule.rule


def _django(app):
    if "django.urls" not in sys.modules:
        return
    from django.urls import get_resolver
    yield from _patterns(get_resolver().url_patterns, "")


def _patterns(patterns, before):
    for pattern in patterns:
        # Those of regular expressions are not told apart from what they stand for.
        route = getattr(pattern.pattern, "_route", None)
        if route is None or "<" in str(route):
            continue
        path = before + str(route)
        inner = getattr(pattern, "url_patterns", None)
        if inner is None:
            yield path
        else:
            yield from _patterns(inner, path)


def _bottle(app):
    for route in app.routes:
        if route.method == "GET" and "<" not in route.rule and ":" not in route.rule:
            yield route.rule
