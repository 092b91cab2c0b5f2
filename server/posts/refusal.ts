/** Why something was not done: a word for programs, and a clause for people. */
export type Refusal<R extends string = 'menu' | 'busy' | 'invalid' | 'limit'> = {
  readonly result: R;
  readonly detail: string;
};

export const refusal = <R extends string>(result: R, detail: string): Refusal<R> => ({ result, detail });
export const noMenu = refusal('menu', 'GET /menus says which menus there are');
export const busy = refusal('busy', 'posts cannot be reached at present');
