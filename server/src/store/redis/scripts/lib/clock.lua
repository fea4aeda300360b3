-- The store's time in ms: the same for the whole script.
local started_at
local function now_ms()
  if not started_at then
    local time = redis.call("TIME")
    started_at = time[1] * 1000 + math.floor(time[2] / 1000)
  end
  return started_at
end
