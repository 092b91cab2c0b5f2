/**
 * The scripts that Redis runs on the posts of a menu, each in one atomic step. All keys of a menu are in one
 * slot: `last`, the newest id · `posts`, a hash of lines by id · `all`, a sorted set of ids · `in:<channel>`,
 * the same for a channel · `by:<user>`, the ids that count for the limit of a person · `asked:<user>`, the
 * requests that were carried out.
 *
 * An id is the time in µs at which Redis took the post, or one more than the one before. So ids rise also
 * where Redis lost its data meanwhile, and what has expired is told by its id.
 */
import { defineScript } from '../redis/store.ts';

/** Expired posts that one publish removes at most; the others wait for the next ones. */
const removedMax = 200;
/** Requests of one person that are remembered at most, and for how long, in ms. */
const requestsMax = 256;
const requestMs = 86_400_000;

const clock = `
local function digits(number) return string.format('%.0f', number) end
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
`;

/**
 * KEYS: last, posts, all, by:<user>, asked:<user>, then those of channels.
 * ARGV: name of the request, posts of a person, their period in ms, lifetime in ms, posts of the menu; then
 * for each post its line without the date, the number of its channels, and for each of them the index of its
 * key.
 * Returns `ok`, the id before, the date and the ids; `known` and one text of the same; `limit`, how many are
 * left and the waiting time in ms; or `full`.
 */
export const publishScript = defineScript(`${clock}
if ARGV[1] ~= '' then
  local known = redis.call('HGET', KEYS[5], ARGV[1])
  if known then return {'known', known} end
end
local items, at = {}, 6
while at <= #ARGV do
  local channels = {}
  for index = 1, tonumber(ARGV[at + 1]) do channels[index] = KEYS[tonumber(ARGV[at + 1 + index])] end
  items[#items + 1] = {ARGV[at], channels}
  at = at + 2 + #channels
end

local allowed, periodMs, lifetimeMs = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local since = '(' .. digits(now - periodMs * 1000)
local left = math.max(0, allowed - redis.call('ZCOUNT', KEYS[4], since, '+inf'))
if #items > left then
  local waitMs = periodMs
  if #items <= allowed then
    local first = redis.call('ZRANGEBYSCORE', KEYS[4], since, '+inf', 'LIMIT', #items - left - 1, 1)[1]
    waitMs = math.ceil((tonumber(first) - now) / 1000) + periodMs
  end
  return {'limit', left, waitMs}
end
local expired = digits(now - lifetimeMs * 1000)
local stored = redis.call('ZCOUNT', KEYS[3], '(' .. expired, '+inf')
if stored + #items > tonumber(ARGV[5]) then return {'full'} end

local last = tonumber(redis.call('GET', KEYS[1]) or '0')
local date = digits(math.floor(now / 1000))
local reply = {'ok', digits(last), date}
for index, item in ipairs(items) do
  last = math.max(last + 1, now)
  local id = digits(last)
  reply[3 + index] = id
  redis.call('HSET', KEYS[2], id, date .. ' ' .. item[1])
  redis.call('ZADD', KEYS[3], id, id)
  redis.call('ZADD', KEYS[4], id, id)
  for _, channel in ipairs(item[2]) do
    redis.call('ZREMRANGEBYSCORE', channel, '-inf', expired)
    redis.call('ZADD', channel, id, id)
    redis.call('PEXPIRE', channel, lifetimeMs)
  end
end
redis.call('SET', KEYS[1], digits(last))
redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', digits(now - periodMs * 1000))
redis.call('PEXPIRE', KEYS[4], periodMs)
if ARGV[1] ~= '' then
  if redis.call('HLEN', KEYS[5]) >= ${requestsMax} then redis.call('DEL', KEYS[5]) end
  redis.call('HSET', KEYS[5], ARGV[1], table.concat(reply, ' ', 2))
  redis.call('PEXPIRE', KEYS[5], ${requestMs})
end
local old = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', expired, 'LIMIT', 0, ${removedMax})
if #old > 0 then
  redis.call('HDEL', KEYS[2], unpack(old))
  redis.call('ZREM', KEYS[3], unpack(old))
end
return reply
`);

/** KEYS: posts, all, then those of its channels. ARGV: id, author. Returns 1 where it was deleted. */
export const deleteScript = defineScript(`
local line = redis.call('HGET', KEYS[1], ARGV[1])
if not line or string.match(line, '^%d+ (%S+) ') ~= ARGV[2] then return 0 end
redis.call('HDEL', KEYS[1], ARGV[1])
for index = 2, #KEYS do redis.call('ZREM', KEYS[index], ARGV[1]) end
return 1
`);

/**
 * KEYS: posts, then those of channels. ARGV: after, up to, limit, lifetime in ms.
 * Each channel gives a few of its newest ids. Below the oldest of those of which it has more, others may be
 * missing: they are left to the next page, so that no look costs more than a few ids for each channel.
 * Returns up to which id to look next, or 0, and then id and line of each post.
 */
export const newestScript = defineScript(`${clock}
local limit = tonumber(ARGV[3])
local after = '(' .. digits(math.max(tonumber(ARGV[1]), now - tonumber(ARGV[4]) * 1000))
local each = math.max(8, math.ceil(2 * limit / (#KEYS - 1)))
local floor, seen, ids = 0, {}, {}
for index = 2, #KEYS do
  local found = redis.call('ZREVRANGEBYSCORE', KEYS[index], ARGV[2], after, 'LIMIT', 0, each)
  if #found == each then floor = math.max(floor, tonumber(found[each])) end
  for _, id in ipairs(found) do
    if not seen[id] then
      seen[id] = true
      ids[#ids + 1] = tonumber(id)
    end
  end
end
table.sort(ids, function(one, other) return one > other end)
local reply = {'0'}
for index, id in ipairs(ids) do
  if index > limit or id < floor then
    reply[1] = digits(ids[index - 1] - 1)
    return reply
  end
  local line = redis.call('HGET', KEYS[1], digits(id))
  if line then
    reply[#reply + 1] = digits(id)
    reply[#reply + 1] = line
  end
end
if floor > 0 then reply[1] = digits(ids[#ids] - 1) end
return reply
`);

/**
 * KEYS: posts, all, last. ARGV: after, limit, lifetime in ms.
 * Returns 1 where these are all, the id up to which it looked, and then id and line of each post.
 */
export const followingScript = defineScript(`${clock}
local limit = tonumber(ARGV[2])
local after = digits(math.max(tonumber(ARGV[1]), now - tonumber(ARGV[3]) * 1000))
local ids = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. after, '+inf', 'LIMIT', 0, limit)
local reply = {0, ids[#ids]}
if #ids < limit then
  local last = redis.call('GET', KEYS[3]) or '0'
  reply = {1, digits(math.max(tonumber(last), tonumber(ARGV[1])))}
end
for _, id in ipairs(ids) do
  local line = redis.call('HGET', KEYS[1], id)
  if line then
    reply[#reply + 1] = id
    reply[#reply + 1] = line
  end
end
return reply
`);
