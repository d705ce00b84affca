"""A form, by the module that Python no longer has."""
import cgi

form = cgi.FieldStorage()
print("Content-Type: text/plain; charset=utf-8\n")
print(form.getfirst("name"), len(form["file"].value) if "file" in form else "")
