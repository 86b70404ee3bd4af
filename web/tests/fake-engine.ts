// An engine of the real one's shape for tests of what surrounds it: splits at full stops, "translates"
// by spelling characters, attends by formula. Its rows sum to 1 and its decoder mask is exactly 0.

import type {
  AttentionMaps,
  Candidate,
  Engine,
  EngineFile,
  EngineTranslator,
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
  translate?: (text: string) => string;
}

export class FakeEngine implements Engine {
  readonly translated: string[] = [];
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
      explain(text: string, _options: TranslateOptions, target = spell(text)): Explanation {
        return explain(text, target, engine.options.layers ?? 2, engine.options.heads ?? 4);
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

/** "狗追。" -> "72D7 8FFD." */
export function spell(text: string): string {
  const words = [...text.replace(/[。！？.!?\s]/g, '')].map((c) => c.codePointAt(0)!.toString(16).toUpperCase());
  return `${words.join(' ')}.`;
}

function explain(source: string, target: string, layers: number, heads: number): Explanation {
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
