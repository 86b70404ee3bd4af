// What the package exports.

export type {
  AttentionMaps,
  Candidate,
  Continuation,
  Explanation,
  Step,
  Token,
} from './engine';
export {
  LanguageDetector,
  type LanguageDetectionResult,
  type LanguageDetectorCreateCoreOptions,
  type LanguageDetectorCreateOptions,
} from './language-detector';
export { type Availability, CreateMonitor, type CreateOptions } from './model-api';
export type { ModelFileInfo, ModelInfo } from './models';
export { polyfill } from './polyfill';
export { TranslucentError } from './protocol';
export {
  configure,
  type ExplanationOfWords,
  type ModelFiles,
  type TranslateOptions,
  Translator,
  type TranslatorCreateCoreOptions,
  type TranslatorCreateOptions,
} from './translator';
export type { Word, WordLink, Words } from './words';
