/** The settings of a variant as flags of the server that runs. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { settingOfBefore } from '#host/old-names.ts';

/** `serverRoot` is another checkout, whose server may be of before today's names; left out: this one. */
export function serverFlags(settings: Readonly<Record<string, string>>, serverRoot?: string): string[] {
  const isOfBefore = serverRoot !== undefined && !existsSync(join(serverRoot, 'host', 'old-names.ts'));
  return Object.entries(settings).flatMap(([flag, value]) => {
    const [name, text] = isOfBefore ? settingOfBefore(flag, value) : [flag, value];
    return [`--${name}`, text];
  });
}
