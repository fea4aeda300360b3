#!lua flags=allow-oom
--[[ Deletes dead tasks.
  KEYS  dead alone state count groups grouped
  ARGV  list...
  The list: keys.
  Returns for each key the letter of the state that it was in, or "?": "d" = it was deleted. ]]
--- @include lib/drop-dead
--- @include lib/dead-of
local letters, keys, _, died_at = dead_of(ARGV.list, "?")
local found = {}
for i, key in ipairs(keys) do
  found[#found + 1] = key
  found[#found + 1] = died_at[i]
end
local deleted = drop_dead(found)
write_groups()
if deleted > 0 then redis.call("HINCRBY", KEYS.count, "deleted", deleted) end
return letters
