-- Posts contacts, each with a number of its own.
dofile((debug.getinfo(1).source:sub(2):match("(.*/)") or "") .. "report.lua")

local threads = 0
setup = function(thread)
  thread:set("place", threads)
  threads = threads + 1
end

local number = 0
request = function()
  number = number + 1
  local headers = {["Content-Type"] = "application/json", ["Authorization"] = wrk.headers["Authorization"]}
  local phone = string.format("+1650%d%06d", 2 + place, number)
  return wrk.format("POST", nil, headers, '{"phone": "' .. phone .. '", "firstName": "Ada", "lastName": "Lovelace"}')
end
