-- Walks of sorted sets from the end, that go on behind a member which may have left since.

-- Bytes, not letters: what `<` means depends on the server's locale.
local function is_before(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then return x < y end
  end
  return #a < #b
end

-- How many stand behind, or at, this place of a sorted set.
local function rank_after(set, score, member)
  local low = redis.call("ZCOUNT", set, "(" .. score, "+inf")
  local high = low + redis.call("ZCOUNT", set, score, score)
  while low < high do
    local middle = math.floor((low + high) / 2)
    if is_before(redis.call("ZREVRANGE", set, middle, middle)[1], member) then high = middle else low = middle + 1 end
  end
  return low
end

-- Walks by rank, as long as scores are above `floor`.
local function by_rank(set, rank, floor)
  return function(max)
    local found = redis.call("ZREVRANGE", set, rank, rank + max - 1, "WITHSCORES")
    rank = rank + #found / 2
    for i = 2, #found, 2 do
      if tonumber(found[i]) <= floor then return { unpack(found, 1, i - 2) } end
    end
    return found
  end
end

local function by_group(group, score, member)
  local max_member = score == "" and "(" .. group .. "~" or "(" .. group .. string.format("%015.0f", score) .. member
  return function(max)
    local members = redis.call("ZREVRANGEBYLEX", KEYS.grouped, max_member, "[" .. group, "LIMIT", 0, max)
    local found = {}
    for _, one in ipairs(members) do
      found[#found + 1] = one
      found[#found + 1] = string.format("%.0f", string.sub(one, 9, 23))
      max_member = "(" .. one
    end
    return found
  end
end

-- Returns a function that gives the next members with their scores.
local function portions(which, group, score, member)
  if which == "group" then return by_group(group, score, member) end
  local set = which == "due" and KEYS.due or which == "dead" and KEYS.dead or KEYS.prio
  local start = which == "high" and redis.call("ZCOUNT", set, "0", "+inf") or 0
  if score ~= "" then start = rank_after(set, score, member) end
  return by_rank(set, start, which == "low" and 0 or -math.huge)
end
