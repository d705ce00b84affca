from wsgiref.handlers import CGIHandler
from wsgiref.simple_server import demo_app

CGIHandler().run(demo_app)
