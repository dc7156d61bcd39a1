-- What wrk runs besides its command line: the upload's method and body, and the figures as one line of JSON at the end.
-- No response function is defined, and a request function only where requests have to differ: with them wrk would read or build every
-- message in Lua and become the bottleneck. Requests that differ are written once, before the first is sent.

local upload = tonumber(os.getenv("BENCH_UPLOAD_BYTES") or "0")
if upload > 0 then
  wrk.method = "POST"
  wrk.body = string.rep("x", upload)
  wrk.headers["Content-Type"] = "application/octet-stream"
end

local sessions = tonumber(os.getenv("BENCH_SESSIONS") or "0")
if sessions > 0 then
  local written = {}
  local turn = 0
  function init(args)
    for i = 1, sessions do
      wrk.headers["Cookie"] = string.format("theme=dark; sluice_session=%032x", i * 2654435761 % 4294967296)
      written[i] = wrk.format()
    end
  end
  function request()
    turn = turn % sessions + 1
    return written[turn]
  end
end

function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '\nBENCH {"requests":%d,"durationUs":%d,"bytes":%d,"p50Us":%d,"p99Us":%d,"maxUs":%d,' ..
    '"errors":{"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d}}\n',
    summary.requests, summary.duration, summary.bytes,
    latency:percentile(50), latency:percentile(99), latency.max,
    e.connect, e.read, e.write, e.status, e.timeout))
end
