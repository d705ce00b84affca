"""WSGI programs (PEP 3333) on rhost's gateway.

An application needs nothing of this package: `rhost serve wsgi_app:app` puts it
around the callable. It is pure Python but for `_kdf`, so that its tests run
without WebAssembly.

In the order in which a request meets the modules: `component` is what the
server calls, `instance` undoes what the snapshot baked in, `handler` runs the
application, with the environ of `variables`, the body of `body` and the
start_response of `response`, which `fields` checks; `report` tells the server
of an exception. `cgi` makes an application of scripts, and of what is `printed`
a response.

What a program finds in place of a system: `world` is the process, `identity` its
user, `threads` and `loops` run what would run beside it, `network` says that there
is none, `sqlite` locks databases, `tempfiles` are in memory, and `kdf` derives keys.
Modules that are `absent` are in `modules`, packages that need native code in
`natives`; `late` patches what is imported late, and `ending` gives back what a
request held. Before any request, `build` imports the
application that `locate` finds, or compiles the `scripts`, and `warm_up` asks it
something, one of its `routes` perhaps; `state` says what that left behind, and `diagnosis` why it could not be
done. `gateway` holds the contract's types.
"""

from .body import BodyTimedOut, BodyTooLarge, IncompleteBody, InputError
from .response import OutputError

__all__ = ["BodyTimedOut", "BodyTooLarge", "IncompleteBody", "InputError", "OutputError"]
