// Gives a browser that has no Translator or LanguageDetector those of this library.

import { LanguageDetector } from './language-detector';
import { CreateMonitor } from './model-api';
import { Translator } from './translator';

/**
 * Installs what is missing; returns the names of what was installed. `force` replaces the browser's own
 * as well.
 */
export function polyfill({
  scope = globalThis as object,
  force = false,
}: { scope?: object; force?: boolean } = {}): string[] {
  const installed: string[] = [];
  for (const [name, value] of Object.entries({ Translator, LanguageDetector, CreateMonitor })) {
    if (!force && name in scope) continue;
    Object.defineProperty(scope, name, { value, writable: true, configurable: true, enumerable: false });
    installed.push(name);
  }
  return installed;
}
