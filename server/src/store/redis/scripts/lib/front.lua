--- @include lib/line
-- What comes back is put at the front of its line.
local front = {}

local function put_front(item, rank)
  front[#front + 1] = { item, rank }
end

-- Last first, so that those that came back together keep their order.
local function write_front()
  for i = #front, 1, -1 do
    local item, rank = front[i][1], front[i][2]
    if rank == "" then
      redis.call("LPUSH", KEYS.back, item)
    else
      add_ranked(string.sub(item, 3), rank, true)
    end
  end
  front = {}
end
