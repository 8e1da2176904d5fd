// Reads {"encoded": "HISTFAAA…", "log": "text of an interval log"} from standard input; answers with what the library
// of the formats' own authors prints for the histogram, and what its log reader finds in the log.
"use strict";

const hdr = require("hdr-histogram-js");

const input = JSON.parse(require("fs").readFileSync(0, "utf8"));
const read = hdr.decodeFromCompressedBase64(input.encoded, 64);
const reader = new hdr.HistogramLogReader(input.log, 64);
const intervals = [];
for (let next = reader.nextIntervalHistogram(); next; next = reader.nextIntervalHistogram()) {
  intervals.push({
    tag: next.tag,
    count: next.totalCount,
    p50: next.getValueAtPercentile(50),
    p99: next.getValueAtPercentile(99),
    max: next.maxValue,
  });
}
process.stdout.write(
  JSON.stringify({ distribution: read.outputPercentileDistribution(5, 1e6), start: reader.startTimeSec, intervals })
);
