"""The same small site in three frameworks, as their manuals have it."""

import bottle
import flask
from webob import Request, Response
from webob.dec import wsgify

flask_app = flask.Flask(__name__)
flask_app.secret_key = "for tests"


@flask_app.get("/")
def index():
    return "Hello from Flask\n"


@flask_app.get("/greet/<name>")
def greet(name):
    return flask.render_template("greet.html", name=name)


@flask_app.post("/form")
def form():
    file = flask.request.files.get("file")
    size = len(file.read()) if file else 0
    return {"name": flask.request.form["name"], "size": size}


@flask_app.get("/login")
def login():
    flask.session["user"] = "Ada"
    return flask.redirect(flask.url_for("whoami"))


@flask_app.get("/whoami")
def whoami():
    return flask.session.get("user", "nobody")


@flask_app.get("/stream")
def stream():
    return flask.Response((f"{n}\n" for n in range(3)), mimetype="text/plain")


@flask_app.get("/boom")
def boom():
    raise ValueError("boom in Flask")


bottle_app = bottle.Bottle()


@bottle_app.get("/")
def bottle_index():
    return "Hello from Bottle\n"


@bottle_app.get("/greet/<name>")
def bottle_greet(name):
    return bottle.template("Hello {{name}}!\n", name=name)


@bottle_app.post("/form")
def bottle_form():
    return {"name": bottle.request.forms.name}


@wsgify
def webob_app(request: Request):
    if request.method == "POST":
        return Response(json={"name": request.POST["name"]})
    return Response(text="Hello from WebOb\n", content_type="text/plain")
