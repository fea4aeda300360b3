-- Counts are gathered while the script runs and written once, at its end.
local counts = {}

local function count(name, n)
  counts[name] = (counts[name] or 0) + n
end

-- Returns 1, and tells all brokers, when the line went from empty to not empty.
local function write_counts()
  local woke = 0
  for name, n in pairs(counts) do
    if n ~= 0 then
      local total = redis.call("HINCRBY", KEYS.count, name, n)
      if name == "ready" and n > 0 and total <= n then woke = 1 end
    end
  end
  if woke == 1 then redis.call("PUBLISH", ARGV.channel, ARGV.announce) end
  return woke
end
