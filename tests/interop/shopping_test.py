#!/usr/bin/env python3
"""The acceptance table of the shopping system: sensor and till are pika programs, workers and customer apps are ours."""
import json
import unittest

from harness import WithBroker, wait_until

# customer -> product, pick up, purchase, and the cost less 20 %; as in roles/catalogue/data/shopping-customers.json
CUSTOMERS = {
    "customer-0": ("11", 1.5, 11.25, "31.98"),
    "customer-1": ("48", 2.5, 12.25, "0.24"),
    "customer-2": ("85", 3.5, 13.25, "8.00"),
    "customer-3": ("122", 4.5, 14.25, "5.88"),
    "customer-4": ("159", 5.5, 15.25, "7999.60"),
}
UNKNOWN = "999"


class Points:
    """Prints what was reached, as the acceptance table of the system counts it."""

    def __init__(self):
        self.reached, self.missed = 0, []

    def count(self, points, what, holds):
        print(f"{points if holds else 0:3} of {points:2} points: {what}", flush=True)
        self.reached += points if holds else 0
        if not holds:
            self.missed.append(what)


class Shopping(WithBroker):
    queues = [*CUSTOMERS, "worker-0_queue", "worker-1_queue", "billing_events", "shopping_events_dead_letter_queue"]
    exchanges = ["shopping_events_exchange", "customer_app_events"]

    def setUp(self):
        super().setUp()
        self.clear()
        self.addCleanup(self.clear)

    def clear(self):
        for queue in self.queues:
            self.channel.queue_delete(queue)
        for exchange in self.exchanges:
            self.channel.exchange_delete(exchange)

    def publish(self, entry_type, product, timestamp):
        event = {"entry_type": entry_type, "product_number": product, "timestamp": timestamp}
        self.channel.basic_publish("shopping_events_exchange", product, json.dumps(event).encode())
        self.sent += 1

    def received(self, entry_type, product):
        """How often each worker received that event."""
        wanted = f'"entry_type": "{entry_type}", "product_number": "{product}"'
        return [sum("received" in line and wanted in line for line in worker.text.splitlines()) for worker in self.workers]

    def test_acceptance(self):
        self.sent = 0
        self.workers = [self.role("shopping-worker", "--id", f"worker-{i}") for i in range(2)]
        apps = {customer: self.role("customer-app", "--id", customer) for customer in CUSTOMERS}
        for product, picked_up, _, _ in CUSTOMERS.values():
            self.publish("pick up", product, picked_up)
        self.publish("pick up", UNKNOWN, 6.5)
        for product, _, purchased, _ in CUSTOMERS.values():
            self.publish("purchase", product, purchased)
        # Each purchase is told twice to its customer, each pick up once.
        for app in apps.values():
            app.wait_for("done", times=3)
        bills = self.receive("billing_events", len(CUSTOMERS))
        dead = self.receive("shopping_events_dead_letter_queue", 1)
        wait_until(lambda: sum(sum("received" in line for line in worker.text.splitlines())
                               for worker in self.workers) >= self.sent)

        points = Points()
        picked = {product: self.received("pick up", product) for product, *_ in CUSTOMERS.values()}
        bought = {product: self.received("purchase", product) for product, *_ in CUSTOMERS.values()}
        points.count(10, "5 pick ups of known products are received once each",
                     all(sum(counts) == 1 for counts in picked.values()))
        points.count(20, "5 purchases reach the worker that had the pick up", picked == bought)
        shopping = {customer: [line for line in app.text.splitlines() if "received" in line and "entry_type" in line]
                    for customer, app in apps.items()}
        points.count(10, "each customer app has its own two shopping events, in order",
                     all(len(lines) == 2 and "pick up" in lines[0] and "purchase" in lines[1]
                         and all(f'"{CUSTOMERS[customer][0]}"' in line for line in lines)
                         for customer, lines in shopping.items()))
        # As text: 31.90 must not have become 31.9.
        expected = {f'{{"customer_id":"{customer}","product_number":"{product}","pick_up_time":{picked_up},'
                    f'"purchase_time":{purchased},"shopping_cost":{cost}}}'
                    for customer, (product, picked_up, purchased, cost) in CUSTOMERS.items()}
        points.count(10, "5 correct billing events on billing_events", {body.decode() for _, body in bills} == expected)
        billed = {customer: [line for line in app.text.splitlines() if "received" in line and "shopping_cost" in line]
                  for customer, app in apps.items()}
        points.count(10, "each customer app has its own billing event",
                     all(len(lines) == 1 and f'"customer_id":"{customer}"' in lines[0] for customer, lines in billed.items()))
        points.count(20, "1 pick up of an unknown product is on the dead letter queue",
                     json.loads(dead[0][1])["product_number"] == UNKNOWN
                     and dead[0][0].headers["x-death"][0]["reason"] == "rejected")
        print(f"{points.reached} of 80 points", flush=True)
        self.assertEqual(points.missed, [])

    def test_what_is_no_event_ends_on_the_dead_letter_queue(self):
        worker = self.role("shopping-worker", "--id", "worker-0")
        bodies = [b"no json", b"[]", b"{}", b'{"entry_type": "stolen", "product_number": "11", "timestamp": 1}',
                  b'{"entry_type": "pick up", "product_number": 11, "timestamp": 1}', b"x" * 1_048_576]
        for body in bodies:
            self.channel.basic_publish("shopping_events_exchange", "11", body)
        self.channel.basic_publish("shopping_events_exchange", "11",
                                   b'{"entry_type": "pick up", "product_number": "11", "timestamp": 1}')
        self.assertEqual([body for _, body in self.receive("shopping_events_dead_letter_queue", len(bodies))], bodies)
        worker.wait_for("done")
        worker.interrupt()
        self.assertEqual(worker.end(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
