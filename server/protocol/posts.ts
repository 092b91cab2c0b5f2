/**
 * Posts: how a person subscribes to channels of a menu, publishes posts and deletes them. See menu.ts for
 * menus, codes and channels.
 *
 * A client subscribes with the id of the last post that it has. After the ack it receives the posts of its
 * channels that are newer, and then those that are published from now on, in the order of their ids, each
 * once. So it remembers the id of the last post that came, and names it when it comes back.
 *
 * A subscription has filters. A post passes where at least one of them holds, or there are none. All that a
 * filter states must hold: `filter` is the tag of the post; `anyOf` shares a feature with it; each of
 * `ranges` overlaps with what the post states for that quantity (a post that states nothing for it does not
 * pass).
 */
import { type Code, isMenuName } from './menu.ts';
import type { DecodeFault } from './message.ts';

/** An interval of a quantity, both ends included; null: open on that side. */
export type FilterRange = readonly [min: number | null, max: number | null];

export type PostFilter = {
  readonly filter?: string;
  /** Indices of features of the menu, at least one. */
  readonly anyOf?: readonly number[];
  /** By the name of the quantity. */
  readonly ranges?: Readonly<Record<string, FilterRange>>;
};

/** The frame `subscribe`. It replaces what this connection subscribed to in this menu; no channels end it. */
export type Subscribe = {
  readonly menu: string;
  /** A list of codes for each tree, at its depths; the channels are the product of the lists. */
  readonly channels: readonly (readonly Code[])[];
  readonly filters: readonly PostFilter[];
  /** The posts with greater ids come: at most 300 stored ones by default, the newest. Left out: 0. */
  readonly lastPostId?: number;
};

/** What a post says. */
export type PostContent = {
  /** The code of a leaf of each tree. */
  readonly to: readonly Code[];
  readonly body: string;
  /** A tag for filters, 1 to 64 characters. */
  readonly filter?: string;
  /** Indices of features of the menu. */
  readonly features?: readonly number[];
  /** By the name of the quantity: a value, or an interval such as `[8, 12]`. */
  readonly ranges?: Readonly<Record<string, number | readonly [min: number, max: number]>>;
};

/**
 * The frame `publish`: all of its posts are stored, or none. `id` is chosen by the client, 1 to 64
 * characters: a frame that is sent again with the same id is stored once.
 */
export type Publish = { readonly menu: string; readonly id?: string; readonly items: readonly PostContent[] };

/** The frame `delete`: only its author deletes a post. */
export type DeletePost = { readonly menu: string; readonly id: number };

/** A post as it is stored and delivered. `id` rises within a menu; `date` is in ms since 1970. */
export type Post = PostContent & {
  readonly menu: string;
  readonly id: number;
  readonly date: number;
  readonly from: string;
};

/** `menu`: there is no such menu. `busy`: perhaps not done, try again later; a subscription has ended. */
type Trouble = 'menu' | 'busy';

/**
 * `posts` stored ones follow the ack, the newest; `older`: others that are older pass too. `invalid`: the
 * channels or the filters do not fit the menu. `limit`: there are too many.
 */
export type SubscribeAck = {
  readonly menu: string;
  readonly result: 'ok' | Trouble | 'invalid' | 'limit';
  readonly detail?: string;
  readonly channels?: number;
  readonly posts?: number;
  readonly older?: boolean;
};

/**
 * `invalid`: a post does not fit the menu or the bounds of a post. `limit`: this person has published enough
 * for now; `retryAfterMs`: there is a place for these then. `full`: the menu has no place for more posts.
 */
export type PublishAck = {
  readonly menu: string;
  readonly id?: string;
  readonly result: 'ok' | Trouble | 'invalid' | 'limit' | 'full';
  readonly detail?: string;
  readonly retryAfterMs?: number;
  /** For each of the items. */
  readonly items?: readonly { readonly id: number; readonly date: number }[];
};

/** `unknown`: there is no such post (any more). `foreign`: it is somebody else's. */
export type DeleteAck = {
  readonly menu: string;
  readonly id: number;
  readonly result: 'ok' | Trouble | 'unknown' | 'foreign';
  readonly detail?: string;
};

// What a frame may hold at all; chosen. The server's limits are lower.
export const postTreesMax = 8;
export const postDepthMax = 8;
export const postFeaturesMax = 64;
export const postQuantitiesMax = 16;
const filtersMax = 1024;
const itemsMax = 64;

type Fields = Readonly<Record<string, unknown>>;

export const encodeSubscribe = (frame: Subscribe) => JSON.stringify({ type: 'subscribe', ...frame });
export const encodePublish = (frame: Publish) => JSON.stringify({ type: 'publish', ...frame });
export const encodeDeletePost = (frame: DeletePost) => JSON.stringify({ type: 'delete', ...frame });
export const encodeSubscribeAck = (ack: SubscribeAck) => JSON.stringify({ type: 'subscribe_ack', ...ack });
export const encodePublishAck = (ack: PublishAck) => JSON.stringify({ type: 'publish_ack', ...ack });
export const encodeDeleteAck = (ack: DeleteAck) => JSON.stringify({ type: 'delete_ack', ...ack });

/** Reads the object of a frame `subscribe`; unknown fields are ignored. Never throws. */
export function parseSubscribe({ menu, channels, filters, lastPostId }: Fields): Subscribe | DecodeFault {
  if (!isMenuName(menu)) return wrongMenu;
  if (!isList(channels, postTreesMax) || !channels.every((codes) => isCodes(codes, 100_000)))
    return malformed('channels must be a list of codes for each tree');
  if (filters !== undefined && (!isList(filters, filtersMax) || !filters.every(isFilter)))
    return malformed('filters must be a list of objects with filter, anyOf or ranges');
  if (lastPostId !== undefined && !isId(lastPostId)) return wrongId('lastPostId');
  const read = ((filters ?? []) as PostFilter[]).map(({ filter, anyOf, ranges }) =>
    given({ filter, anyOf, ranges }),
  );
  return given({ menu, channels, filters: read, lastPostId }) as Subscribe;
}

/** Reads the object of a frame `publish`; unknown fields are ignored. Never throws. */
export function parsePublish({ menu, id, items }: Fields): Publish | DecodeFault {
  if (!isMenuName(menu)) return wrongMenu;
  if (id !== undefined && !isText(id, 64)) return malformed('id must be 1 to 64 characters');
  if (!isList(items, itemsMax) || items.length === 0 || !items.every(isContent))
    return malformed('items must be a list of posts, each with a code of each tree in to, and a body');
  return given({ menu, id, items: items.map(contentOf) }) as Publish;
}

/** Reads the object of a frame `delete`; unknown fields are ignored. Never throws. */
export function parseDeletePost({ menu, id }: Fields): DeletePost | DecodeFault {
  if (!isMenuName(menu)) return wrongMenu;
  return isId(id) ? { menu, id } : wrongId('id');
}

/** What the server says of posts, by the type of its frame. */
export type PostServerFrame =
  | ({ readonly type: 'post' } & Post)
  | ({ readonly type: 'subscribe_ack' } & SubscribeAck)
  | ({ readonly type: 'publish_ack' } & PublishAck)
  | ({ readonly type: 'delete_ack' } & DeleteAck);

/**
 * Reads the text of a frame of the server; undefined where it says nothing of posts. A result that is not
 * known is kept, so that its detail can be shown. Never throws.
 */
export function parsePostServerFrame(text: string): PostServerFrame | undefined {
  if (!/^\{"type":"(post|subscribe_ack|publish_ack|delete_ack)"/.test(text)) return undefined;
  let value: Record<string, unknown>;
  try {
    value = Object(JSON.parse(text));
  } catch {
    return undefined;
  }
  const { type, menu, id, result, items, from, date } = value;
  if (!isMenuName(menu)) return undefined;
  const isKnown =
    type === 'post'
      ? isId(id) && typeof date === 'number' && typeof from === 'string' && isContent(value)
      : typeof result === 'string' &&
        (type !== 'delete_ack' || isId(id)) &&
        (type !== 'publish_ack' || result !== 'ok' || Array.isArray(items));
  return isKnown ? (value as PostServerFrame) : undefined;
}

const isCode = (code: unknown) =>
  isList(code, postDepthMax) && code.every((index) => isWhole(index) && index < 10_000);

function isCodes(value: unknown, countMax: number): value is Code[] {
  return isList(value, countMax) && value.every(isCode);
}

function isContent(value: unknown): boolean {
  const { to, body, filter, features, ranges } = Object(value) as Fields;
  return (
    isCodes(to, postTreesMax) &&
    typeof body === 'string' &&
    (filter === undefined || isText(filter, 64)) &&
    (features === undefined || isFeatures(features)) &&
    (ranges === undefined || isByQuantity(ranges, (range) => Number.isFinite(range) || isInterval(range)))
  );
}

function contentOf(value: unknown): PostContent {
  const { to, body, filter, features, ranges } = value as PostContent;
  return given({ to, body, filter, features, ranges }) as PostContent;
}

function isFilter(value: unknown): boolean {
  const { filter, anyOf, ranges } = Object(value) as Fields;
  return (
    (filter === undefined || isText(filter, 64)) &&
    (anyOf === undefined || (isFeatures(anyOf) && anyOf.length > 0)) &&
    (ranges === undefined || isByQuantity(ranges, isFilterRange))
  );
}

const isFilterRange = (value: unknown) =>
  isList(value, 2) &&
  value.length === 2 &&
  value.every((end) => end === null || Number.isFinite(end)) &&
  (value[0] === null || value[1] === null || (value[0] as number) <= (value[1] as number));

const isInterval = (value: unknown) => isFilterRange(value) && !(value as unknown[]).includes(null);

function isFeatures(value: unknown): value is number[] {
  return isList(value, postFeaturesMax) && value.every((one) => isWhole(one) && one < postFeaturesMax);
}

function isByQuantity(value: unknown, isAllowed: (range: unknown) => boolean): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const ranges = Object.values(value);
  return ranges.length <= postQuantitiesMax && ranges.every(isAllowed);
}

const isList = (value: unknown, lengthMax: number): value is unknown[] =>
  Array.isArray(value) && value.length <= lengthMax;

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isId = isWhole;
const isText = (value: unknown, charsMax: number): value is string =>
  typeof value === 'string' && value.length >= 1 && value.length <= charsMax;

/** The fields that are not undefined. */
function given<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;
}

const malformed = (detail: string): DecodeFault => ({ fault: 'malformed', detail });
const wrongMenu = malformed('menu must be 1 to 32 of a-z0-9_-');
const wrongId = (name: string) => malformed(`${name} must be a whole number from 0`);
