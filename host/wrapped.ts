/** Text that fits a terminal: broken at spaces, never within a word. */

/** The width of the terminal behind a stream; infinite for a pipe, which takes whole lines. */
export function columnsOf({ isTTY, columns }: { isTTY?: boolean; columns?: number }): number {
  return isTTY ? columns || columnsUnknown : Number.POSITIVE_INFINITY;
}

/** Of a terminal that does not know its own width. */
export const columnsUnknown = 80;

/** Lines at most `width` wide; a longer word has a line of its own. */
export function wrapped(text: string, width: number): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1)!;
    if (last !== '' && last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines.map((line) => line.trimEnd());
}

/** Writes a sentence, or one a line, to standard error, for a person; as it is where that is a pipe. */
export function tell(sentences: string): void {
  console.error(fitted(sentences, process.stderr));
}

/** The same sentences, each as many lines as it takes on that stream. */
export function fitted(sentences: string, stream: NodeJS.WriteStream): string {
  const columns = columnsOf(stream);
  return sentences
    .split('\n')
    .flatMap((one) => wrapped(one, columns))
    .join('\n');
}

/** A text beside its name: the lines after the first are indented as far as the name is wide. */
export function besideName(name: string, text: string, columns: number): string {
  return name + wrapped(text, columns - name.length).join(`\n${' '.repeat(name.length)}`);
}

/**
 * Paragraphs, whose lines are joined and broken again. An indented line stays a line; of one such as
 * `  130  interrupted` that is too long, the rest is indented as its text is.
 */
export function wrappedParagraphs(text: string, columns: number): string {
  const joined = text.replaceAll(/(?<=\n|^)(\S.*)\n(?=\S)/g, '$1 ');
  return joined
    .split('\n')
    .map((line) => {
      const [, name = ''] = /^( +\S+ {2,})\S/.exec(line) ?? [];
      return line.startsWith(' ') && name === '' ? line : besideName(name, line.slice(name.length), columns);
    })
    .join('\n');
}
