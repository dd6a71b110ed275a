"""An API on FastAPI with the Python client: a middleware that measures, and figures of the machine.

Usage: python3 fastapi-app.py PORT
"""
import os
import sys
import threading
import time

import uvicorn
from fastapi import FastAPI, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest

app = FastAPI()

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
latency = Histogram(
    'http_request_duration_seconds',
    'HTTP request duration in seconds',
    ['method', 'endpoint', 'status_code'],
    buckets=BUCKETS,
)
requests = Counter(
    'http_requests_total', 'Total number of HTTP requests', ['method', 'endpoint', 'status_code']
)
in_progress = Gauge('http_requests_in_progress', 'Requests under way')
load = Gauge('system_load', 'Load of the machine, over so many minutes', ['minutes'])
memory = Gauge('app_memory_pages', 'Memory of the process, in pages')


@app.middleware('http')
async def measure(request: Request, call_next):
    start = time.perf_counter()
    with in_progress.track_inprogress():
        response = await call_next(request)
    labels = (request.method, request.url.path, response.status_code)
    latency.labels(*labels).observe(time.perf_counter() - start)
    requests.labels(*labels).inc()
    return response


@app.get('/')
async def root():
    return {'message': 'hello'}


@app.get('/items/{item}')
async def item(item: int):
    return {'item': item}


@app.get('/metrics')
async def metrics():
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def watch_machine():
    while True:
        for minutes, value in zip(('1', '5', '15'), os.getloadavg()):
            load.labels(minutes).set(value)
        with open('/proc/self/statm', encoding='ascii') as file:
            memory.set(int(file.read().split()[1]))
        time.sleep(1)


if __name__ == '__main__':
    threading.Thread(target=watch_machine, daemon=True).start()
    uvicorn.run(app, host='127.0.0.1', port=int(sys.argv[1]), log_level='error')
