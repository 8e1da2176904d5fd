"""Reads Prometheus text (0.0.4) from standard input with the parser of prometheus_client and prints its samples as JSON."""
import json
import sys

from prometheus_client.parser import text_string_to_metric_families

print(json.dumps([
    {"family": family.name, "type": family.type, "name": sample.name, "labels": sample.labels, "value": sample.value}
    for family in text_string_to_metric_families(sys.stdin.read()) for sample in family.samples
]))
