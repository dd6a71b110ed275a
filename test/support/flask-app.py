"""A shop on Flask with the Python client: requests by endpoint, and what the business counts.

Usage: python3 flask-app.py PORT
"""
import sys
import time

from flask import Flask, Response, g, request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    Counter,
    Gauge,
    Histogram,
    Info,
    Summary,
    generate_latest,
)
from prometheus_client.openmetrics import exposition as openmetrics

app = Flask(__name__)

Info('shop_app', 'The application.').info({'version': '1.0.3', 'name': 'shop'})
latency = Histogram(
    'flask_http_request_duration_seconds',
    'Flask HTTP request duration in seconds',
    ['method', 'path', 'status'],
)
requests = Counter('flask_http_request_total', 'Total HTTP requests', ['method', 'status'])
exceptions = Counter('flask_http_request_exceptions_total', 'Requests that failed', ['method'])
sales = Counter('ecommerce_sales_total', 'Sales by product and payment', ['product', 'payment'])
revenue = Counter('ecommerce_revenue_total', 'Money taken, in the currency given', ['currency'])
carts = Gauge('ecommerce_active_carts', 'Carts that are not empty')
stock = Gauge('ecommerce_stock_level', 'Items in stock', ['product'])
users = Gauge('ecommerce_active_users', 'People who are logged in', ['country'])
checkout = Histogram(
    'ecommerce_checkout_duration_seconds',
    'Time from cart to payment',
    buckets=(0.5, 1, 2.5, 5, 10, 30, 60),
)
search = Summary('ecommerce_search_results', 'Results of a search', ['category'])


@app.before_request
def begin():
    g.start = time.perf_counter()


@app.after_request
def end(response):
    duration = time.perf_counter() - g.start
    latency.labels(request.method, request.path, response.status_code).observe(duration)
    requests.labels(request.method, response.status_code).inc()
    return response


@app.route('/')
def index():
    return 'shop\n'


@app.route('/buy/<product>')
def buy(product):
    sales.labels(product, 'card').inc()
    revenue.labels('BRL').inc(19.9)
    stock.labels(product).dec()
    checkout.observe(len(product) * 0.7)
    return {'bought': product}


@app.route('/search')
def find():
    word = request.args.get('q', '')
    search.labels('books "and" more').observe(len(word) * 3)
    return {'found': len(word) * 3}


@app.route('/fail')
def fail():
    exceptions.labels(request.method).inc()
    return 'no', 500


@app.route('/metrics')
def metrics():
    accept = request.headers.get('Accept', '')
    if 'application/openmetrics-text' in accept.split(',')[0]:
        body = openmetrics.generate_latest(REGISTRY)
        return Response(body, content_type=openmetrics.CONTENT_TYPE_LATEST)
    return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)


def visit():
    """A few customers, so that there is something to see."""
    carts.set(4)
    for country, count in (('BR', 12), ('PT', 3), ('Côte d’Ivoire', 1)):
        users.labels(country).set(count)
    with app.test_client() as client:
        for path in ('/', '/buy/cup', '/buy/lamp', '/search?q=tea', '/fail', '/missing'):
            client.get(path)


if __name__ == '__main__':
    visit()
    app.run(host='127.0.0.1', port=int(sys.argv[1]))
