/**
 * A post in the forms in which it travels and is delivered. In a store and in an announcement it is a line:
 * `<date> <author> <channels> <JSON>`, so that a script can read the first three. The JSON is the frame
 * `post` without its type, id and date, because only the store knows these.
 */
import type { Menu, PostContent } from '#protocol';
import { frameTexts } from '../chat/frame.ts';

/** What a store is given: the line without the date. */
export type NewPost = {
  readonly author: string;
  readonly channels: readonly string[];
  readonly rest: string;
};

/** What a store gives back. */
export type StoredPost = { readonly id: number; readonly line: string };

/** Ready to be matched and written. Ends of intervals are NaN where the post states nothing. */
export type PreparedPost = {
  readonly id: number;
  readonly channels: readonly string[];
  readonly tag: string | undefined;
  /** The features from 0, and from 32, as bits. */
  readonly lowFeatures: number;
  readonly highFeatures: number;
  /** For each quantity of the menu. */
  readonly mins: readonly number[];
  readonly maxs: readonly number[];
  /** The WebSocket frame. */
  readonly frame: Buffer;
};

/** A post as it goes to a store. */
export function encodeNewPost(
  menu: string,
  author: string,
  channels: string[],
  content: PostContent,
): NewPost {
  const { to, body, filter, features, ranges } = content;
  const rest = JSON.stringify({ menu, from: author, to, body, filter, features, ranges });
  return { author, channels, rest };
}

/** The line of a post, without its date. */
export const lineOf = ({ author, channels, rest }: NewPost) => `${author} ${channels.join(',')} ${rest}`;

/** The line of a post that was stored at `date`, in ms since 1970. */
export const datedLine = (date: number, post: NewPost) => `${date} ${lineOf(post)}`;

/** The first fields of a line. */
export function headOf(line: string): { date: number; author: string; channels: string[]; json: string } {
  const ends: number[] = [];
  for (let from = 0; ends.length < 3; from = ends.at(-1)! + 1) ends.push(line.indexOf(' ', from));
  const [first, second, third] = ends as [number, number, number];
  const channels = line.slice(second + 1, third).split(',');
  return {
    date: Number(line.slice(0, first)),
    author: line.slice(first + 1, second),
    channels,
    json: line.slice(third + 1),
  };
}

/** Makes a post of a menu ready to be matched and written; undefined where something else wrote its line. */
export function preparePost(
  { features: names, quantities }: Menu,
  { id, line }: StoredPost,
): PreparedPost | undefined {
  const { date, channels, json } = headOf(line);
  let content: PostContent;
  try {
    content = JSON.parse(json);
  } catch {
    return undefined;
  }
  const { filter, features = [], ranges = {} } = content;
  const known = features.filter((index) => index < names.length);
  const stated = quantities.map(({ name }) => (Object.hasOwn(ranges, name) ? ranges[name]! : Number.NaN));
  return {
    id,
    channels,
    tag: filter,
    ...featureBits(known),
    mins: stated.map((range) => (typeof range === 'number' ? range : range[0])),
    maxs: stated.map((range) => (typeof range === 'number' ? range : range[1])),
    frame: frameTexts([Buffer.from(`{"type":"post","id":${id},"date":${date},${json.slice(1)}`)]),
  };
}

/** Features as bits of two 32-bit numbers. */
export function featureBits(indices: readonly number[]): { lowFeatures: number; highFeatures: number } {
  let [lowFeatures, highFeatures] = [0, 0];
  for (const index of indices) {
    if (index < 32) lowFeatures |= 1 << index;
    else highFeatures |= 1 << (index - 32);
  }
  return { lowFeatures, highFeatures };
}

/** A post on its way to other nodes: `before` is the id of the post before it in its menu. */
export function encodeAnnouncement(before: number, { id, line }: StoredPost): Buffer {
  return Buffer.from(`${before} ${id} ${line}`);
}

/** Reads an announcement; undefined where it is none. */
export function parseAnnouncement(payload: Buffer): (StoredPost & { readonly before: number }) | undefined {
  const [, before, id, line] = /^(\d{1,16}) (\d{1,16}) (\d+ \S+ \S* \{.*)$/s.exec(payload.toString()) ?? [];
  return line === undefined ? undefined : { before: Number(before), id: Number(id), line };
}
