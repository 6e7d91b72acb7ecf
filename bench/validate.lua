-- Validations for wrk: one license after the other, each from an address of its own behind one proxy.
-- wrk -s validate.lua URL -- PLAN API_KEY OFFSET DELAY_MS NONCES; the plan holds "KEY ADDRESS" on each line.

local lines, at, delay_ms, nonces, head = {}, 0, 0, false, ""
local made, kept_at_most = {}, 10000  -- what is asked again is not put together again: the load must cost little

function init(args)
  for line in io.lines(args[1]) do
    lines[#lines + 1] = line
  end
  head = "POST /api/v1/validate HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " .. args[2]
    .. "\r\nContent-Type: application/json\r\nX-Forwarded-For: "
  at = tonumber(args[3])
  delay_ms = tonumber(args[4])
  nonces = args[5] == "1"
  if delay_ms > 0 then
    delay = function() return delay_ms end
  end
end

function request()
  local place = at % #lines + 1
  at = at + 1
  local found = made[place]
  if found then
    return found
  end
  found = put_together(lines[place])
  if not nonces and place <= kept_at_most then
    made[place] = found
  end
  return found
end

function put_together(line)
  local cut = line:find(" ", 1, true)
  local body = '{"license_key": "' .. line:sub(1, cut - 1) .. '", "version": "2.1.0", "device_id": "bench"'
  if nonces then
    body = body .. ', "nonce": "n' .. at .. '"'
  end
  body = body .. "}"
  return head .. line:sub(cut + 1) .. "\r\nContent-Length: " .. #body .. "\r\n\r\n" .. body
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"answers": %d, "seconds": %.6f, "p50_ms": %.4f, "p99_ms": %.4f, "failed": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout
  ))
end
