"""To where the query says."""
import os

print(f"Location: {os.environ['QUERY_STRING']}\n")
