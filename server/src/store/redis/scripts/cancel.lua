#!lua flags=allow-oom
--[[ Cancels a task that waits: scheduled or ready, alone or in a block.
  KEYS  line back due alone state left gone count buckets results ended
  ARGV  channel announce now result_ttl result_span result_share max_results key block id nonce index time tail
  `block`, `id`, `nonce` and `index` are those of a key made by a store, else "". Its result is made of `time` and `tail`: the time,
  and its index, duration and failure, in msgpack.
  Returns {"done", whether someone waits for an end}; {"d"} when it is dead, {"a"} when it is active, and {"?"} when it is in no
  place where tasks wait. ]]
--- @include lib/clock
--- @include lib/counts
--- @include lib/record
--- @include lib/alone
--- @include lib/line-place
local counted = redis.call("HMGET", KEYS.count, "bucket", "completed", "discarded", "cancelled", "awaited", "cursor")

-- A record as `encodeResults` writes it, of an end without a lease: broker "", sequence 0, attempt, lost count, time, the attempts
-- before if there are any, and the rest.
local function result_of(attempt, lost, attempts)
  local head = "\160\0\206" .. attempt .. "\206" .. lost .. ARGV.time
  if attempts == "" then return "\152" .. head .. ARGV.tail end
  return "\153" .. head .. "\198" .. bytes_of(#attempts, 4) .. attempts .. ARGV.tail
end

local function done(was_ready)
  count("cancelled", 1)
  if was_ready then count("ready", -1) end
  write_records()
  write_counts()
  return { "done", tonumber(counted[5] or 0) > tonumber(ARGV.now) and 1 or 0 }
end

local function cancel_alone(state)
  local letter = string.sub(state, 1, 1)
  local record = redis.call("HGET", KEYS.alone, ARGV.key)
  if (letter ~= "s" and letter ~= "r") or not record then return { letter } end
  read_bucket(counted)
  local attempt, lost = alone_counts(record)
  record_alone(ARGV.key, result_of(attempt, lost, alone_attempts(record)))
  redis.call("HDEL", KEYS.alone, ARGV.key)
  redis.call("HDEL", KEYS.state, ARGV.key)
  if letter == "s" then
    redis.call("ZREM", KEYS.due, ARGV.key)
  else
    -- A claim is to pass over the place where it stands.
    redis.call("HSET", KEYS.count, "stale", now_ms())
  end
  return done(letter == "r")
end

local function cancel_in_block(index)
  local found = redis.call("XRANGE", KEYS.line, ARGV.id, ARGV.id)[1]
  if not found then return { "?" } end
  local flags, total = string.byte(found[2][2], 1, 2)
  if flags == 2 or string.sub(found[2][2], 3, 8) ~= ARGV.nonce or index >= total then return { "?" } end
  if not is_behind_cursor(counted[6] or "0-0", ARGV.id, index) and not has_come_back(ARGV.id, index) then return { "?" } end
  local is_gone, marks = marks_of(ARGV.id)
  if is_gone[index] then return { "?" } end
  read_bucket(counted)
  record(ARGV.block, 1, result_of("\0\0\0\1", "\0\0\0\0", ""))
  if redis.call("HINCRBY", KEYS.left, ARGV.id, 1) >= total then
    redis.call("HDEL", KEYS.left, ARGV.id)
    redis.call("HDEL", KEYS.gone, ARGV.id)
    redis.call("XDEL", KEYS.line, ARGV.id)
  else
    redis.call("HSET", KEYS.gone, ARGV.id, marks .. string.char(index))
  end
  return done(true)
end

local state = redis.call("HGET", KEYS.state, ARGV.key)
if state then return cancel_alone(state) end
if ARGV.id == "" then return { "?" } end
return cancel_in_block(tonumber(ARGV.index))
