// What the page keeps on the visitor's machine, as JSON. Where storage is denied or full nothing is
// kept, and nothing breaks.

export function read<T>(key: string, otherwise: T, check: (value: unknown) => value is T): T {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(`translucent.${key}`) ?? 'null');
    return check(value) ? value : otherwise;
  } catch {
    return otherwise;
  }
}

/** False where it could not be kept. null forgets. */
export function write(key: string, value: unknown): boolean {
  try {
    if (value === null) localStorage.removeItem(`translucent.${key}`);
    else localStorage.setItem(`translucent.${key}`, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}
