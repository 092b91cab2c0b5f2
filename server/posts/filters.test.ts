import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { PostContent, PostFilter } from '#protocol';
import { Filters, misfitOf } from './filters.ts';
import { datedLine, encodeNewPost, preparePost } from './post-record.ts';
import { smallMenu } from './posts.fixture.ts';

const tag = fc.constantFrom('red', 'green', 'blue');
const features = (constraints = {}) => fc.uniqueArray(fc.integer({ min: 0, max: 39 }), constraints);
const value = fc.integer({ min: -3, max: 3 });
const interval = fc.tuple(value, value).map(([one, other]) => [Math.min(one, other), Math.max(one, other)]);
const open = fc
  .tuple(interval, fc.boolean(), fc.boolean())
  .map(([[min, max], left, right]) => [left ? null : min!, right ? null : max!]);
const quantities = <T>(range: fc.Arbitrary<T>) =>
  fc.dictionary(fc.constantFrom('price', 'year'), range, { noNullPrototype: true });
const filter = fc.record(
  { filter: tag, anyOf: features({ minLength: 1, maxLength: 3 }), ranges: quantities(open) },
  { requiredKeys: [], noNullPrototype: true },
) as fc.Arbitrary<PostFilter>;
const content = fc.record(
  {
    to: fc.constant([[0, 0], [0]]),
    body: fc.constant(''),
    filter: tag,
    features: features({ maxLength: 10 }),
    ranges: quantities(fc.oneof(value, interval)),
  },
  { requiredKeys: ['to', 'body'], noNullPrototype: true },
) as fc.Arbitrary<PostContent>;

/** The meaning of filters, word by word and without regard to speed. */
function passesPlainly(filters: readonly PostFilter[], post: PostContent): boolean {
  const holds = ({ filter: wanted, anyOf, ranges = {} }: PostFilter) =>
    (wanted === undefined || post.filter === wanted) &&
    (anyOf === undefined || anyOf.some((index) => post.features?.includes(index))) &&
    Object.entries(ranges).every(([name, [min, max]]) => {
      const stated = post.ranges?.[name];
      if (stated === undefined) return false;
      const [low, high] = typeof stated === 'number' ? [stated, stated] : stated;
      return (min === null || high >= min) && (max === null || low <= max);
    });
  return filters.length === 0 || filters.some(holds);
}

const prepare = (given: PostContent) =>
  preparePost(smallMenu, { id: 1, line: datedLine(1, encodeNewPost('small', 'eve', ['/0'], given)) })!;

test('compiled filters let pass what their meaning says, and nothing else', () => {
  let passed = 0;
  fc.assert(
    fc.property(fc.array(filter, { maxLength: 6 }), content, (filters, post) => {
      const expected = passesPlainly(filters, post);
      assert.equal(new Filters(smallMenu, filters).passes(prepare(post)), expected);
      passed += Number(expected);
    }),
    { numRuns: 5_000 },
  );
  assert.ok(passed > 500 && passed < 4_500, `both outcomes were tried: ${passed} of 5,000 passed`);
});

test('a feature or a quantity that the menu does not have is named', () => {
  assert.equal(misfitOf(smallMenu, [0, 39], ['price']), undefined);
  assert.match(misfitOf(smallMenu, [40], [])!.misfit, /40 features, no feature 40/);
  assert.match(misfitOf(smallMenu, [], ['__proto__'])!.misfit, /no quantity "__proto__"/);
});
