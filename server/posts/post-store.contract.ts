/** The guarantees of every store of posts, as one suite; each implementation's test runs it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PostContent } from '#protocol';
import { encodeNewPost, headOf, type NewPost, type StoredPost } from './post-record.ts';
import type { PostStore, PostStoreLimits, Published } from './post-store.ts';

type StoreUnderTest = {
  readonly name: string;
  /** Two processes' views of one store, which is empty. */
  create(limits: PostStoreLimits): readonly [PostStore, PostStore];
};

const everMs = 3_600_000;
const plenty = {
  postsPerPersonMax: 10_000,
  postPeriodMs: everMs,
  postLifetimeMs: everMs,
  postsPerMenuMax: 10_000,
};
const everything = { after: 0, upTo: Number.MAX_SAFE_INTEGER };

const postTo = (channels: readonly string[], body = 'b', author = 'eve'): NewPost =>
  encodeNewPost('cars', author, [...channels], { to: [[0]], body });
const requestOf = (posts: readonly NewPost[], id = '', author = 'eve') => ({ id, author, posts });
const idsOf = (posts: readonly StoredPost[]) => posts.map(({ id }) => id);
const bodyOf = ({ line }: StoredPost) => (JSON.parse(headOf(line).json) as PostContent).body;

/** Publishes posts that must be taken. */
async function published(
  store: PostStore,
  posts: readonly NewPost[],
  menu = 'cars',
  id = '',
): Promise<Published> {
  const outcome = await store.publish(menu, requestOf(posts, id, posts[0]!.author));
  assert.equal(outcome.result, 'ok');
  return outcome as Published;
}

/** All that `newest` gives, page by page. */
async function allNewest(store: PostStore, channels: readonly string[], limit: number, range = everything) {
  const posts: StoredPost[] = [];
  let upTo: number | undefined = range.upTo;
  for (let pages = 0; upTo !== undefined; pages++) {
    assert.ok(pages < 1_000, 'the pages end');
    const page = await store.newest('cars', channels, { after: range.after, upTo, limit });
    assert.ok(page.posts.length <= limit);
    posts.push(...page.posts);
    upTo = page.upTo;
  }
  return posts;
}

/** All that `following` gives, page by page. */
async function allFollowing(store: PostStore, after: number, limit: number) {
  const posts: StoredPost[] = [];
  for (let from = after; ; ) {
    const page = await store.following('cars', from, limit);
    posts.push(...page.posts);
    assert.ok(page.upTo >= from);
    from = page.upTo;
    if (page.ended) return { posts, upTo: from };
  }
}

/** Runs the suite against one implementation. */
export function postStoreContract(subject: StoreUnderTest): void {
  describe(`the contract of a post store: ${subject.name}`, () => {
    testIds(subject);
    testReads(subject);
    testLimits(subject);
    testEnds(subject);
  });
}

function testIds({ create }: StoreUnderTest): void {
  it('gives ids that rise, whoever publishes, and names the one before', async () => {
    const [one, other] = create(plenty);
    assert.equal(await one.last('cars'), 0);
    const first = await published(one, [postTo(['a']), postTo(['b'])]);
    assert.equal(first.before, 0);
    assert.ok(first.isNew && Math.abs(first.date - Date.now()) < 60_000);
    const second = await published(other, [postTo(['a'])]);
    assert.equal(second.before, first.ids[1]);
    const ids = [...first.ids, ...second.ids];
    assert.deepEqual(
      ids,
      [...ids].sort((x, y) => x - y),
    );
    assert.equal(new Set(ids).size, 3);
    assert.ok(ids.every(Number.isSafeInteger));
    assert.equal(await one.last('cars'), ids.at(-1));
  });

  it('numbers many that come at once without a hole in what each names as before', async () => {
    const [one, other] = create(plenty);
    const outcomes = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        published(index % 2 ? one : other, [postTo(['a'], `${index}`)]),
      ),
    );
    const sorted = outcomes.toSorted((x, y) => x.before - y.before);
    for (const [index, { before }] of sorted.entries())
      assert.equal(before, index === 0 ? 0 : sorted[index - 1]!.ids[0]);
    assert.equal((await allFollowing(one, 0, 7)).posts.length, 100);
  });

  it('keeps menus apart', async () => {
    const [store] = create(plenty);
    await published(store, [postTo(['a'])], 'cars');
    assert.equal(await store.last('housing'), 0);
    assert.deepEqual((await store.following('housing', 0, 10)).posts, []);
    assert.equal((await published(store, [postTo(['a'])], 'housing')).before, 0);
  });

  it('stores a request that comes again under its name once, and another one of the same name of somebody else', async () => {
    const [one, other] = create(plenty);
    const first = await published(one, [postTo(['a'], '1'), postTo(['a'], '2')], 'cars', 'r1');
    const again = await published(other, [postTo(['a'], '1'), postTo(['a'], '2')], 'cars', 'r1');
    assert.deepEqual(again, { ...first, isNew: false });
    const theirs = await published(other, [postTo(['a'], '3', 'bob')], 'cars', 'r1');
    assert.equal(theirs.isNew, true);
    assert.equal((await published(one, [postTo(['a'], '4')], 'cars', 'r2')).isNew, true);
    assert.deepEqual((await allFollowing(one, 0, 10)).posts.map(bodyOf), ['1', '2', '3', '4']);
  });
}

function testReads({ create }: StoreUnderTest): void {
  it('returns what was stored, with its author, its channels and its date', async () => {
    const [one, other] = create(plenty);
    const post = postTo(['0.1/2', '/2', ''], 'ü "quoted" \n 👋');
    const { ids, date } = await published(one, [post]);
    const [found] = await other.read('cars', ids);
    assert.deepEqual(headOf(found!.line), {
      date,
      author: 'eve',
      channels: [...post.channels],
      json: post.rest,
    });
    assert.equal(bodyOf(found!), 'ü "quoted" \n 👋');
    assert.deepEqual(await other.read('cars', []), []);
    assert.deepEqual(await other.read('cars', [ids[0]! + 1]), []);
  });

  it('gives the newest of some channels, each once, whatever the size of the page', async () => {
    const [store] = create(plenty);
    const channels = Array.from({ length: 30 }, (_, index) => `c${index}`);
    const all: { id: number; in: string[] }[] = [];
    for (let index = 0; index < 200; index++) {
      // Half of them in a busy channel, the others in one or two of the quiet ones.
      const inChannels = index % 2 ? ['c0'] : [channels[index % 30]!, channels[(index * 7) % 30]!];
      const unique = [...new Set(inChannels)];
      const { ids } = await published(store, [postTo(unique, `${index}`)]);
      all.push({ id: ids[0]!, in: unique });
    }
    const newestFirst = (wanted: string[]) =>
      all
        .filter((post) => post.in.some((channel) => wanted.includes(channel)))
        .map(({ id }) => id)
        .reverse();
    for (const wanted of [['c0'], ['c2', 'c4'], channels, ['none'], ['none', 'c6']]) {
      for (const limit of [1, 3, 10, 300])
        assert.deepEqual(
          idsOf(await allNewest(store, wanted, limit)),
          newestFirst(wanted),
          `${wanted} by ${limit}`,
        );
    }
    const [after, upTo] = [all[50]!.id, all[150]!.id];
    const between = newestFirst(channels).filter((id) => id > after && id <= upTo);
    assert.deepEqual(idsOf(await allNewest(store, channels, 10, { after, upTo })), between);
  });

  it('gives all that follow, in order, and says where they end', async () => {
    const [store] = create(plenty);
    assert.deepEqual(await store.following('cars', 0, 5), { posts: [], upTo: 0, ended: true });
    assert.equal((await store.following('cars', 7, 5)).upTo, 7);
    const ids: number[] = [];
    for (let index = 0; index < 23; index++) ids.push(...(await published(store, [postTo(['a'])])).ids);
    for (const limit of [1, 5, 100]) {
      const { posts, upTo } = await allFollowing(store, ids[3]!, limit);
      assert.deepEqual(idsOf(posts), ids.slice(4));
      assert.equal(upTo, ids.at(-1));
    }
  });
}

function testLimits({ create }: StoreUnderTest): void {
  it('takes so many posts of one person in a period, in each menu; all of a request or none', async () => {
    const [one, other] = create({ ...plenty, postsPerPersonMax: 3 });
    await published(one, [postTo(['a']), postTo(['a'])]);
    const refused = await other.publish('cars', requestOf([postTo(['a']), postTo(['a'])]));
    assert.equal(refused.result, 'limit');
    assert.ok(refused.result === 'limit' && refused.left === 1);
    assert.ok(refused.retryAfterMs > everMs - 60_000 && refused.retryAfterMs <= everMs);
    await published(other, [postTo(['a'])]);
    assert.equal((await one.publish('cars', requestOf([postTo(['a'])]))).result, 'limit');
    await published(one, [postTo(['a'], 'b', 'bob')]);
    await published(one, [postTo(['a'])], 'housing');
    assert.equal((await allFollowing(one, 0, 10)).posts.length, 4);
  });

  it('takes a person’s posts again when the period is over', async () => {
    const [store] = create({ ...plenty, postsPerPersonMax: 1, postPeriodMs: 300 });
    await published(store, [postTo(['a'])]);
    const refused = await store.publish('cars', requestOf([postTo(['a'])]));
    assert.ok(refused.result === 'limit' && refused.retryAfterMs <= 300);
    await sleep(refused.retryAfterMs + 5);
    await published(store, [postTo(['a'])]);
  });

  it('does not give the place of a deleted post to its author', async () => {
    const [store] = create({ ...plenty, postsPerPersonMax: 1 });
    const { ids } = await published(store, [postTo(['a'])]);
    assert.equal(await store.delete('cars', ids[0]!, 'eve'), 'ok');
    assert.equal((await store.publish('cars', requestOf([postTo(['a'])]))).result, 'limit');
  });

  it('stores so many posts of a menu, and tells who comes then', async () => {
    const [store] = create({ ...plenty, postsPerMenuMax: 2 });
    const { ids } = await published(store, [postTo(['a']), postTo(['a'])]);
    assert.deepEqual(await store.publish('cars', requestOf([postTo(['a'])], '', 'bob')), { result: 'full' });
    assert.equal(await store.last('cars'), ids[1]);
    await store.delete('cars', ids[0]!, 'eve');
    await published(store, [postTo(['a'], 'b', 'bob')]);
  });
}

function testEnds({ create }: StoreUnderTest): void {
  it('deletes a post for its author only, from all its channels', async () => {
    const [one, other] = create(plenty);
    const { ids } = await published(one, [postTo(['a', 'b']), postTo(['b'])]);
    assert.equal(await other.delete('cars', ids[0]!, 'bob'), 'foreign');
    assert.equal(await other.delete('cars', ids[0]! - 1, 'eve'), 'unknown');
    assert.equal(await other.delete('cars', ids[0]!, 'eve'), 'ok');
    assert.equal(await one.delete('cars', ids[0]!, 'eve'), 'unknown');
    assert.deepEqual(await one.read('cars', ids.slice(0, 1)), []);
    assert.deepEqual(idsOf(await allNewest(one, ['a', 'b'], 10)), [ids[1]]);
    assert.deepEqual(idsOf((await allFollowing(one, 0, 10)).posts), [ids[1]]);
    assert.equal(await one.delete('cars', ids[1]!, 'eve'), 'ok');
    const { posts, upTo } = await allFollowing(one, 0, 10);
    assert.deepEqual([posts, upTo, await one.last('cars')], [[], ids[1], ids[1]]);
  });

  it('forgets posts when they expire, and their number counts no longer', async () => {
    const [store] = create({ ...plenty, postLifetimeMs: 400, postsPerMenuMax: 2 });
    const { ids, date } = await published(store, [postTo(['a']), postTo(['a', 'b'])]);
    assert.equal((await allNewest(store, ['a'], 10)).length, 2);
    await sleep(date + 450 - Date.now());
    assert.deepEqual(await allNewest(store, ['a', 'b'], 10), []);
    assert.deepEqual(await store.read('cars', ids), []);
    assert.deepEqual(await allFollowing(store, 0, 10), { posts: [], upTo: ids[1]! });
    assert.equal(await store.delete('cars', ids[0]!, 'eve'), 'unknown');
    const next = await published(store, [postTo(['a']), postTo(['a'])]);
    assert.equal(next.before, ids[1]);
    assert.deepEqual(idsOf(await allNewest(store, ['a'], 10)), next.ids.toReversed());
  });
}
