"""Ends in one way of many."""
import os
import sys

page = "Content-Type: text/plain\n\nwhole\n"
match os.environ["QUERY_STRING"]:
    case "raise":
        print(page)
        raise KeyError("no such thing")
    case "late":
        print(page, flush=True)
        raise KeyError("too late")
    case "exit":
        print(page, end="")
        sys.exit(3)
    case "_exit":
        print(page, end="", flush=True)
        print("never")
        os._exit(1)
    case "nothing":
        pass
    case "broken":
        print("Content-Type: text/plain\n<p>")
    case "status":
        print("Status: 418 I'm a teapot\nContent-Type: text/plain\nSet-Cookie: a=1\nSet-Cookie: b=2\n\nshort")
