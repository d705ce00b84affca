TEXT = "<p>Hällo</p>"
