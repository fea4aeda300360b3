-- What stands in the leases that this call settles, as it has changed them so far. Read at once, and written at once.
local current = {}

-- The entries begin at `head`; each has five arguments, of which the second is the field.
local function read_leases(head, entries)
  local fields = {}
  for i = 0, entries - 1 do
    if ARGV[head + 5 * i] ~= "s" then fields[#fields + 1] = ARGV[head + 5 * i + 1] end
  end
  for first = 1, #fields, 2000 do
    local last = math.min(first + 1999, #fields)
    for i, lease in ipairs(redis.call("HMGET", KEYS.leases, unpack(fields, first, last))) do
      current[fields[first + i - 1]] = lease
    end
  end
end

local function write_leases()
  local kept, gone = {}, {}
  for field, lease in pairs(current) do
    if lease == "" then
      gone[#gone + 1] = field
    elseif lease then
      kept[#kept + 1] = field
      kept[#kept + 1] = lease
    end
  end
  for i = 1, #kept, 2000 do redis.call("HSET", KEYS.leases, unpack(kept, i, math.min(i + 1999, #kept))) end
  for i = 1, #gone, 2000 do redis.call("HDEL", KEYS.leases, unpack(gone, i, math.min(i + 1999, #gone))) end
end
