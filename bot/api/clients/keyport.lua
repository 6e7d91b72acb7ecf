--[[ Ask a KeyPort server whether a license is good: one file to paste. Lua 5.1 to 5.4, LuaJIT, FiveM's server side.
     No library: whoever has one brings the HTTP call, and this file brings HMAC-SHA256.

  local KeyPort = require("keyport")                 -- FiveM: list the file under server_scripts; it sets KeyPort
  local keyport = KeyPort.new {
    url = "https://license.example.com",             -- your server, as its operator names it
    api_key = "kp_live_...",                         -- an API key that may only validate
    secrets = { "kp_sign_..." },                     -- two while the secret is being replaced
    version = "1.4.0",
    http = function(url, body, headers, done)        -- FiveM; for LuaSocket see docs/clients.md
      PerformHttpRequest(url, function(code, text, head) done(code, text, head) end, "POST", body, headers)
    end,
  }
  keyport:check(license_key, function(verdict)
    if verdict.valid then
      start_product()                                -- your product starts here, and nowhere else: an error in here
    else                                             -- would end this function alone, and the rest would run on
      print(verdict.message .. " " .. verdict.support_code)
    end
  end)

  Without secrets nothing is proven. Never ship a secret to those who could gain by it: whoever reads it can forge
  answers, and FiveM's escrow only hides it. Customers get a client that checks public keys, where there is one. ]]

local DAY = 86400

-- SHA-256 by plain arithmetic, which every Lua can do.

local function bitwise(of_bits)
  local nibbles = {}
  for a = 0, 15 do
    for b = 0, 15 do
      local found = 0
      for bit = 0, 3 do
        local x, y = math.floor(a / 2 ^ bit) % 2, math.floor(b / 2 ^ bit) % 2
        found = found + of_bits(x, y) * 2 ^ bit
      end
      nibbles[a * 16 + b] = found
    end
  end
  return function(a, b)
    local found, place = 0, 1
    for _ = 1, 8 do
      local x, y = a % 16, b % 16
      found = found + nibbles[x * 16 + y] * place
      a, b, place = (a - x) / 16, (b - y) / 16, place * 16
    end
    return found
  end
end

local band = bitwise(function(x, y) return x * y end)
local bxor = bitwise(function(x, y) return (x + y) % 2 end)

-- Lua 5.3 and later have operators for it, which older ones cannot even read.
local known, operators = pcall(load, "return function(a, b) return a & b end, function(a, b) return a ~ b end")
if known and operators then band, bxor = operators() end

local function rotate(word, count)
  local low = word % 2 ^ count
  return (word - low) / 2 ^ count + low * 2 ^ (32 - count)
end

local function shift(word, count) return math.floor(word / 2 ^ count) end

-- The algorithm's constants (FIPS 180-4, 4.2.2 and 5.3.3).
local ROUNDS = {
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
}
local START = {
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
}

local function word_bytes(word)
  return string.char(shift(word, 24), shift(word, 16) % 256, shift(word, 8) % 256, word % 256)
end

local function compress(state, block)
  local w = {}
  for i = 1, 16 do
    local b1, b2, b3, b4 = block:byte(i * 4 - 3, i * 4)
    w[i] = ((b1 * 256 + b2) * 256 + b3) * 256 + b4
  end
  for i = 17, 64 do
    local s0 = bxor(bxor(rotate(w[i - 15], 7), rotate(w[i - 15], 18)), shift(w[i - 15], 3))
    local s1 = bxor(bxor(rotate(w[i - 2], 17), rotate(w[i - 2], 19)), shift(w[i - 2], 10))
    w[i] = (w[i - 16] + s0 + w[i - 7] + s1) % 2 ^ 32
  end
  local a, b, c, d, e, f, g, h = state[1], state[2], state[3], state[4], state[5], state[6], state[7], state[8]
  for i = 1, 64 do
    local s1 = bxor(bxor(rotate(e, 6), rotate(e, 11)), rotate(e, 25))
    local choice = bxor(band(e, f), band(2 ^ 32 - 1 - e, g))
    local t1 = h + s1 + choice + ROUNDS[i] + w[i]
    local s0 = bxor(bxor(rotate(a, 2), rotate(a, 13)), rotate(a, 22))
    local majority = bxor(bxor(band(a, b), band(a, c)), band(b, c))
    a, b, c, d, e, f, g, h = (t1 + s0 + majority) % 2 ^ 32, a, b, c, (d + t1) % 2 ^ 32, e, f, g
  end
  for i, word in ipairs({ a, b, c, d, e, f, g, h }) do state[i] = (state[i] + word) % 2 ^ 32 end
end

local function sha256(text)
  local padded = text .. "\128" .. ("\0"):rep((55 - #text) % 64) .. "\0\0\0\0" .. word_bytes(#text * 8)
  local state, words = {}, {}
  for i = 1, 8 do state[i] = START[i] end
  for at = 1, #padded, 64 do compress(state, padded:sub(at, at + 63)) end
  for i = 1, 8 do words[i] = word_bytes(state[i]) end
  return table.concat(words)
end

local function hex(bytes)
  return (bytes:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
end

local function hmac(secret, text)
  if #secret > 64 then secret = sha256(secret) end
  local function masked(mask)
    local bytes = {}
    for i = 1, 64 do bytes[i] = string.char(bxor(secret:byte(i) or 0, mask)) end
    return table.concat(bytes)
  end
  return hex(sha256(masked(92) .. sha256(masked(54) .. text)))
end

-- An answer begins with `valid` and `status`; the last `signature` and the last `nonce` are its own, since inside
-- texts every quote has a backslash before it.

local function last_member(body, name)
  return body:match('.*,"' .. name .. '":"([0-9a-f]+)"')
end

local function read(body)
  local valid, status = body:match('^{"valid":(%l+),"status":"([%l_]+)"')
  if valid ~= "true" and valid ~= "false" then return nil end
  return {
    valid = valid == "true",
    status = status,
    nonce = last_member(body, "nonce") or "",
    message = body:match('.*,"message":"([^"\\]*)"'),
    support_code = body:match('.*,"support_code":"([^"\\]*)"'),
  }
end

local function quoted(text)
  return '"' .. text:gsub('[%c"\\]', function(c) return ("\\u%04x"):format(c:byte()) end) .. '"'
end

local function random_word()
  local file = io and io.open and io.open("/dev/urandom", "rb")
  local bytes = file and file:read(16)
  if file then file:close() end
  -- Without the system's random numbers: a nonce must not come twice, and need not be a secret.
  local chance = tostring({}) .. os.time() .. os.clock() .. math.random() .. math.random()
  return hex(sha256((bytes or "") .. chance)):sub(1, 32)
end

KeyPort = {} -- luacheck: ignore 111 (FiveM's scripts see each other through globals)
KeyPort.__index = KeyPort
KeyPort.hmac = hmac

function KeyPort.new(settings)
  local self = setmetatable({ wait_until = 0 }, KeyPort)
  for name, value in pairs(settings) do self[name] = value end
  self.secrets = self.secrets or {}
  -- One file for each product. Missing folders are made.
  self.memory = self.memory or "keyport-license-" .. hex(sha256(self.api_key)):sub(1, 12) .. ".txt"
  self.grace_hours = self.grace_hours or 72
  self.now = self.now or os.time
  return self
end

local function refusal(status, message)
  return { valid = false, status = status, message = message, support_code = "", from_memory = false, retry_after = 0,
    for_seller = "" }
end

-- Calls `done` with a verdict: valid, status, message, support_code, from_memory, retry_after, for_seller, body.
-- Status "unknown": the server could not be asked, or proved nothing. `for_seller`: what the seller should hear, such
-- as a refused question, no connection, no memory.
function KeyPort:check(license_key, done)
  local now = math.floor(self.now())
  if now < self.wait_until then return done(self:unknown(license_key, now, "the server asked to wait")) end
  local nonce = self:nonce_for(license_key, random_word())
  local members = { '{"license_key":' .. quoted(license_key), '"nonce":"' .. nonce .. '"' }
  if self.version then members[#members + 1] = '"version":' .. quoted(self.version) end
  if self.device_id then members[#members + 1] = '"device_id":' .. quoted(self.device_id) end
  local headers = { ["Authorization"] = "Bearer " .. self.api_key, ["Content-Type"] = "application/json" }
  local url = self.url:gsub("/+$", "") .. "/api/v1/validate"
  self.http(url, table.concat(members, ",") .. "}", headers, function(code, body, response_headers)
    local told = {}
    for name, value in pairs(response_headers or {}) do told[tostring(name):lower()] = value end
    local cause = not tonumber(code) and code and tostring(code) or "No answer came."
    done(self:judge(license_key, nonce, tonumber(code) or 0, body or "", told, now, cause))
  end)
end

function KeyPort:judge(license_key, nonce, code, body, told, now, cause)
  if code == 200 then
    local flaw = self:flaw(body, nonce)
    if flaw then return self:unknown(license_key, now, flaw) end
    return self:answered(body, told, now)
  end
  if code == 0 then return self:unknown(license_key, now, "no connection", nil, cause) end
  local why = ("the server answered %d"):format(code)
  if code == 401 then
    local for_seller = "This program's API key is refused: please tell the seller."
    return self:unknown(license_key, now, why, "invalid_api_key", for_seller)
  elseif code == 400 or code == 413 or code == 415 or code == 422 then
    local found = read(body)
    local for_seller = found and found.message or "The request was refused."
    return self:unknown(license_key, now, why, "invalid_request", for_seller)
  end
  local pause = tonumber(told["retry-after"])
  if pause and pause > 0 then self.wait_until = now + math.floor(math.min(pause, DAY)) end
  return self:unknown(license_key, now, why)
end

function KeyPort:answered(body, told, now)
  local found = read(body)
  local verdict = refusal(found.status, "")
  verdict.body = body
  if found.valid then
    verdict.valid = true
    verdict.for_seller = self:remember(body, now)
    return verdict
  end
  pcall(self.save, self, "")
  verdict.message = found.message or "The license is not valid: " .. found.status .. "."
  verdict.support_code = told["x-support-code"] or found.support_code or ""
  return verdict
end

-- A random word and, tied to it, the license: the answer to another license's question never fits.
function KeyPort:nonce_for(license_key, random)
  local tidied = license_key:gsub("[%s-]", ""):upper() -- however it was typed, it is the same license
  return random .. hex(sha256(random .. "\n" .. tidied .. "\n" .. (self.device_id or "")))
end

-- Why an answer proves nothing, or nil. That it is fresh shows in the nonce, not on the clock.
function KeyPort:flaw(body, nonce)
  if #self.secrets > 0 then
    local before, theirs, after = body:match('^(.*),"signature":"([0-9a-f]+)"(.*)$')
    if not before or not self:seal_fits(before .. after, theirs) then
      return "the answer's signature is wrong or missing"
    end
  end
  local found = read(body)
  if not found then return "the answer is not KeyPort's" end
  if found.nonce ~= nonce then return "the answer is to another question" end
end

function KeyPort:seal_fits(text, theirs)
  for _, secret in ipairs(self.secrets) do
    -- An empty secret, as a setting that was never made leaves it, is one that everybody knows.
    if #secret > 0 and hmac(secret, text) == theirs then return true end
  end
  return false
end

-- Memory: four lines, checked again whenever they are read. Bring load() and save(text) of your own where there is
-- no io library, for example with LoadResourceFile and SaveResourceFile; an error in them, or `false` and a reason
-- from save, is told to the seller, once, and locks nobody out.

function KeyPort:remember(body, now)
  local at = ("%d"):format(now)
  local seal = self.secrets[1] and hmac(self.secrets[1], at .. body) or ""
  local ran, kept, why = pcall(self.save, self, at .. "\n\n" .. seal .. "\n" .. body)
  if ran and kept ~= false or self.complained then return "" end
  self.complained = true
  return "The answer cannot be remembered: " .. tostring(ran and why or kept)
end

-- Lua makes no folders by itself: FiveM does, and elsewhere the system's own command.
local function make_folder_of(path)
  local folder = path:match("^(.+)[/\\][^/\\]*$")
  if not folder then return end
  if os.createdir then return os.createdir(folder) end
  if package.config:sub(1, 1) == "/" then
    return os.execute("mkdir -p -- '" .. folder:gsub("'", "'\\''") .. "' 2>/dev/null")
  end
  if not folder:find('["%%\n]') then return os.execute('mkdir "' .. folder:gsub("/", "\\") .. '" 2>nul') end
end

function KeyPort:save(text)
  local file, why = io.open(self.memory, "wb")
  if not file and #text > 0 then
    pcall(make_folder_of, self.memory)
    file, why = io.open(self.memory, "wb")
  end
  if not file then return false, why end
  file:write(text)
  file:close()
end

function KeyPort:load()
  local file = io.open(self.memory, "rb")
  local text = file and file:read("*a")
  if file then file:close() end
  return text
end

-- Lets the last good answer stand if there is a young one: what came instead says nothing that is proven.
function KeyPort:unknown(license_key, now, why, status, for_seller)
  local message = status and for_seller or "The license could not be checked: " .. why .. "."
  local verdict = refusal(status or "unknown", message)
  local body = self:recall(license_key, now)
  if body then
    verdict = refusal(read(body).status, "Not checked now: " .. why .. ".")
    verdict.valid, verdict.from_memory, verdict.body = true, true, body
  end
  verdict.retry_after, verdict.for_seller = math.max(0, self.wait_until - now), for_seller or ""
  return verdict
end

function KeyPort:recall(license_key, now)
  local ran, kept = pcall(self.load, self)
  local at, seal, body = (ran and kept or ""):match("^(%d+)\n[^\n]*\n([^\n]*)\n(.+)$")
  if not at then return nil end
  local age, grace = now - tonumber(at), self.grace_hours * 3600
  -- A clock that stands before the time in the file: wrong by a little, or set back to lengthen the grace.
  if age < -math.min(DAY, grace) or age >= grace then return nil end
  if #self.secrets > 0 and not self:seal_fits(at .. body, seal) then return nil end
  local found = read(body)
  if not found or not found.valid then return nil end
  return found.nonce == self:nonce_for(license_key, found.nonce:sub(1, 32)) and body or nil
end

return KeyPort
