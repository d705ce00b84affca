print("<p>no header block</p>")
