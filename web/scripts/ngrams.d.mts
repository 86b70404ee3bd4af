/** The source of one of eld's tables without the languages that are not asked for. */
export function ownLanguages(source: string): string;
