#!lua flags=no-writes
--[[ States and records of tasks alone, and blocks.
  KEYS  line alone state
  ARGV  keys list...
  The list: `keys` keys, then ids of blocks.
  Returns {state, record..., entries of the blocks...}; "" = nothing. ]]
local reply = {}
local upto = ARGV.list + ARGV.keys
for i = ARGV.list, #ARGV do
  if i < upto then
    reply[#reply + 1] = redis.call("HGET", KEYS.state, ARGV[i]) or ""
    reply[#reply + 1] = redis.call("HGET", KEYS.alone, ARGV[i]) or ""
  else
    local found = redis.call("XRANGE", KEYS.line, ARGV[i], ARGV[i])[1]
    reply[#reply + 1] = found and found[2][2] or ""
  end
end
return reply
