/** The script of the page: its modules without their types, in one text that needs no other file. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire, stripTypeScriptTypes } from 'node:module';
import { dirname, join } from 'node:path';

const importPattern = /^import \{([^}]*)\} from '(\.[^']+)';$/gm;
const exportPattern = /^export (?=(?:async )?(?:function|const|class) (\w+))/gm;
/** Its script declares a global of that name. */
const libraryPattern = /^import uPlot from 'uplot';$/gm;

/**
 * Every module becomes a function that returns its exports, in an order in which each comes after those that
 * it imports. Throws where a module imports or exports in a way that this does not know.
 */
export function bundle(entry: string): string {
  const names = new Map<string, string>();
  const parts: string[] = [];
  const add = (path: string): string => {
    const known = names.get(path);
    if (known !== undefined) return known;
    const exported: string[] = [];
    const text = stripTypeScriptTypes(readFileSync(path, 'utf8'))
      .replace(libraryPattern, '')
      .replaceAll(/^import +(?:type )?\{\s*\} from '[^']+';$/gm, '')
      .replace(importPattern, (_, specifiers: string, from: string) => {
        const wanted = specifiers.split(',').map((name) => name.trim());
        return `const { ${wanted.filter(Boolean).join(', ')} } = ${add(join(dirname(path), from))};`;
      })
      .replace(exportPattern, (_, name: string) => {
        exported.push(name);
        return '';
      });
    if (/^(?:import|export)\b/m.test(text))
      throw new Error(`${path} imports or exports in a way that the page cannot be bundled with`);
    const name = `module${names.size + 1}`;
    names.set(path, name);
    parts.push(`const ${name} = (() => {\n${compact(text)}\nreturn { ${exported.join(', ')} };\n})();`);
    return name;
  };
  add(entry);
  return `'use strict';\n(() => {\n${parts.join('\n')}\n})();`;
}

/** Stripped types leave blanks, and comments are for readers of the repository. */
function compact(text: string): string {
  return text
    .replaceAll(/^\s*\/\*\*?.*?\*\/$/gms, '')
    .replaceAll(/^\s*\/\/.*$/gm, '')
    .replaceAll(/[ \t]+$/gm, '')
    .replaceAll(/\n{2,}/g, '\n');
}

let made: { script: string; style: string } | undefined;

/** The script and the style sheet of the page, with those of uPlot; made once. */
export function pageAssets(): { script: string; style: string } {
  if (made !== undefined) return made;
  const library = dirname(createRequire(import.meta.url).resolve('uplot'));
  const read = (...path: string[]) => readFileSync(join(...path), 'utf8');
  // Node calls the function that strips types experimental; the flag keeps that off the terminal.
  const args = ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'print-script.ts')];
  const script = execFileSync(process.execPath, args, { encoding: 'utf8' });
  made = {
    script: `${read(library, 'uPlot.iife.min.js')}\n${script}`,
    style: `${read(library, 'uPlot.min.css')}\n${read(import.meta.dirname, 'page.css')}`,
  };
  return made;
}
