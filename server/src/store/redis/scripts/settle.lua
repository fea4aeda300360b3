#!lua flags=allow-oom
--[[ Moves leased tasks on, then leases ready ones.
  KEYS  line back prio due dead alone state left count leases buckets results
  ARGV  channel announce broker now result_ttl result_span result_share max_results entries claims list...
  The list: for each entry: where it is kept ("l" lease, "s" state), its field, what must stand there, what shall stand there
  ("" = nothing), the number of effects. Then the effects of all entries:
    x id                    every task of the block has ended or left: delete it
    f id, n, total          n more tasks of the block ended or left; delete it after the last
    r field, n, bytes       n results
    e key                   a task alone has ended
    m id, index, key, meta, state, to, a
                            a task goes on, alone, with this meta data. `id` is the block that it leaves, "" if it was alone.
                            to: "s" scheduled (a = delay), "d" dead, "f" front of the line (a = rank)
    b item                  part of a block goes to the front of the line
    c name, n               count
  For each claim: sequence, tasks, bytes.
  Returns {whether the line was empty, whether someone waits for an end, {entries that did not match}, the grants of each claim...}. ]]
--- @include lib/claim
--- @include lib/front
--- @include lib/record
--- @include lib/alone
local at
local finished_blocks, ended, bodies = {}, {}, {}

-- The body of one task of a block. The block is read once, its bodies found in one pass as far as needed.
local function block_body(id, index)
  local block = bodies[id]
  if not block then
    local found = redis.call("XRANGE", KEYS.line, id, id)[1]
    if not found then return nil end
    block = { entry = found[2][2], starts = { [0] = HEADER + 1 }, known = 0 }
    bodies[id] = block
  end
  while block.known < index do
    local _, after = body_at(block.entry, block.starts[block.known])
    block.known = block.known + 1
    block.starts[block.known] = after
  end
  local start, after = body_at(block.entry, block.starts[index])
  return string.sub(block.entry, start, after - 1)
end

local function move(id, index, key, meta, state, to, a)
  local body
  if id == "" then
    local record = redis.call("HGET", KEYS.alone, key)
    body = record and alone_body(record)
  else
    body = block_body(id, tonumber(index))
  end
  if not body then return end
  redis.call("HSET", KEYS.alone, key, alone_record(meta, body))
  redis.call("HSET", KEYS.state, key, state)
  if to == "s" then
    redis.call("ZADD", KEYS.due, now_ms() + a, key)
  elseif to == "d" then
    redis.call("ZADD", KEYS.dead, now_ms(), key)
  else
    put_front("a " .. key, a)
  end
end

local function finish(id, n, total)
  if redis.call("HINCRBY", KEYS.left, id, n) >= tonumber(total) then
    redis.call("HDEL", KEYS.left, id)
    finished_blocks[#finished_blocks + 1] = id
  end
end

-- Each has how many arguments it takes.
local effects = {
  x = { 1, function(id) finished_blocks[#finished_blocks + 1] = id end },
  f = { 3, finish },
  r = { 3, function(field, n, bytes) record(field, tonumber(n), bytes) end },
  e = { 1, function(key) ended[#ended + 1] = key end },
  m = { 7, move },
  b = { 1, function(item) put_front(item, "") end },
  c = { 2, count },
}

-- What stands in the leases now, as this call has changed it so far; written at the end.
local current = {}
local entries = tonumber(ARGV.entries)
local head = ARGV.list

local function read_leases()
  local fields = {}
  for i = 0, entries - 1 do
    if ARGV[head + 5 * i] == "l" then fields[#fields + 1] = ARGV[head + 5 * i + 1] end
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

local mismatched = {}
local is_awaited = 0
at = head + 5 * entries
if entries > 0 then
  read_leases()
  local counted = redis.call("HMGET", KEYS.count, "bucket", "completed", "discarded", "awaited")
  read_bucket(counted)
  if tonumber(counted[4] or 0) > tonumber(ARGV.now) then is_awaited = 1 end
end
for i = 1, entries do
  local kind, field, expected, following, effects_left = unpack(ARGV, head, head + 4)
  head = head + 5
  local matches
  if kind == "l" then
    matches = current[field] == expected
    if matches then current[field] = following end
  else
    matches = redis.call("HGET", KEYS.state, field) == expected
  end
  if not matches then mismatched[#mismatched + 1] = i end
  for _ = 1, effects_left do
    local effect = effects[ARGV[at]]
    if matches then effect[2](unpack(ARGV, at + 1, at + effect[1])) end
    at = at + effect[1] + 1
  end
end
write_leases()
for i = 1, #finished_blocks, 1000 do
  redis.call("XDEL", KEYS.line, unpack(finished_blocks, i, math.min(i + 999, #finished_blocks)))
end
for i = 1, #ended, 1000 do
  local last = math.min(i + 999, #ended)
  redis.call("HDEL", KEYS.alone, unpack(ended, i, last))
  redis.call("HDEL", KEYS.state, unpack(ended, i, last))
end
write_front()

local reply = { 0, is_awaited, mismatched }
for _ = 1, tonumber(ARGV.claims) do
  reply[#reply + 1] = claim(tonumber(ARGV[at]), tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]))
  at = at + 3
end
reply[1] = write_counts()
return reply
