/** Finds `NNN-word` by that, by its number or by its word; undefined where none or several match. */
export function findByShortName<Named extends { name: string }>(
  all: readonly Named[],
  name: string,
): Named | undefined {
  const matching = all.filter((one) => {
    const [number, ...words] = one.name.split('-');
    const isNumber = /^\d+$/.test(name) && Number(number) === Number(name);
    return one.name === name || words.join('-') === name || isNumber;
  });
  return matching.length === 1 ? matching[0] : undefined;
}
