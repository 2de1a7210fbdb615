"""The load of profile.json for Locust; made by generate-locust.ts, not by hand.

    TOKENS_FILE=tokens.txt locust -f trading_load.py -H http://127.0.0.1:8080/v1 -u 100 -r 10 -t 2m --headless

TOKENS_FILE holds one bearer token a line; users take turns with them.
"""

import itertools
import os
import random
import uuid

from locust import between, events, tag, task
from locust.contrib.fasthttp import FastHttpUser
from locust.exception import RescheduleTask

SYMBOLS = ["AAPL", "MSFT", "GOOGL", "AMZN", "TSLA", "META", "NVDA", "JPM"]
FAILURE_RATIO_MAX = 0.01
P99_MS_MAX = 500


def read_tokens():
    path = os.environ.get("TOKENS_FILE", "")
    if path == "":
        return [""]
    with open(path, encoding="utf-8") as file:
        return [line for line in file.read().split("\n") if line != ""]


TOKENS = itertools.cycle(read_tokens())


class Caller(FastHttpUser):
    abstract = True

    def on_start(self):
        self.token = next(TOKENS)

    def send(self, method, path, name, accepted, query=None, body=None):
        headers = {"Authorization": f"Bearer {self.token}"}
        if body is not None:
            headers["Idempotency-Key"] = f'"{uuid.uuid4()}"'
        with self.client.request(
            method, path, name=name, params=query, json=body, headers=headers, catch_response=True
        ) as response:
            if response.status_code in accepted:
                response.success()
                return
            response.failure(f"Status: {response.status_code}")
            if response.status_code == 429:
                raise RescheduleTask()


class TradingUser(Caller):
    abstract = True
    weight = 1
    wait_time = between(0.1, 0.5)

    @tag("read")
    @task(10)
    def get_signals(self):
        query = {}
        query["symbol"] = random.choice(SYMBOLS)
        query["strategy"] = random.choice(["momentum", "mean_reversion", "pairs"])
        self.send("GET", "/signals/latest", "/signals/latest", (200,), query=query)

    @tag("order")
    @task(5)
    def submit_order(self):
        body = {}
        body["symbol"] = random.choice(SYMBOLS)
        body["side"] = random.choice(["buy", "sell"])
        body["quantity"] = random.randint(10, 500)
        body["order_type"] = random.choice(["market", "limit", "ioc"])
        if body["order_type"] == "limit":
            body["limit_price"] = round(random.uniform(100, 200), 2)
        self.send("POST", "/orders", "/orders [POST]", (200, 201,), body=body)

    @tag("read")
    @task(8)
    def get_positions(self):
        self.send("GET", "/positions", "/positions", (200,))

    @tag("read")
    @task(3)
    def get_position_by_symbol(self):
        query = {}
        query["symbol"] = random.choice(SYMBOLS)
        self.send("GET", "/positions", "/positions?symbol=X", (200,), query=query)

    @tag("read")
    @task(7)
    def get_market_data(self):
        params = {}
        params["symbol"] = random.choice(SYMBOLS)
        self.send("GET", "/market-data/{symbol}".format(**params), "/market-data/:symbol", (200,))

    @tag("read")
    @task(2)
    def get_pnl(self):
        query = {}
        query["start_date"] = "2025-01-01"
        query["end_date"] = "2025-01-31"
        self.send("GET", "/pnl", "/pnl", (200,), query=query)

    @tag("cancel")
    @task(1)
    def cancel_order(self):
        params = {}
        params["id"] = f"ORD-{random.randint(1, 10000)}"
        self.send("DELETE", "/orders/{id}".format(**params), "/orders/:id [DELETE]", (200, 204, 404,))

    @tag("read")
    @task(4)
    def get_fills(self):
        query = {}
        query["limit"] = 10
        self.send("GET", "/fills/recent", "/fills/recent", (200,), query=query)


class HighFrequencyUser(Caller):
    abstract = True
    weight = 1
    wait_time = between(0.01, 0.05)

    @tag("read", "hft")
    @task(20)
    def get_market_data_hft(self):
        params = {}
        params["symbol"] = random.choice(["AAPL", "MSFT"])
        self.send("GET", "/market-data/{symbol}/l2".format(**params), "/market-data/:symbol/l2 [HFT]", (200,))

    @tag("order", "hft")
    @task(10)
    def submit_order_hft(self):
        body = {}
        body["symbol"] = random.choice(["AAPL", "MSFT"])
        body["side"] = random.choice(["buy", "sell"])
        body["quantity"] = random.randint(10, 100)
        body["order_type"] = "ioc"
        body["limit_price"] = round(random.uniform(180, 190), 2)
        self.send("POST", "/orders", "/orders [POST HFT]", (200, 201,), body=body)


class AnalyticsUser(Caller):
    abstract = True
    weight = 1
    wait_time = between(5, 15)

    @tag("analytics")
    @task(5)
    def get_daily_pnl(self):
        self.send("GET", "/analytics/pnl/daily", "/analytics/pnl/daily", (200,))

    @tag("analytics")
    @task(3)
    def get_performance_metrics(self):
        self.send("GET", "/analytics/performance", "/analytics/performance", (200,))

    @tag("analytics")
    @task(2)
    def get_reconciliation(self):
        query = {}
        query["reconciliation_date"] = "2025-01-31"
        self.send("POST", "/reconcile", "/reconcile [POST]", (200,), query=query)


class NormalLoad(TradingUser):
    weight = 70


class HeavyLoad(TradingUser):
    weight = 10


class HFTLoad(HighFrequencyUser):
    weight = 15


class AnalyticsLoad(AnalyticsUser):
    weight = 5


@events.quitting.add_listener
def judge(environment, **kwargs):
    total = environment.stats.total
    failed = total.fail_ratio >= FAILURE_RATIO_MAX
    slow = total.get_response_time_percentile(0.99) >= P99_MS_MAX
    if total.num_requests == 0 or failed or slow:
        environment.process_exit_code = 1
    else:
        environment.process_exit_code = 0
