/**
 * Hot path. The filters of a subscription, compiled for many posts: one look-up by the tag of a post, and one
 * comparison of bits for all filters that ask for features only. See `server/protocol/posts.ts` for their
 * meaning.
 */
import type { Menu, PostFilter } from '#protocol';
import type { Misfit } from './channels.ts';
import { featureBits, type PreparedPost } from './post-record.ts';

/** What remains of a filter beside its tag. */
type Condition = {
  /** Both 0: any features, or none. */
  readonly lowFeatures: number;
  readonly highFeatures: number;
  readonly bounds: readonly Bound[];
};

type Bound = { readonly quantity: number; readonly min: number; readonly max: number };

/** Filters that share a tag, or have none; at least one must hold. */
class Alternatives {
  /** One of them asks for nothing more. */
  #always = false;
  /** Those that ask for features only, as one. */
  #lowFeatures = 0;
  #highFeatures = 0;
  readonly #bounded: Condition[] = [];

  add(condition: Condition): void {
    const { lowFeatures, highFeatures, bounds } = condition;
    if (bounds.length > 0) this.#bounded.push(condition);
    else if ((lowFeatures | highFeatures) === 0) this.#always = true;
    else {
      this.#lowFeatures |= lowFeatures;
      this.#highFeatures |= highFeatures;
    }
  }

  passes(post: PreparedPost): boolean {
    if (this.#always) return true;
    if (((post.lowFeatures & this.#lowFeatures) | (post.highFeatures & this.#highFeatures)) !== 0)
      return true;
    for (const condition of this.#bounded) if (holds(condition, post)) return true;
    return false;
  }
}

export class Filters {
  /** No filters at all. */
  readonly #everything: boolean;
  readonly #untagged = new Alternatives();
  readonly #byTag = new Map<string, Alternatives>();

  /** What does not fit the menu is found by `misfitOf` before. */
  constructor(menu: Menu, filters: readonly PostFilter[]) {
    this.#everything = filters.length === 0;
    for (const { filter, anyOf = [], ranges = {} } of filters) {
      const bounds = Object.entries(ranges).map(([name, [min, max]]) => ({
        quantity: menu.quantities.findIndex((quantity) => quantity.name === name),
        min: min ?? Number.NEGATIVE_INFINITY,
        max: max ?? Number.POSITIVE_INFINITY,
      }));
      this.#of(filter).add({ ...featureBits(anyOf), bounds });
    }
  }

  /** True where a post passes. */
  passes(post: PreparedPost): boolean {
    if (this.#everything || this.#untagged.passes(post)) return true;
    return post.tag !== undefined && this.#byTag.get(post.tag)?.passes(post) === true;
  }

  #of(tag: string | undefined): Alternatives {
    if (tag === undefined) return this.#untagged;
    const known = this.#byTag.get(tag) ?? new Alternatives();
    this.#byTag.set(tag, known);
    return known;
  }
}

/** The first feature or quantity that the menu does not have; undefined where it has all of them. */
export function misfitOf(
  { features, quantities }: Menu,
  indices: readonly number[],
  names: readonly string[],
): Misfit | undefined {
  const index = indices.find((one) => one >= features.length);
  if (index !== undefined) return { misfit: `there are ${features.length} features, no feature ${index}` };
  const name = names.find((one) => quantities.every((quantity) => quantity.name !== one));
  return name === undefined ? undefined : { misfit: `there is no quantity ${JSON.stringify(name)}` };
}

/** A post that states nothing for a quantity has NaN there, with which no comparison is true. */
function holds({ lowFeatures, highFeatures, bounds }: Condition, post: PreparedPost): boolean {
  const anyFeature = (lowFeatures | highFeatures) === 0;
  const shared = (post.lowFeatures & lowFeatures) | (post.highFeatures & highFeatures);
  if (!anyFeature && shared === 0) return false;
  for (const { quantity, min, max } of bounds)
    if (!(post.maxs[quantity]! >= min && post.mins[quantity]! <= max)) return false;
  return true;
}
