#!lua flags=no-writes
--[[ What is known of leases and of tasks under them, for a broker that does not hold them in memory.
  KEYS  line alone state leases buckets results
  ARGV  list...
  The list: for each task: sequence of the lease, block (a task alone: its key), key of the task, stream id of the block ("" = alone).
  Returns for each: lease, state, record, {results, newest first}, entry of the block; "" = nothing. ]]
--- @include lib/results
local reply = {}
for at = ARGV.list, #ARGV, 4 do
  local sequence, block, key, id = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  local lease = redis.call("HGET", KEYS.leases, sequence) or ""
  local entry = lease ~= "" and id ~= "" and redis.call("XRANGE", KEYS.line, id, id)[1]
  reply[#reply + 1] = lease
  reply[#reply + 1] = redis.call("HGET", KEYS.state, key) or ""
  reply[#reply + 1] = redis.call("HGET", KEYS.alone, key) or ""
  reply[#reply + 1] = find_results(block, key)
  reply[#reply + 1] = entry and entry[2][2] or ""
end
return reply
