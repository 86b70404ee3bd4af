// The LanguageDetector: the draft's rules for its results, and how often it is right, on the sentences
// of the benchmark, of the training's probes, and on the first article of the Universal Declaration of
// Human Rights in every language it knows.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { kDetected } from '../src/lib/detect';
import { kLanguages, LanguageDetector } from '../src/lib/language-detector';
import type { CreateMonitor } from '../src/lib/model-api';

const declaration: Record<string, string> = {
  ar: 'يولد جميع الناس أحرارًا متساوين في الكرامة والحقوق.',
  cs: 'Všichni lidé rodí se svobodní a sobě rovní co do důstojnosti a práv.',
  de: 'Alle Menschen sind frei und gleich an Würde und Rechten geboren.',
  el: 'Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα.',
  en: 'All human beings are born free and equal in dignity and rights.',
  es: 'Todos los seres humanos nacen libres e iguales en dignidad y derechos.',
  fa: 'تمام افراد بشر آزاد به دنیا می‌آیند و از لحاظ حیثیت و حقوق با هم برابرند.',
  fr: 'Tous les êtres humains naissent libres et égaux en dignité et en droits.',
  he: 'כל בני האדם נולדו בני חורין ושווים בערכם ובזכויותיהם.',
  hi: 'सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है।',
  it: 'Tutti gli esseri umani nascono liberi ed eguali in dignità e diritti.',
  ja: 'すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。',
  ko: '모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다.',
  nl: 'Alle mensen worden vrij en gelijk in waardigheid en rechten geboren.',
  pl: 'Wszyscy ludzie rodzą się wolni i równi pod względem swej godności i swych praw.',
  pt: 'Todos os seres humanos nascem livres e iguais em dignidade e em direitos.',
  ru: 'Все люди рождаются свободными и равными в своём достоинстве и правах.',
  sv: 'Alla människor är födda fria och lika i värde och rättigheter.',
  th: 'มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ',
  tr: 'Bütün insanlar hür, haysiyet ve haklar bakımından eşit doğarlar.',
  uk: 'Всі люди народжуються вільними і рівними у своїй гідності та правах.',
  vi: 'Tất cả mọi người sinh ra đều được tự do và bình đẳng về nhân phẩm và quyền lợi.',
  zh: '人人生而自由，在尊严和权利上一律平等。',
};

const lines = (path: string) =>
  readFileSync(new URL(`../../scripts/${path}`, import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));

const first = async (detector: LanguageDetector, text: string) => (await detector.detect(text))[0]!.detectedLanguage;

describe('detect()', () => {
  it('knows every language it says it knows', async () => {
    expect(Object.keys(declaration).sort()).toEqual([...kLanguages]);
    expect([...kDetected].sort()).toEqual([...kLanguages]);
    const detector = await LanguageDetector.create();
    for (const [language, text] of Object.entries(declaration)) {
      const [best] = await detector.detect(text);
      expect(best, text).toMatchObject({ detectedLanguage: language });
      expect(best!.confidence, text).toBeGreaterThan(0.6);
    }
  });

  it.each(['zh', 'en', 'de'])('is right about sentences in %s', async (language) => {
    const detector = await LanguageDetector.create();
    const texts = [
      ...lines(`benchmark/sentences/${language}.txt`),
      ...lines(`train/probes/${language}.txt`),
    ];
    let right = 0;
    let rightShort = 0;
    for (const text of texts) {
      if ((await first(detector, text)) === language) right++;
      const begin = Array.from(text).slice(0, language === 'zh' ? 5 : 15).join('');
      if ((await first(detector, begin)) === language) rightShort++;
    }
    console.log(`${language}: ${right} of ${texts.length} sentences, ${rightShort} of their beginnings`);
    expect(right / texts.length).toBeGreaterThan(0.98);
    expect(rightShort / texts.length).toBeGreaterThan(0.85);
  }, 60_000);

  it.each(['', ' ', '123', '!?', '😀', 'Hello', 'Hallo, wie geht es dir?', 'tacosを食べる', '狗追猫 and dogs', 'ქართული'])(
    'results for %j: descending, none below "und", which is last, together at most 1',
    async (text) => {
      const detector = await LanguageDetector.create();
      const results = await detector.detect(text);
      const und = results.at(-1)!;
      expect(und.detectedLanguage).toBe('und');
      const confidences = results.slice(0, -1).map(({ confidence }) => confidence);
      expect(confidences).toEqual([...confidences].sort((a, b) => b - a));
      for (const value of confidences) {
        expect(value).toBeGreaterThan(0);
        expect(value).toBeGreaterThanOrEqual(und.confidence);
      }
      expect(confidences.reduce((a, b) => a + b, und.confidence)).toBeLessThanOrEqual(1 + 1e-9);
    },
  );

  it('nothing to detect, or a script of none of them: only "und"', async () => {
    const detector = await LanguageDetector.create();
    for (const text of ['', '123 !?', 'ქართული ენა']) {
      expect(await detector.detect(text)).toEqual([{ detectedLanguage: 'und', confidence: 1 }]);
    }
  });

  it('shares a mixed text out', async () => {
    const detector = await LanguageDetector.create();
    const results = await detector.detect('The dog chases the cat through the garden. 狗在花园里追猫，大家都在看着它们。');
    expect(results.map(({ detectedLanguage }) => detectedLanguage).slice(0, 2).sort()).toEqual(['en', 'zh']);
  });
});

describe('the object', () => {
  it('availability() and expectedInputLanguages go by best fit', async () => {
    expect(await LanguageDetector.availability()).toMatch(/^(available|downloadable)$/);
    expect(await LanguageDetector.availability({ expectedInputLanguages: ['de-AT', 'cmn'] })).not.toBe('unavailable');
    expect(await LanguageDetector.availability({ expectedInputLanguages: ['de', 'tlh'] })).toBe('unavailable');
    await expect(LanguageDetector.availability({ expectedInputLanguages: ['e_n'] })).rejects.toThrow(RangeError);
    await expect(LanguageDetector.availability({ expectedInputLanguages: 'de' as never })).rejects.toThrow(TypeError);
    const detector = await LanguageDetector.create({ expectedInputLanguages: ['de-AT', 'DE-at', 'cmn'] });
    expect(detector.expectedInputLanguages).toEqual(['de', 'zh']);
    expect(Object.isFrozen(detector.expectedInputLanguages)).toBe(true);
    expect((await LanguageDetector.create()).expectedInputLanguages).toBeNull();
    await expect(LanguageDetector.create({ expectedInputLanguages: ['tlh'] })).rejects.toMatchObject({
      name: 'NotSupportedError',
    });
  });

  it('fires 0 and 1, ends with signal and destroy(), has no quota', async () => {
    const events: number[] = [];
    const stop = new AbortController();
    const detector = await LanguageDetector.create({
      signal: stop.signal,
      monitor: (monitor: CreateMonitor) => {
        monitor.ondownloadprogress = ({ loaded }) => events.push(loaded);
      },
    });
    expect(events).toEqual([0, 1]);
    expect(detector.inputQuota).toBe(Infinity);
    expect(await detector.measureInputUsage('text')).toBe(0);
    const reason = new Error('r');
    await expect(detector.detect('text', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    stop.abort(reason);
    await expect(detector.detect('text')).rejects.toBe(reason);
    const other = await LanguageDetector.create();
    other.destroy();
    await expect(other.detect('text')).rejects.toMatchObject({ name: 'AbortError' });
    await expect((other as unknown as { detect(): Promise<void> }).detect()).rejects.toThrow(TypeError);
  });
});
