const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/**
 * Two changes of one list in one: what either took away is gone, what either
 * added is there, theirs first. Entries are told apart by their value.
 */
export function mergeLists<T>(base: readonly T[], mine: readonly T[], theirs: readonly T[]): T[] {
  const has = (list: readonly T[], item: T) => list.some((x) => same(x, item));
  const kept = theirs.filter((item) => has(mine, item) || !has(base, item));
  const added = mine.filter((item) => !has(base, item) && !has(kept, item));
  return [...kept, ...added];
}

/** What came of two changes of one object, and what both changed differently. */
export interface Merged<T> {
  value: T;
  clashes: (keyof T & string)[];
}

/** Two changes of one object in one, field by field; where both clash, mine stands. */
export function mergeFields<T extends object>(base: T, mine: T, theirs: T): Merged<T> {
  const value = { ...theirs };
  const clashes: (keyof T & string)[] = [];
  for (const key of new Set([...Object.keys(base), ...Object.keys(mine), ...Object.keys(theirs)]) as Set<keyof T & string>) {
    if (same(base[key], mine[key])) continue;
    if (!same(base[key], theirs[key]) && !same(mine[key], theirs[key])) clashes.push(key);
    if (mine[key] === undefined) delete value[key];
    else value[key] = mine[key];
  }
  return { value, clashes };
}
