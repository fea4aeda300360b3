--- @include lib/clock
-- The limit of a queue's rate, "<tasks a second>:<burst>". What is used of the burst is counted in tasks, as of a time:
-- "<used>:<ms>". It is the generic cell rate algorithm in numbers that do not round, as times near the present would.
local TINY = 0.000001 -- far below one task, far above what rounding adds up to

-- Charges for `n` tasks. Or returns why not, and for how many ms.
local function charge(limit, n)
  local per_second, burst = string.match(limit, "^(%S+):(%S+)$")
  per_second, burst = tonumber(per_second), tonumber(burst)
  if n > burst then return "above", 0 end
  local used, at = string.match(redis.call("HGET", KEYS.count, "used") or "0:0", "^(%S+):(%S+)$")
  local now = now_ms()
  -- A clock that was set back gives nothing back.
  local earned = math.max(0, now - at) * per_second / 1000
  used = math.max(0, used - earned) + n
  if used > burst + TINY then return "refused", math.ceil((used - burst) * 1000 / per_second) end
  redis.call("HSET", KEYS.count, "used", string.format("%.17g:%.0f", used, now))
end
