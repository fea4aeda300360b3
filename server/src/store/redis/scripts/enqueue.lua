#!lua
--[[ Adds tasks in order, then leases ready ones. Refused as a whole when the server is out of memory.
  KEYS  line back prio due alone state count leases buckets results producers
  ARGV  channel announce broker nonce calls types items claims list...
  The list: for each call of a producer: producer, sequence, template. For each type: name, tasks.
  For each item, in order: "b", value, tasks; or "a", key, type, rank, delay, time, record. For each claim: sequence, tasks, bytes.
  Returns {"repeated", call, slot, ...}, having done nothing, when a call was made before; else
  {"added", ids of the blocks and outcomes of the tasks alone, whether the line was empty, the grants of each claim...}. ]]
--- @include lib/claim
--- @include lib/results
--- @include lib/alone
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

for _ = 1, tonumber(ARGV.types) do
  count("type:" .. ARGV[at], ARGV[at + 1])
  at = at + 2
end

local was_empty = ARGV.claims ~= "0" and tonumber(redis.call("HGET", KEYS.count, "ready") or 0) == 0
local ids, outcomes, fresh, references = {}, {}, {}, {}

local function add_block(value, tasks)
  if #references > 0 then
    add_references(references)
    references, was_empty = {}, false
  end
  local id = redis.call("XADD", KEYS.line, "*", "b", value)
  ids[#ids + 1] = id
  own[id] = #ids
  fresh[#fresh + 1] = { id, { "b", value } }
  count("ready", tasks)
end

-- What is known of a task with this key: its state, or "?" when it has ended.
local function existing(key)
  local state = redis.call("HGET", KEYS.state, key)
  if state then
    local letter = string.sub(state, 1, 1)
    return letter .. (letter == "s" and (redis.call("ZSCORE", KEYS.due, key) or "") or "")
  end
  if #find_results(key, key) > 0 then return "?" end
end

local function add_alone(key, type, rank, delay, time, record)
  local state = string.byte(key) == 61 and existing(key)
  if state then return "e" .. state end
  local run_at = tonumber(time)
  if run_at == 0 and delay ~= "0" then run_at = now_ms() + delay end
  redis.call("HSET", KEYS.alone, key, record)
  count("type:" .. type, 1)
  if run_at > 0 and run_at > now_ms() then
    redis.call("HSET", KEYS.state, key, rank == "" and "s-" or "s-|" .. rank)
    redis.call("ZADD", KEYS.due, run_at, key)
    count("delayed", 1)
    return string.format("c%.0f", run_at)
  end
  redis.call("HSET", KEYS.state, key, "r-")
  count("ready", 1)
  was_empty = false
  if rank == "" then references[#references + 1] = key else add_ranked(key, rank, false) end
  return "c0"
end

for _ = 1, tonumber(ARGV.items) do
  if ARGV[at] == "b" then
    add_block(ARGV[at + 1], ARGV[at + 2])
    at = at + 3
  else
    outcomes[#outcomes + 1] = add_alone(unpack(ARGV, at + 1, at + 6))
    at = at + 7
  end
end
if #references > 0 then add_references(references) end

local answer = table.concat(ids, ",") .. "|" .. table.concat(outcomes, ",")
for _, call in ipairs(calls) do
  if redis.call("HSET", call[1], call[2], call[3] .. ARGV.nonce .. "|" .. answer) == 1 or call[2] % 16 == 0 then
    redis.call("PEXPIRE", call[1], 3600000)
  end
end

local reply = { "added", answer, 0 }
for i = 1, tonumber(ARGV.claims) do
  -- Only the first claim may take the fresh blocks as they are at hand; afterwards the cursor stands elsewhere.
  local sequence, tasks, bytes = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  reply[#reply + 1] = claim(tonumber(sequence), tonumber(tasks), tonumber(bytes), i == 1 and was_empty and fresh or nil)
  at = at + 3
end
reply[3] = write_counts()
return reply
