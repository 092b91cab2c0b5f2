/** Finds names such as `001-ladder` by their number or word. */

/**
 * Finds `NNN-word` by `NNN-word`, `NNN`, its number without zeros, or `word`; undefined where none or several
 * match.
 */
export function findByShortName<Named extends { name: string }>(
  all: readonly Named[],
  name: string,
): Named | undefined {
  const matching = all.filter((one) => {
    const [number = '', ...words] = one.name.split('-');
    return (
      one.name === name || words.join('-') === name || (/^\d+$/.test(name) && Number(number) === Number(name))
    );
  });
  return matching.length === 1 ? matching[0] : undefined;
}
