"""A guest book in Flask: a template, a form, a session and a late error page."""

from flask import Flask, redirect, render_template, request, session, url_for

app = Flask(__name__)
# From the environment, as --env FLASK_SECRET_KEY=...
app.config.from_prefixed_env()
app.secret_key = app.config.get("SECRET_KEY") or "an example's key, known to everybody"


@app.get("/")
def index():
    return render_template("index.html", entries=session.get("entries", []))


@app.post("/sign")
def sign():
    entry = request.form.get("entry", "").strip()
    if entry:
        # The session is in a signed cookie: nothing stays in this process.
        session["entries"] = [*session.get("entries", []), entry][-10:]
    return redirect(url_for("index"))


@app.get("/hello")
def hello():
    return "Hello, World!\n", {"Content-Type": "text/plain"}


@app.errorhandler(404)
def not_found(error):
    return render_template("index.html", entries=[], error="There is nothing here."), 404
