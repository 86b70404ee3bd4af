export const isolation: Readonly<Record<string, string>>;
