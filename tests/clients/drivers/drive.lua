-- Lets a test talk to the Lua client: `new` and `check` lines in, one line of verdict out, all with tabs.
-- There is no HTTP library here, so curl is the one that is passed in.

local KeyPort = dofile(arg[1])
local now, timeout, keyport = 0, 0, nil

local function words(text, meant)
  local found = {}
  for word in text:gmatch("%S+") do found[#found + 1] = meant[word] or word end
  return found
end

local function by_curl(url, body, headers, done)
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write(body)
  file:close()
  local command = "curl --silent --include --max-time " .. timeout / 1000 .. " --data-binary @" .. path
  for name, value in pairs(headers) do command = command .. " --header '" .. name .. ": " .. value .. "'" end
  local pipe = assert(io.popen(command .. " '" .. url .. "'"))
  local head, text = pipe:read("*a"):match("^(.-\r\n)\r\n(.*)$")
  pipe:close()
  os.remove(path)
  local told = {}
  for name, value in (head or ""):gmatch("([%w-]+): ([^\r]*)\r\n") do told[name] = value end
  done((head or ""):match("^HTTP/%S+ (%d+)") or 0, text, told)
end

for line in io.lines() do
  local said = {}
  for part in (line .. "\t"):gmatch("([^\t]*)\t") do said[#said + 1] = part end
  if said[1] == "new" then
    timeout = tonumber(said[6])
    keyport = KeyPort.new({
      url = said[2],
      api_key = said[3],
      grace_hours = tonumber(said[4]),
      memory = said[5] ~= "" and said[5] or nil,
      version = said[7] ~= "" and said[7] or nil,
      device_id = said[8] ~= "" and said[8] or nil,
      secrets = words(said[9], { EMPTY = "" }),
      now = function() return now end,
      http = by_curl,
    })
  else
    now = tonumber(said[2])
    keyport:check(said[3], function(seen)
      local told = { tostring(seen.valid), seen.status, tostring(seen.from_memory), seen.support_code,
        tostring(seen.retry_after), seen.message, seen.for_seller,
        tostring((seen.body or ""):find('"status"', 1, true) ~= nil) }
      io.write(table.concat(told, "\t"), "\n")
      io.flush()
    end)
  end
end
