// An engine of the real one's shape for tests of what surrounds it: splits at full stops, "translates"
// by spelling characters, attends by formula. Its rows sum to 1 and its decoder mask is exactly 0.

import type {
  AttentionMaps,
  Candidate,
  Engine,
  Continuation,
  EngineFile,
  EngineJob,
  EngineTranslator,
  ExplainOptions,
  Explanation,
  Range,
  Token,
  TranslateOptions,
} from '../src/lib/engine';

export interface FakeEngineOptions {
  layers?: number;
  heads?: number;
  /** Called before each sentence; may throw. */
  onSentence?: (text: string) => void;
  /** Called at each decoder step of a job; may throw. */
  onStep?: () => void;
  translate?: (text: string) => string;
}

export class FakeEngine implements Engine {
  readonly translated: string[] = [];
  /** The texts of every job, and the decoder steps taken in all. */
  readonly jobs: string[][] = [];
  steps = 0;
  jobsAlive = 0;
  readonly options: FakeEngineOptions;
  alive = 0;
  constructor(options: FakeEngineOptions = {}) {
    this.options = options;
    const engine = this;
    this.Translator = class implements EngineTranslator {
      constructor(files: EngineFile[]) {
        if (files.length === 0) throw new Error('model: config.json is missing');
        engine.alive++;
      }
      translate(texts: string[], _options: TranslateOptions): Candidate[][] {
        return texts.map((text) => {
          engine.options.onSentence?.(text);
          engine.translated.push(text);
          return [{ text: (engine.options.translate ?? spell)(text), score: -text.length / 10 }];
        });
      }
      start(texts: string[], options: TranslateOptions): EngineJob {
        return new FakeJob(engine, texts, options);
      }
      explain(text: string, { candidates = 0, prefix }: ExplainOptions, target = spell(text)): Explanation {
        const forced = prefix ? `${prefix.join(' ')} ${target}` : target;
        return explain(text, forced, engine.options.layers ?? 2, engine.options.heads ?? 4, candidates);
      }
      continuations(text: string, prefixes: number[][], _options: TranslateOptions): Continuation[] {
        return prefixes.map((prefix) => ({
          text: `${prefix.join(' ')} ${spell(text)}`,
          tokens: tokens(spell(text).split(/(?= )/)),
          score: -prefix.length,
        }));
      }
      score(texts: string[], target: number[]): Float32Array[] {
        return texts.map((text) => Float32Array.from(target, (_, i) => 1 / (1 + i + text.length)));
      }
      delete(): void {
        engine.alive--;
      }
    };
  }
  readonly Translator: Engine['Translator'];

  instructionSet(): string {
    return 'fake';
  }

  splitSentences(text: string): Range[] {
    return [...text.matchAll(/[^\s。！？.!?][^\n。！？.!?]*[。！？.!?]*/g)].map(({ index, 0: sentence }) => ({
      begin: index,
      end: index + sentence.length,
    }));
  }

  /** A space where there was nothing, as between Latin sentences. */
  sentenceSeparator(before: string, source: string, after: string): string {
    return source === '' && before !== '' && after !== '' ? ' ' : source;
  }
}

/** A word of each sentence a step; nothing ever takes more than one step of run(). */
class FakeJob implements EngineJob {
  #step = 0;
  #ended = false;
  readonly #words: string[][];
  constructor(
    readonly engine: FakeEngine,
    readonly texts: string[],
    readonly options: TranslateOptions,
  ) {
    engine.jobs.push(texts);
    engine.jobsAlive++;
    this.#words = texts.map((text) => (engine.options.translate ?? spell)(text).split(/(?= )/));
  }
  run(_milliseconds: number): boolean {
    const { engine } = this;
    if (this.#step === 0) {
      for (const text of this.texts) {
        engine.options.onSentence?.(text);
        engine.translated.push(text);
      }
    }
    engine.steps++;
    engine.options.onStep?.();
    this.#step++;
    return this.#words.every((words) => words.length <= this.#step);
  }
  partial(index: number): string {
    return this.#words[index]!.slice(0, this.#step).join('');
  }
  result(): Candidate[][] {
    return this.#words.map((words, i) =>
      Array.from({ length: this.options.nbest ?? 1 }, (_, n) => ({
        text: words.join('') + '*'.repeat(n),
        score: -this.texts[i]!.length / 10 - n,
      })),
    );
  }
  delete(): void {
    if (this.#ended) throw new Error('deleted twice');
    this.#ended = true;
    this.engine.jobsAlive--;
  }
}

/** "狗追。" -> "72D7 8FFD." */
export function spell(text: string): string {
  const words = [...text.replace(/[。！？.!?\s]/g, '')].map((c) => c.codePointAt(0)!.toString(16).toUpperCase());
  return `${words.join(' ')}.`;
}

function explain(
  source: string,
  target: string,
  layers: number,
  heads: number,
  candidates: number,
): Explanation {
  const sourceTokens = tokens([...source]);
  const targetTokens = tokens(target.split(/(?= )/)).map((token) => ({ ...token, probability: 0.5 }));
  const s = sourceTokens.length;
  const t = targetTokens.length;
  return {
    source: { text: source, tokens: sourceTokens },
    target: { text: target, tokens: targetTokens },
    encoder: maps([layers, heads, s, s], false),
    decoder: maps([layers, heads, t, t], true),
    cross: maps([layers, heads, t, s], false),
    alignment: targetTokens.map((_, i) => ({ source: Math.min(i, s - 1), target: i, weight: 0.5 })),
    steps: candidates === 0 ? [] : targetTokens.map(({ id, piece }) => ({
      entropy: 1,
      candidates: Array.from({ length: candidates }, (_, i) => ({
        id: id + i,
        piece: i === 0 ? piece : `${piece}${i}`,
        probability: 0.5 ** (i + 1),
      })),
    })),
  };
}

function tokens(pieces: string[]): Token[] {
  let at = 0;
  const list: Token[] = pieces.map((piece, i) => {
    const begin = at;
    at += piece.length;
    const marked = i === 0 || piece.startsWith(' ') ? `▁${piece.trimStart()}` : piece;
    return { piece: marked, id: i + 4, begin, end: at };
  });
  return [...list, { piece: '</s>', id: 0, begin: at, end: at }];
}

function maps(shape: AttentionMaps['shape'], causal: boolean): AttentionMaps {
  const [layers, heads, queries, keys] = shape;
  const weights = new Float32Array(layers * heads * queries * keys);
  let at = 0;
  for (let layer = 0; layer < layers; layer++) {
    for (let head = 0; head < heads; head++) {
      for (let q = 0; q < queries; q++) {
        const scores = Array.from({ length: keys }, (_, k) =>
          causal && k > q
            ? 0
            : Math.exp(-(0.3 + layer) * Math.abs((k + head - 1) / keys - q / queries) * (head + 2) * 3),
        );
        const sum = scores.reduce((a, b) => a + b, 0);
        for (const score of scores) weights[at++] = score / sum;
      }
    }
  }
  return { shape, weights };
}
