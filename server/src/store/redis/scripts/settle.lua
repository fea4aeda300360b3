#!lua flags=allow-oom
--[[ Moves leased tasks on, then leases ready ones.
  KEYS  line cursor back prio due dead alone state left count leases buckets results waiters
  ARGV  channel announce broker result_ttl result_span result_share max_results entries claims list...
  The list: for each entry: where it is kept ("l" lease, "s" state), its field, what must stand there, what shall stand there
  ("" = nothing), the number of effects, and these:
    x id                    every task of the block has ended or left: delete it
    f id, n, total          n more tasks of the block ended or left; delete it after the last
    r field, n, bytes       n results
    e key                   a task alone has ended
    m id, index, key, meta, state, to, a, b
                            a task goes on, alone, with this meta data. `id` is the block that it leaves, "" if it was alone.
                            to: "s" scheduled (a = member of `due`, b = delay), "d" dead, "f" front of the line (a = rank)
    b item                  part of a block goes to the front of the line
    c name, n               count
  For each claim: sequence, tasks, bytes.
  Returns {whether the line was empty, whether someone waits for an end, {entries that did not match}, the grants of each claim...}. ]]
--- @include lib/clock
--- @include lib/counts
--- @include lib/line
--- @include lib/promote
--- @include lib/claim
--- @include lib/record
--- @include lib/alone
local at = ARGV.list
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

local function move(id, index, key, meta, state, to, a, b)
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
    redis.call("ZADD", KEYS.due, now_ms() + b, a)
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
  m = { 8, move },
  b = { 1, function(item) put_front(item, "") end },
  c = { 2, count },
}

local mismatched = {}
local has_ended = false
for i = 1, tonumber(ARGV.entries) do
  local kind, field, expected, following = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  local is_lease = kind == "l"
  local matches = redis.call("HGET", is_lease and KEYS.leases or KEYS.state, field) == expected
  if not matches then mismatched[#mismatched + 1] = i end
  local number = tonumber(ARGV[at + 4])
  at = at + 5
  for _ = 1, number do
    local effect = effects[ARGV[at]]
    if matches then effect[2](unpack(ARGV, at + 1, at + effect[1])) end
    at = at + effect[1] + 1
  end
  if matches and is_lease then
    if following == "" then
      redis.call("HDEL", KEYS.leases, field)
    else
      redis.call("HSET", KEYS.leases, field, following)
    end
  end
  has_ended = has_ended or matches
end
for i = 1, #finished_blocks, 1000 do
  redis.call("XDEL", KEYS.line, unpack(finished_blocks, i, math.min(i + 999, #finished_blocks)))
end
for i = 1, #ended, 1000 do
  local last = math.min(i + 999, #ended)
  redis.call("HDEL", KEYS.alone, unpack(ended, i, last))
  redis.call("HDEL", KEYS.state, unpack(ended, i, last))
end
write_front()

local reply = { 0, has_ended and redis.call("EXISTS", KEYS.waiters) or 0, mismatched }
for _ = 1, tonumber(ARGV.claims) do
  reply[#reply + 1] = claim(tonumber(ARGV[at]), tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]))
  at = at + 3
end
reply[1] = write_counts()
return reply
