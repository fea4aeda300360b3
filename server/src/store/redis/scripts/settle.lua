#!lua flags=allow-oom
--[[ Moves leased tasks on, then leases ready ones.
  KEYS  line back prio due dead alone state left gone count groups grouped leases buckets results ended
  ARGV  channel announce broker now result_ttl result_span result_share max_results max_dead entries claims list...
  The list: for each entry: where it is kept ("l" lease, "s" state), its field, what must stand there, what shall stand there
  ("" = nothing), the number of effects; or, for a task alone that is completed: "a", field of its lease, what must stand there,
  its result, 0. Then the effects of all entries:
    x id                    every task of the block has ended or left: delete it
    f id, n, total          n more tasks of the block ended or left; delete it after the last
    r field, n, bytes       n results
    e key                   a task alone has ended
    m id, index, key, meta, state, to, a
                            a task goes on, alone, with this meta data. `id` is the block that it leaves, "" if it was alone.
                            to: "s" scheduled (a = delay), "d" dead (a = time, group of failures, what it is), "f" front of
                            the line (a = rank)
    b item                  part of a block goes to the front of the line
    c name, n               count
    t text                  tell all brokers
  For each claim: sequence, tasks, bytes.
  Returns {whether the line was empty, whether someone waits for an end, {entries that did not match}, the grants of each claim...}. ]]
--- @include lib/claim
--- @include lib/record
--- @include lib/leases
local at
local finished_blocks, ended = {}, {}

local moves
local function with_moves()
  if not moves then
    --- @include lib/move
    moves = { move = move, put_front = put_front, write_moves = write_moves }
  end
  return moves
end

local function finish(id, n, total)
  if redis.call("HINCRBY", KEYS.left, id, n) >= tonumber(total) then
    redis.call("HDEL", KEYS.left, id)
    -- Tasks that were cancelled in the line may be all that was left.
    redis.call("HDEL", KEYS.gone, id)
    finished_blocks[#finished_blocks + 1] = id
  end
end

local ARGUMENTS = { x = 1, f = 3, r = 3, e = 1, m = 7, b = 1, c = 2, t = 1 }

local function apply(kind, a, b, c, d, e, f, g)
  if kind == "x" then
    finished_blocks[#finished_blocks + 1] = a
  elseif kind == "r" then
    record(a, tonumber(b), c)
  elseif kind == "c" then
    count(a, b)
  elseif kind == "f" then
    finish(a, b, c)
  elseif kind == "e" then
    ended[#ended + 1] = a
  elseif kind == "b" then
    with_moves().put_front(a, "")
  elseif kind == "m" then
    with_moves().move(a, b, c, d, e, f, g)
  elseif kind == "t" then
    redis.call("PUBLISH", ARGV.channel, a)
  end
end

-- `lease` is "a" and the key.
local function complete_alone(field, lease, result)
  current[field] = ""
  local key = string.sub(lease, 3)
  ended[#ended + 1] = key
  record_alone(key, result)
  count("completed", 1)
end

local entries = tonumber(ARGV.entries)
local head = ARGV.list
local mismatched = {}
local is_awaited = 0
at = head + 5 * entries
if entries > 0 then
  read_leases(head, entries)
  local counted = redis.call("HMGET", KEYS.count, "bucket", "completed", "discarded", "cancelled", "awaited")
  read_bucket(counted)
  if tonumber(counted[5] or 0) > tonumber(ARGV.now) then is_awaited = 1 end
end
for i = 1, entries do
  local kind, field, expected, following, effects_left = unpack(ARGV, head, head + 4)
  head = head + 5
  local matches
  if kind == "a" then
    matches = current[field] == expected
    if matches then complete_alone(field, expected, following) end
  elseif kind == "l" then
    matches = current[field] == expected
    if matches then current[field] = following end
  else
    -- A state that must match is that of a task which ends: it is gone at once, for the entries that follow.
    matches = redis.call("HGET", KEYS.state, field) == expected
    if matches then redis.call("HDEL", KEYS.state, field) end
  end
  if not matches then mismatched[#mismatched + 1] = i end
  for _ = 1, effects_left do
    local after = at + ARGUMENTS[ARGV[at]] + 1
    if matches then apply(unpack(ARGV, at, after - 1)) end
    at = after
  end
end
write_leases()
write_records()
for i = 1, #finished_blocks, 1000 do
  redis.call("XDEL", KEYS.line, unpack(finished_blocks, i, math.min(i + 999, #finished_blocks)))
end
for i = 1, #ended, 1000 do
  local last = math.min(i + 999, #ended)
  redis.call("HDEL", KEYS.alone, unpack(ended, i, last))
  redis.call("HDEL", KEYS.state, unpack(ended, i, last))
end
if moves then moves.write_moves() end

local reply = { 0, is_awaited, mismatched }
for _ = 1, tonumber(ARGV.claims) do
  reply[#reply + 1] = claim(tonumber(ARGV[at]), tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]))
  at = at + 3
end
reply[1] = write_counts()
return reply
