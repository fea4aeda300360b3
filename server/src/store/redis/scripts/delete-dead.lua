#!lua flags=allow-oom
--[[ Deletes dead tasks.
  KEYS  dead alone state count groups grouped
  ARGV  list...
  The list: keys.
  Returns for each key the letter of the state that it was in, or "?": "d" = it was deleted. ]]
--- @include lib/groups
local reply, deleted = {}, 0
for i = ARGV.list, #ARGV do
  local key = ARGV[i]
  local state = redis.call("HGET", KEYS.state, key)
  local letter = state and string.sub(state, 1, 1) or "?"
  reply[#reply + 1] = letter
  if letter == "d" then
    leave_group(key, tonumber(redis.call("ZSCORE", KEYS.dead, key)), state)
    redis.call("ZREM", KEYS.dead, key)
    redis.call("HDEL", KEYS.alone, key)
    redis.call("HDEL", KEYS.state, key)
    deleted = deleted + 1
  end
end
if deleted > 0 then redis.call("HINCRBY", KEYS.count, "deleted", deleted) end
return reply
