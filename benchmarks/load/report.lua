-- What benchmarks.load reads of a run.
done = function(summary, latency, requests)
  print(string.format("rate=%.1f", summary.requests / summary.duration * 1000000))
  print(string.format("p95=%.1f", latency:percentile(95) / 1000))
  local errors = summary.errors
  print(string.format("bad=%d", errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
