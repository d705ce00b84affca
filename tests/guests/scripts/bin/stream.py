"""Never ends by itself, and says so first."""
print("Content-Type: text/plain\n\nbegun", flush=True)
while True:
    pass
