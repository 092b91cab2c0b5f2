/** The settings of posts. */
import { size, time } from '#host/units.ts';
import { group, integer, limit, type Setting, type ValuesOf } from '../settings.ts';
import { readMenus, shippedMenus } from './menu-files.ts';

const hourMs = 3_600_000;

/** A directory of menus, which are read at once so that every mistake in them is told at the start. */
const menusSetting: Setting<string> = {
  default: '',
  read: (given) => (readMenus(given).size > 0 ? given : undefined),
  required: 'a directory with a file <name>.json for each menu',
  about: 'directory of menus, instead of those that come with the server',
};

/** 400, 64, 4 in 30 days and 300: as menu chat has it. The other defaults are chosen, not measured. */
export const postSettings = group('Posts', {
  menus: menusSetting,
  postChannelsMax: limit(1, 10_000, 400, 'channels that one connection subscribes to, in all menus'),
  postFiltersMax: limit(1, 1024, 64, 'filters of one subscription'),
  postsPerPersonMax: limit(1, 1_000_000, 4, 'posts that a person publishes in a menu within the post period'),
  postPeriodMs: integer(100, 366 * 24 * hourMs, 720 * hourMs, 'the period of that limit', time),
  postLifetimeMs: integer(100, 366 * 24 * hourMs, 720 * hourMs, 'time after which a post expires', time),
  postsPerMenuMax: limit(1, 10_000_000, 100_000, 'posts that are stored of each menu'),
  postBytesMax: limit(1, 1024 ** 2, 2048, 'longest body of a post as UTF-8', size),
  postItemsMax: limit(1, 64, 4, 'posts in one frame'),
  postsRepeatedMax: limit(1, 10_000, 300, 'stored posts that one subscription repeats, the newest'),
  postTailMax: limit(1, 100_000, 1000, 'newest posts of each menu that this process keeps'),
  postBufferBytesMax: limit(
    4096,
    64 * 1024 ** 2,
    64 * 1024,
    'bytes that one reader may leave untaken before its posts wait in the store',
    size,
  ),
  postCheckIntervalMs: integer(
    50,
    600_000,
    2_000,
    'time between looks for posts whose announcement was lost',
    time,
  ),
});

export type PostOptions = ValuesOf<typeof postSettings>;

/** The menus of a configuration. */
export const menusOf = ({ menus }: Pick<PostOptions, 'menus'>) =>
  readMenus(menus === '' ? shippedMenus : menus);

/** The values of the settings where none is given. */
export const postDefaults = Object.fromEntries(
  Object.entries(postSettings.settings).map(([key, setting]) => [key, setting.default]),
) as PostOptions;
