#!lua
--[[ Adds tasks in order, then leases ready ones. Refused as a whole when the server is out of memory.
  KEYS  line back prio due alone state gone count leases buckets results producers
  ARGV  channel announce broker nonce tasks is_limited calls types items claims list...
  `is_limited`: "1" = made for a queue whose rate is limited: there is one call then.
  The list: for each call of a producer: producer, sequence, template. For each type: name, tasks.
  For each item, in order: "b", value, tasks; or "a", key, type, rank, delay, time, record. For each claim: sequence, tasks, bytes.
  Returns {"repeated", call, slot, ...}, having done nothing, when a call was made before; {"limited"}, having done nothing, when
  the rate is limited, but the call was not made for that; {"refused", ms to wait} or {"above"}, having done nothing, when the rate
  does not admit so many now, or ever; else {"added", or "charged" when the rate is limited; ids of the blocks and outcomes of the
  tasks alone, whether the line was empty, the grants of each claim...}. ]]
--- @include lib/claim
local at = ARGV.list
local calls = {}
local repeated = { "repeated" }
for i = 1, tonumber(ARGV.calls) do
  local key, slot = KEYS.producers .. ARGV[at], ARGV[at + 1] % 64
  local made = redis.call("HGET", key, slot)
  local prefix = ARGV[at + 1] .. "|"
  if made and string.sub(made, 1, #prefix) == prefix then
    repeated[#repeated + 1] = i
    repeated[#repeated + 1] = made
  end
  calls[i] = { key, slot, prefix .. ARGV[at + 2] .. "|" }
  at = at + 3
end
if #repeated > 1 then return repeated end

local counted = redis.call("HMGET", KEYS.count, "ready", "paused", "rate", "stale")
local rate = counted[3]
if rate then
  if ARGV.is_limited ~= "1" then return { "limited" } end
  --- @include lib/rate
  local kind, wait = charge(rate, tonumber(ARGV.tasks))
  if kind then return { kind, wait } end
end

for _ = 1, tonumber(ARGV.types) do
  count("type:" .. ARGV[at], ARGV[at + 1])
  at = at + 2
end

local was_empty = not counted[2] and not counted[4] and tonumber(counted[1] or 0) == 0
local ids, outcomes, fresh = {}, {}, {}
local alone

local function add_block(value, tasks)
  if alone then alone.flush() end
  local id = redis.call("XADD", KEYS.line, "*", "b", value)
  -- A key has room for a sequence below 2^20; it grows as long as the server's clock stands behind the last entry.
  if #id > 20 then redis.call("XSETID", KEYS.line, string.format("%.0f-0", string.match(id, "^%d+") + 1)) end
  ids[#ids + 1] = id
  own[id] = #ids
  fresh[#fresh + 1] = { id, { "b", value } }
  count("ready", tasks)
end

local function with_alone()
  if not alone then
    --- @include lib/add-alone
    alone = { add = add_alone, flush = flush_references }
    was_empty = false
  end
  return alone
end

for _ = 1, tonumber(ARGV.items) do
  if ARGV[at] == "b" then
    add_block(ARGV[at + 1], ARGV[at + 2])
    at = at + 3
  else
    outcomes[#outcomes + 1] = with_alone().add(unpack(ARGV, at + 1, at + 6))
    at = at + 7
  end
end
if alone then alone.flush() end

local answer = table.concat(ids, ",") .. "|" .. table.concat(outcomes, ",")
for _, call in ipairs(calls) do
  if redis.call("HSET", call[1], call[2], call[3] .. ARGV.nonce .. "|" .. answer) == 1 or call[2] % 16 == 0 then
    redis.call("PEXPIRE", call[1], 3600000)
  end
end

local reply = { rate and "charged" or "added", answer, 0 }
for i = 1, tonumber(ARGV.claims) do
  -- Only the first claim may take the fresh blocks as they are at hand; afterwards the cursor stands elsewhere.
  local sequence, tasks, bytes = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  reply[#reply + 1] = claim(tonumber(sequence), tonumber(tasks), tonumber(bytes), i == 1 and was_empty and fresh or nil)
  at = at + 3
end
reply[3] = write_counts()
return reply
