import { describe, expect, it } from 'vitest';
import type { ModelInfo } from '../src/lib/models';
import { modelAt, modelFor, sourcesOf, targetsOf } from '../src/page/direction';
import { examplesOf, isExample } from '../src/page/examples';
import { formatScores } from '../src/page/format';

const model = (id: string): ModelInfo => {
  const [source, target] = id.split('-') as [string, string];
  return { id, source, target, name: id, licence: '', scores: {}, files: [] };
};
const models = ['de-en', 'en-de', 'en-zh', 'zh-en'].map(model);

describe('directions', () => {
  it('lists each language once', () => {
    expect(sourcesOf(models)).toEqual(['de', 'en', 'zh']);
    expect(targetsOf(models, 'en')).toEqual(['de', 'zh']);
    expect(targetsOf(models, 'zh')).toEqual(['en']);
  });

  it('keeps the target where it can be had and takes another where not', () => {
    expect(modelFor(models, 'en', 'zh')?.id).toBe('en-zh');
    expect(modelFor(models, 'de', 'zh')?.id).toBe('de-en');
    expect(modelFor(models, 'fr', 'en')).toBeUndefined();
  });

  it('reads the direction from the address', () => {
    expect(modelAt(models, '#en-de').id).toBe('en-de');
    expect(modelAt([...models, model('a b-en')], '#a%20b-en').id).toBe('a b-en');
    expect(modelAt(models, '#%E0').id).toBe('zh-en');
    expect(modelAt(models, '').id).toBe('zh-en');
    expect(modelAt(models, '#nowhere').id).toBe('zh-en');
    expect(modelAt(models.slice(0, 2), '').id).toBe('de-en');
  });
});

describe('examples', () => {
  it('are there for every language and known as such', () => {
    for (const language of ['zh', 'en', 'de']) {
      expect(examplesOf(language).length).toBeGreaterThan(3);
      for (const text of examplesOf(language)) expect(isExample(text)).toBe(true);
    }
    expect(examplesOf('fr')).toBe(examplesOf('en'));
    expect(isExample('something else')).toBe(false);
  });
});

describe('scores', () => {
  it('are written as set and BLEU; what is not a score is left out', () => {
    expect(formatScores({ tatoeba: { bleu: 26.62, chrf: 45.2 }, other: null, note: 'x' })).toEqual(['tatoeba 26.6 BLEU']);
  });
});
