// Reads a histogram in V2 compressed form from standard input with the library of its own authors, and answers with
// what that library makes of it; then records the values 1, 2, 4, … 2^41 itself and answers with its encoding of them.
// Input: {"encoded": "HISTFAAA…"}. Output: one JSON object.
"use strict";

const hdr = require("hdr-histogram-js");

const input = JSON.parse(require("fs").readFileSync(0, "utf8"));
const read = hdr.decodeFromCompressedBase64(input.encoded, 64);

const own = hdr.build({
  lowestDiscernibleValue: 1,
  highestTrackableValue: 3600000000000,
  numberOfSignificantValueDigits: 3,
  bitBucketSize: 64,
});
for (let power = 0; power <= 41; ++power) {
  own.recordValueWithCount(2 ** power, power + 1);
}

const quantiles = (histogram) => ({
  count: histogram.totalCount,
  min: histogram.minNonZeroValue,
  max: histogram.maxValue,
  mean: histogram.mean,
  p50: histogram.getValueAtPercentile(50),
  p90: histogram.getValueAtPercentile(90),
  p99: histogram.getValueAtPercentile(99),
  p99_9: histogram.getValueAtPercentile(99.9),
});

// Its own figures, too, are those of a decoded histogram: before that it knows the exact smallest and largest value.
const encoded = hdr.encodeIntoCompressedBase64(own);
process.stdout.write(
  JSON.stringify({
    read: quantiles(read),
    own: { ...quantiles(hdr.decodeFromCompressedBase64(encoded, 64)), encoded },
  })
);
