--- @include lib/clock
--- @include lib/front
--- @include lib/alone
--- @include lib/drop-dead
-- Tasks that go on after their lease, alone.
local blocks = {}

-- The body of one task of a block, after its length. The block is read once, its bodies found in one pass as far as needed.
local function block_body(id, index)
  local block = blocks[id]
  if not block then
    local found = redis.call("XRANGE", KEYS.line, id, id)[1]
    if not found then return nil end
    block = { entry = found[2][2], starts = { [0] = HEADER + 1 }, known = 0 }
    blocks[id] = block
  end
  while block.known < index do
    local _, after = body_at(block.entry, block.starts[block.known])
    block.known = block.known + 1
    block.starts[block.known] = after
  end
  local _, after = body_at(block.entry, block.starts[index])
  return string.sub(block.entry, block.starts[index], after - 1)
end

local has_buried

local function bury(key, died_at, group, what, state)
  has_buried = true
  redis.call("ZADD", KEYS.dead, died_at, key)
  redis.call("HSET", KEYS.state, key, state .. enter_group(key, died_at, group, what))
end

local function move(id, index, key, meta, state, to, a)
  local body
  if id == "" then
    local record = redis.call("HGET", KEYS.alone, key)
    body = record and string.sub(record, alone_bodies_at(record))
  else
    body = block_body(id, tonumber(index))
  end
  if not body then return end
  redis.call("HSET", KEYS.alone, key, meta .. body)
  redis.call("HSET", KEYS.state, key, state)
  if to == "s" then
    redis.call("ZADD", KEYS.due, now_ms() + a, key)
  elseif to == "d" then
    local died_at, group, what = string.match(a, "^(%S+) (%S+) (.*)$")
    bury(key, died_at, group, what, state)
  else
    put_front("a " .. key, a)
  end
end

-- The oldest of the dead make room.
local function write_moves()
  write_front()
  if not has_buried then return end
  local over = redis.call("ZCARD", KEYS.dead) - ARGV.max_dead
  -- More than that only when fewer are to be kept than before: then the rest goes when what is old is dropped.
  if over > 0 then count("dropped", drop_dead(redis.call("ZRANGE", KEYS.dead, 0, math.min(over, 4000) - 1, "WITHSCORES"))) end
  write_groups()
end
