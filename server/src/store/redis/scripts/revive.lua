#!lua flags=allow-oom
--[[ Makes dead tasks ready, at the end of the line of their priority, in the order given.
  KEYS  line prio dead alone state count groups grouped
  ARGV  channel announce list...
  The list: keys.
  Returns {whether the line was empty, for each key the letter of the state that it was in, or "?"...}: "d" = it was revived. ]]
--- @include lib/clock
--- @include lib/counts
--- @include lib/line
--- @include lib/alone
--- @include lib/groups
local reply, references = { 0 }, {}
local now = now_ms()
for i = ARGV.list, #ARGV do
  local key = ARGV[i]
  local state = redis.call("HGET", KEYS.state, key)
  local letter = state and string.sub(state, 1, 1) or "?"
  reply[#reply + 1] = letter
  if letter == "d" then
    leave_group(key, tonumber(redis.call("ZSCORE", KEYS.dead, key)), state)
    redis.call("ZREM", KEYS.dead, key)
    redis.call("HSET", KEYS.alone, key, renewed(redis.call("HGET", KEYS.alone, key), now))
    redis.call("HSET", KEYS.state, key, "r-")
    local rank = string.match(state, "|([^~]+)")
    if rank then add_ranked(key, rank, false) else references[#references + 1] = key end
    count("ready", 1)
    count("revived", 1)
  end
end
add_references(references)
reply[1] = write_counts()
return reply
