/** What a frame that breaks the rules costs its sender. */
import { closeCode, type DecodeFault } from '#protocol';
import type { PersonSession } from '../accounts/person.ts';

export function refuseFault(session: PersonSession, { fault, detail }: DecodeFault): void {
  session.close(fault === 'too-large' ? closeCode.tooLarge : closeCode.malformed, detail);
}
