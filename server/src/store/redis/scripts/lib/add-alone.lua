--- @include lib/clock
--- @include lib/line
--- @include lib/results
-- Adds a task that is stored by itself, unless its caller's key is taken.
local references = {}

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
  if rank == "" then references[#references + 1] = key else add_ranked(key, rank, false) end
  return "c0"
end

-- What is ready with priority 0 stands in the line as a list of references.
local function flush_references()
  if #references > 0 then add_references(references) end
  references = {}
end
