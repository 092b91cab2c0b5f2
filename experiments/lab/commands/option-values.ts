/** Parsers of the values of options; commander shows their errors with the name of the option. */
import { InvalidArgumentError } from 'commander';
import { oldNamesTold, settingOfNow } from '#host/old-names.ts';
import { percent, size, time, type Unit } from '#host/units.ts';
import type { TargetKind } from '../deployment/deployment.ts';

/** A whole number above 0. */
export function positiveInteger(value: string): number {
  if (/^[1-9]\d*$/.test(value)) return Number(value);
  throw new InvalidArgumentError(`Required a whole number above 0; given ${value}.`);
}

/** A number above 0. */
export function positiveNumber(value: string): number {
  if (Number(value) > 0) return Number(value);
  throw new InvalidArgumentError(`Required a number above 0; given ${value}.`);
}

/** A time above 0 in milliseconds. */
export const milliseconds = (value: string) => positive(value, time);

/** A time above 0 in minutes. */
export const minutes = (value: string) => positive(value, time) / 60_000;

/** A size in whole MiB. */
export function mebibytes(value: string): number {
  const mebibytes = positive(value, size) / 2 ** 20;
  if (Number.isInteger(mebibytes)) return mebibytes;
  throw new InvalidArgumentError(`Required a size in whole MiB, such as 512MiB; given ${value}.`);
}

function positive(value: string, unit: Unit): number {
  const number = unit.parse(value) ?? Number.NaN;
  if (number > 0) return number;
  throw new InvalidArgumentError(`Required ${unit.noun} above 0 ${unit.example}; given ${value}.`);
}

/** 0 for none; the port after it is used too. */
export function port(value: string): number {
  if (/^\d+$/.test(value) && Number(value) <= 65_534) return Number(value);
  throw new InvalidArgumentError(`Required 0 to 65534; given ${value}.`);
}

/** 0 for a free one. */
export function anyPort(value: string): number {
  if (/^\d+$/.test(value) && Number(value) <= 65_535) return Number(value);
  throw new InvalidArgumentError(`Required 0 to 65535; given ${value}.`);
}

export function targetKind(value: string): TargetKind {
  if (value === 'process' || value === 'container') return value;
  throw new InvalidArgumentError(`Required process or container; given ${value}.`);
}

/** Names separated by commas, added to those of earlier uses of the option. */
export function names(value: string, before: string[] = []): string[] {
  return [...before, ...value.split(',').filter((name) => name !== '')];
}

/** Loads separated by commas, added to those of earlier uses of the option. */
export function loads(value: string, before: number[] = []): number[] {
  return [...before, ...value.split(',').map(positiveInteger)];
}

/** Flags of the server with their values, separated by blanks, added to those of earlier uses. */
export function settings(value: string, before: Record<string, string> = {}): Record<string, string> {
  return value.split(/\s+/).reduce((all, one) => setting(one, all), before);
}

function setting(value: string, before: Record<string, string>): Record<string, string> {
  const [, flag, text] = /^(?:--)?([a-z][a-z-]*)=(.*)$/.exec(value) ?? [];
  if (flag?.startsWith('token'))
    throw new InvalidArgumentError(`Leave out ${flag}: no client of an experiment carries a token.`);
  if (flag === undefined || text === undefined)
    throw new InvalidArgumentError(`Required flag=value, e.g. segment-size=64KiB; given ${value}.`);
  const [flagNow, settingNow] = settingOfNow(flag, text);
  if (flagNow !== flag) console.error(oldNamesTold([[`--set ${flag}`, `--set ${flagNow}=${settingNow}`]]));
  return { ...before, [flagNow]: settingNow };
}

/** A value of an option that may be repeated. */
export function repeated(value: string, before: string[] = []): string[] {
  return [...before, value];
}

/** The URL of a chat without a room, such as `ws://127.0.0.1:8080/ws`. */
export function wsUrl(value: string): string {
  if (URL.canParse(value) && new URL(value).protocol === 'ws:') return value;
  throw new InvalidArgumentError(`Required a URL that begins with ws://; given ${value}.`);
}

/** A share in per cent, as a number: `5%` is 0.05. */
export function share(value: string): number {
  return positive(value, percent) / 100;
}
