--- @include lib/clock
--- @include lib/front
--- @include lib/alone
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
    redis.call("ZADD", KEYS.dead, now_ms(), key)
  else
    put_front("a " .. key, a)
  end
end

