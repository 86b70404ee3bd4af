// The texts of the walk and of the panels below it, in the interface's languages.

import { messages } from '../i18n';
import type { SimilarityName } from './types';

export const kStages = [
  'pieces', 'embedding', 'position', 'sum',
  'qkv', 'scores', 'scaled', 'masked', 'softmax', 'attended', 'joined', 'norm', 'feedforward', 'layers', 'encoded',
  'input', 'self', 'cross', 'decoded',
  'logits', 'probabilities', 'loop',
] as const;
export type StageName = (typeof kStages)[number];
export const kGroups: readonly { name: 'input' | 'encoder' | 'decoder' | 'output'; first: StageName }[] = [
  { name: 'input', first: 'pieces' },
  { name: 'encoder', first: 'qkv' },
  { name: 'decoder', first: 'input' },
  { name: 'output', first: 'logits' },
];

interface Stage {
  title: string;
  about: string;
}

interface Texts {
  title: string;
  about: string;
  empty: string;
  failed: (why: string) => string;
  stages: string;
  previous: string;
  next: string;
  stageOf: (n: number, of: number) => string;
  groups: Record<'input' | 'encoder' | 'decoder' | 'output', string>;
  stage: Record<StageName, Stage>;
  facts: (rows: number, cols: number, min: string, max: string) => string;
  dimension: (n: number) => string;
  masked: string;
  pad: string;
  begin: string;
  layer: string;
  head: string;
  step: string;
  matrix: Record<string, string>;
  switches: Record<'positions' | 'scaled' | 'causal' | 'padded', string>;
  effect: string;
  effectAbout: string;
  writes: (what: string) => string;
  leak: string;
  nothing: string;
  unchanged: string;
  mean: string;
  distribution: string;
  productTitle: string;
  productAbout: string;
  distance: string;
  product: string;
  fromPosition: (p: number) => string;
  spreadTitle: string;
  spreadAbout: (queries: number, keys: number) => string;
  variance: string;
  largest: string;
  width: string;
  plain: string;
  divided: string;
  chosen: string;
  rank: (n: number) => string;
  play: string;
  pause: string;
  reads: string;
  writesWord: string;
  end: string;
  pairTitle: string;
  pairAbout: string;
  first: string;
  second: string;
  compare: string;
  withPositions: string;
  withoutPositions: string;
  translation: string;
  differences: string;
  samePairs: (largest: string) => string;
  differentPairs: (largest: string) => string;
  notPermuted: string;
  similarityTitle: string;
  similarityAbout: (seed: number) => string;
  similarity: Record<SimilarityName, { name: string; about: string }>;
  cost: string;
  operations: string;
  evaluations: string;
  time: string;
  measure: string;
  measuring: (done: number, of: number) => string;
  measuredHere: (tokens: number) => string;
  perSentence: (tokens: number) => string;
  raceTitle: string;
  raceAbout: (width: number, heads: number, seed: number) => string;
  recurrent: string;
  attention: (threads: number) => string;
  tokens: string;
  path: string;
  pathAbout: string;
  steps: string;
  yourSentence: (n: number) => string;
  raceResult: string;
}

export const text = messages<Texts>({
  en: {
    title: 'Step inside',
    about:
      'Your sentence’s way through the model that is loaded, one step after the other. Every number is the model’s own, as its engine computes it.',
    empty: 'Translate a sentence to walk through the model with it.',
    failed: (why) => `This sentence cannot be followed: ${why}`,
    stages: 'Stages of the walk',
    previous: 'Previous',
    next: 'Next',
    stageOf: (n, of) => `${n} of ${of}`,
    groups: { input: 'Words to vectors', encoder: 'Encoder', decoder: 'Decoder', output: 'The next word' },
    stage: {
      pieces: { title: 'Text, pieces, ids', about: 'The text is cut into pieces the model knows, and each piece becomes the number it has in the vocabulary; ▁ stands for a space, </s> for the end.' },
      embedding: { title: 'Embedding × √d', about: 'Each id picks its learned vector, its row in one large table, and multiplies it by the root of the width so that positions do not drown it.' },
      position: { title: 'Positions', about: 'Each place in the sentence has a vector of its own, made of sines and cosines from fast to slow: a clock with many hands.' },
      sum: { title: 'Word plus position', about: 'Word and position are added: from here on the same word in two places is two different vectors. Switch positions off to see what that is for.' },
      qkv: { title: 'Query, key, value', about: 'Three learned matrices turn each vector into a query (what am I looking for?), a key (what do I offer?) and a value (what do I pass on?). A head has its own three; the last rows are padding, because the sentence is computed beside a longer one.' },
      scores: { title: 'Scores q · k', about: 'Every query meets every key: the larger their dot product, the better they fit.' },
      scaled: { title: '÷ √dₖ', about: 'The dot product of two vectors spreads more the longer they are, so it is divided by √dₖ. Switch that off and softmax saturates: one key takes almost everything, and learning stops.' },
      masked: { title: 'Padding mask', about: 'Padding only fills the batch up and must not be looked at: its scores become −∞. Switch the mask off and attention is wasted on nothing.' },
      softmax: { title: 'Softmax', about: 'Each row of scores becomes weights between 0 and 1 that add up to 1: how much this token takes from each other.' },
      attended: { title: 'Weighted sum', about: 'Each token now takes the values of all others, as much of each as its weight says.' },
      joined: { title: 'Heads joined', about: 'All heads’ results are put side by side, and one more matrix mixes them back into the width of the model.' },
      norm: { title: 'Residual and layer norm', about: 'What attention found is added to what was there before, and each vector is brought to mean 0 and variance 1, then stretched and shifted by learned amounts.' },
      feedforward: { title: 'Feed-forward', about: 'Each token by itself passes through a wider layer and back: here nothing moves between tokens, but much of what the model knows is stored.' },
      layers: { title: 'Next layer', about: 'The same once more, with other weights: every layer reads what the one before it wrote. This is the stream after each of them.' },
      encoded: { title: 'Encoder’s output', about: 'One vector for each piece, which now knows its sentence. That is all the decoder gets to see of the source.' },
      input: { title: 'What the decoder reads', about: 'The decoder begins with a start symbol and reads what it has written so far, shifted by one: each row is to predict the next word.' },
      self: { title: 'Masked self-attention', about: 'A word may look at what was written before it, not at what comes after. Switch the causal mask off and the future leaks in, above the diagonal: in training the model would copy the answer instead of predicting it. This one has never seen the future, and is only confused by it.' },
      cross: { title: 'Cross-attention', about: 'Queries come from the translation, keys and values from the encoder: here the decoder looks at the source, and roughly says which word it is translating.' },
      decoded: { title: 'Decoder’s output', about: 'After residuals, norms and feed-forward of every layer, each row holds what the model has to say about the next word.' },
      logits: { title: 'Logits', about: 'That vector is compared with the embedding of every word in the vocabulary: one number for each of them.' },
      probabilities: { title: 'Probabilities', about: 'Softmax once more: the numbers become probabilities of the next word.' },
      loop: { title: 'And back in', about: 'The chosen word goes back in as the next input, again and again, until the end symbol </s> is chosen.' },
    },
    facts: (rows, cols, min, max) => `${rows} × ${cols}, ${min} to ${max}`,
    dimension: (n) => `dimension ${n}`,
    masked: 'masked (−∞)',
    pad: 'padding',
    begin: 'start',
    layer: 'Layer',
    head: 'Head',
    step: 'Decoding step',
    matrix: {
      words: 'E, the embeddings', scaled: '√d · E', positions: 'PE, the positions', sum: 'x, what goes in',
      queries: 'Q, queries', keys: 'K, keys', values: 'V, values', scores: 'Q Kᵀ, scores', scaledScores: 'scores ÷ √dₖ', unscaled: 'scores, not divided',
      masked: 'masked scores', weights: 'weights', attended: 'weights · V', joined: 'all heads side by side', output: 'after Wₒ',
      residual: 'x, before', total: 'x + what attention found', normed: 'after layer norm', hidden: 'hidden layer', fed: 'after the second matrix',
      after: 'after layer', encoded: 'encoder’s output', decoderInput: 'word + position', decoded: 'decoder’s output', logits: 'logits of this step',
    },
    switches: { positions: 'Positions added', scaled: 'Divided by √dₖ', causal: 'Causal mask', padded: 'Padding mask' },
    effect: 'What that does to this translation',
    effectAbout: 'Probability of each of its words: as trained, and computed so.',
    writes: (what) => `Computed so, the model would write: “${what}”`,
    nothing: '(nothing)',
    leak: 'Where the future leaks in: right of the outlined steps in the weights, and in the probabilities here, for which the whole translation is read at once. The sentence below is written word by word: when a word is chosen, nothing after it exists yet, so there nothing can leak in.',
    unchanged: 'All switches are on: the model computes as it was trained.',
    mean: 'mean', distribution: 'How the values are spread',
    productTitle: 'Positions know their distance',
    productAbout: 'The dot product of two positions, against how far they lie apart. The curves of different positions fall on one another: it depends on the distance alone.',
    distance: 'distance', product: 'PE(p) · PE(p + distance)', fromPosition: (p) => `from position ${p}`,
    spreadTitle: 'Why √dₖ',
    spreadAbout: (queries, keys) => `${queries} random queries against ${keys} random keys of standard normal numbers: the variance of q · k is about dₖ, and softmax gives ever more to the one that happens to be largest.`,
    variance: 'variance', largest: 'largest weight, mean', width: 'dₖ', plain: 'q · k', divided: 'q · k ÷ √dₖ',
    chosen: 'chosen', rank: (n) => `choice ${n}`,
    play: 'Play', pause: 'Pause', reads: 'reads', writesWord: 'writes', end: 'The end symbol is chosen: done.',
    pairTitle: '狗追猫 and 猫追狗: what positions are for',
    pairAbout: 'Two sentences of the same pieces in another order. Without positions the encoder gives the very same vectors, only in another order: it cannot know who chases whom. Try two of your own.',
    first: 'First sentence', second: 'Second sentence', compare: 'Compare',
    withPositions: 'With positions', withoutPositions: 'Without positions', translation: 'Translation',
    differences: 'largest difference between vectors',
    samePairs: (largest) => `The same pieces have the same vectors: they differ by at most ${largest}, which is rounding.`,
    differentPairs: (largest) => `The same pieces have different vectors: they differ by up to ${largest}.`,
    notPermuted: 'These two are not the same pieces in another order, so their vectors need not be the same; the pieces that both have are compared.',
    similarityTitle: 'Other ways to compare query and key',
    similarityAbout: (seed) => `The same queries and keys of the chosen encoder head, compared in seven ways; each row is one token’s weights after softmax. Parameters that a way needs are random here (normal, seed ${seed}), since this model has never learned them: they show the form and the cost, not a trained result.`,
    similarity: {
      dot: { name: 'Dot product', about: 'q · k' },
      scaled: { name: 'Scaled dot product', about: 'q · k ÷ √d: this model’s own' },
      cosine: { name: 'Cosine', about: 'q · k ÷ (|q| |k|): direction only' },
      additive: { name: 'Additive (Bahdanau)', about: 'v · tanh(W q + U k)' },
      concat: { name: 'Concatenation (Luong)', about: 'v · tanh([W U] [q; k]): additive, computed pair by pair' },
      mlp: { name: 'Small network', about: 'w · relu(A [q; k; q ⊙ k] + b) + c' },
      naive: { name: 'Naive: q = k = v = x', about: 'x · x′: no projections, each token mostly sees itself' },
    },
    cost: 'What each costs', operations: 'multiply-adds', evaluations: 'tanh, relu, roots, divisions', time: 'time',
    measure: 'Measure on this machine', measuring: (done, of) => `Measuring: ${done} of ${of}`,
    measuredHere: (tokens) => `Measured here, on one thread: ${tokens} queries with ${tokens} keys, dₖ from 8 to 1024.`,
    perSentence: (tokens) => `for these ${tokens} tokens`,
    raceTitle: 'Sequential against parallel',
    raceAbout: (width, heads, seed) => `A recurrent encoder (a GRU, ${width} → ${width}) reads token after token; self-attention (${heads} heads, width ${width}) reads all at once. Both with random weights (seed ${seed}) in 32-bit floats, measured on this machine.`,
    recurrent: 'Recurrent (GRU), 1 thread', attention: (threads) => `Self-attention, ${threads === 1 ? '1 thread' : `${threads} threads`}`,
    tokens: 'tokens', path: 'Longest path', pathAbout: 'steps between the two farthest tokens', steps: 'Steps that wait for each other',
    yourSentence: (n) => `your sentence: ${n}`,
    raceResult: 'A recurrent layer has to wait for every step before the next; attention’s path is always 1, its work grows with the square of the length. That is why it wins on sentences, and would lose on very long texts with few processors.',
  },
  de: {
    title: 'Im Inneren',
    about:
      'Der Weg Ihres Satzes durch das geladene Modell, Schritt für Schritt. Jede Zahl ist die des Modells, wie seine Maschine sie rechnet.',
    empty: 'Übersetzen Sie einen Satz, um mit ihm durch das Modell zu gehen.',
    failed: (why) => `Diesem Satz lässt sich nicht folgen: ${why}`,
    stages: 'Stationen des Weges',
    previous: 'Zurück',
    next: 'Weiter',
    stageOf: (n, of) => `${n} von ${of}`,
    groups: { input: 'Von Wörtern zu Vektoren', encoder: 'Encoder', decoder: 'Decoder', output: 'Das nächste Wort' },
    stage: {
      pieces: { title: 'Text, Stücke, Nummern', about: 'Der Text wird in Stücke zerlegt, die das Modell kennt, und jedes Stück wird zu seiner Nummer im Vokabular; ▁ steht für ein Leerzeichen, </s> für das Ende.' },
      embedding: { title: 'Einbettung × √d', about: 'Jede Nummer wählt ihren gelernten Vektor, ihre Zeile in einer großen Tabelle, und wird mit der Wurzel der Breite malgenommen, damit die Positionen sie nicht übertönen.' },
      position: { title: 'Positionen', about: 'Jeder Platz im Satz hat einen eigenen Vektor aus Sinus und Kosinus, von schnell bis langsam: eine Uhr mit vielen Zeigern.' },
      sum: { title: 'Wort plus Position', about: 'Wort und Position werden addiert: Von hier an sind zwei gleiche Wörter an zwei Plätzen zwei verschiedene Vektoren. Schalten Sie die Positionen ab und sehen Sie, wozu das gut ist.' },
      qkv: { title: 'Query, Key, Value', about: 'Drei gelernte Matrizen machen aus jedem Vektor eine Query (was suche ich?), einen Key (was biete ich?) und einen Value (was gebe ich weiter?). Jeder Kopf hat seine eigenen drei; die letzten Zeilen sind Füllung, weil der Satz neben einem längeren gerechnet wird.' },
      scores: { title: 'Scores q · k', about: 'Jede Query trifft jeden Key: Je größer ihr Skalarprodukt, desto besser passen sie zusammen.' },
      scaled: { title: '÷ √dₖ', about: 'Das Skalarprodukt zweier Vektoren streut umso mehr, je länger sie sind; darum wird es durch √dₖ geteilt. Schalten Sie das ab, und Softmax sättigt: Ein Key bekommt fast alles, und das Lernen hört auf.' },
      masked: { title: 'Füllmaske', about: 'Füllung macht nur den Stapel voll und darf nicht angesehen werden: Ihre Scores werden −∞. Schalten Sie die Maske ab, und Aufmerksamkeit geht ins Leere.' },
      softmax: { title: 'Softmax', about: 'Jede Zeile wird zu Gewichten zwischen 0 und 1, die zusammen 1 ergeben: wie viel dieses Token von jedem anderen nimmt.' },
      attended: { title: 'Gewichtete Summe', about: 'Jedes Token nimmt nun die Values aller anderen, von jedem so viel, wie sein Gewicht sagt.' },
      joined: { title: 'Köpfe vereint', about: 'Die Ergebnisse aller Köpfe kommen nebeneinander, und eine weitere Matrix mischt sie zurück in die Breite des Modells.' },
      norm: { title: 'Residuum und Layer-Norm', about: 'Was die Attention fand, wird zu dem addiert, was vorher da war; dann wird jeder Vektor auf Mittel 0 und Varianz 1 gebracht und um gelernte Beträge gestreckt und verschoben.' },
      feedforward: { title: 'Feed-forward', about: 'Jedes Token geht für sich durch eine breitere Schicht und zurück: Hier wandert nichts zwischen den Token, aber hier steckt viel von dem, was das Modell weiß.' },
      layers: { title: 'Nächste Schicht', about: 'Dasselbe noch einmal mit anderen Gewichten: Jede Schicht liest, was die vorige schrieb. So sieht der Strom nach jeder von ihnen aus.' },
      encoded: { title: 'Ausgabe des Encoders', about: 'Ein Vektor für jedes Stück, der nun seinen Satz kennt. Mehr bekommt der Decoder von der Quelle nicht zu sehen.' },
      input: { title: 'Was der Decoder liest', about: 'Der Decoder beginnt mit einem Startzeichen und liest, was er schon geschrieben hat, um eins verschoben: Jede Zeile soll das nächste Wort vorhersagen.' },
      self: { title: 'Maskierte Self-Attention', about: 'Ein Wort darf sehen, was vor ihm geschrieben wurde, nicht, was danach kommt. Schalten Sie die kausale Maske ab, und die Zukunft sickert ein, über der Diagonale: Im Training schriebe das Modell die Antwort ab, statt sie vorherzusagen. Dieses hier hat die Zukunft nie gesehen und wird von ihr nur verwirrt.' },
      cross: { title: 'Cross-Attention', about: 'Querys kommen aus der Übersetzung, Keys und Values aus dem Encoder: Hier sieht der Decoder auf die Quelle und sagt ungefähr, welches Wort er gerade übersetzt.' },
      decoded: { title: 'Ausgabe des Decoders', about: 'Nach Residuen, Normen und Feed-forward jeder Schicht steht in jeder Zeile, was das Modell zum nächsten Wort zu sagen hat.' },
      logits: { title: 'Logits', about: 'Dieser Vektor wird mit der Einbettung jedes Wortes im Vokabular verglichen: eine Zahl für jedes.' },
      probabilities: { title: 'Wahrscheinlichkeiten', about: 'Noch einmal Softmax: Aus den Zahlen werden Wahrscheinlichkeiten des nächsten Wortes.' },
      loop: { title: 'Und wieder hinein', about: 'Das gewählte Wort geht als nächste Eingabe wieder hinein, immer wieder, bis das Endzeichen </s> gewählt wird.' },
    },
    facts: (rows, cols, min, max) => `${rows} × ${cols}, ${min} bis ${max}`,
    dimension: (n) => `Dimension ${n}`,
    masked: 'maskiert (−∞)',
    pad: 'Füllung',
    begin: 'Start',
    layer: 'Schicht',
    head: 'Kopf',
    step: 'Decoderschritt',
    matrix: {
      words: 'E, die Einbettungen', scaled: '√d · E', positions: 'PE, die Positionen', sum: 'x, was hineingeht',
      queries: 'Q, Querys', keys: 'K, Keys', values: 'V, Values', scores: 'Q Kᵀ, Scores', scaledScores: 'Scores ÷ √dₖ', unscaled: 'Scores, nicht geteilt',
      masked: 'maskierte Scores', weights: 'Gewichte', attended: 'Gewichte · V', joined: 'alle Köpfe nebeneinander', output: 'nach Wₒ',
      residual: 'x, vorher', total: 'x + was die Attention fand', normed: 'nach der Layer-Norm', hidden: 'verborgene Schicht', fed: 'nach der zweiten Matrix',
      after: 'nach Schicht', encoded: 'Ausgabe des Encoders', decoderInput: 'Wort + Position', decoded: 'Ausgabe des Decoders', logits: 'Logits dieses Schritts',
    },
    switches: { positions: 'Positionen addiert', scaled: 'Durch √dₖ geteilt', causal: 'Kausale Maske', padded: 'Füllmaske' },
    effect: 'Was das mit dieser Übersetzung macht',
    effectAbout: 'Wahrscheinlichkeit jedes ihrer Wörter: wie trainiert, und so gerechnet.',
    writes: (what) => `So gerechnet schriebe das Modell: „${what}“`,
    nothing: '(nichts)',
    leak: 'Wo die Zukunft einsickert: rechts der umrandeten Stufen in den Gewichten, und in den Wahrscheinlichkeiten hier, für die die ganze Übersetzung auf einmal gelesen wird. Der Satz darunter entsteht Wort für Wort: Wird ein Wort gewählt, gibt es dahinter noch nichts, also kann dort nichts einsickern.',
    unchanged: 'Alle Schalter sind an: Das Modell rechnet, wie es trainiert wurde.',
    mean: 'Mittel', distribution: 'Wie die Werte streuen',
    productTitle: 'Positionen kennen ihren Abstand',
    productAbout: 'Das Skalarprodukt zweier Positionen über ihrem Abstand. Die Kurven verschiedener Positionen fallen aufeinander: Es hängt allein vom Abstand ab.',
    distance: 'Abstand', product: 'PE(p) · PE(p + Abstand)', fromPosition: (p) => `ab Position ${p}`,
    spreadTitle: 'Warum √dₖ',
    spreadAbout: (queries, keys) => `${queries} zufällige Querys gegen ${keys} zufällige Keys aus standardnormalen Zahlen: Die Varianz von q · k ist etwa dₖ, und Softmax gibt immer mehr dem, der zufällig der größte ist.`,
    variance: 'Varianz', largest: 'größtes Gewicht, Mittel', width: 'dₖ', plain: 'q · k', divided: 'q · k ÷ √dₖ',
    chosen: 'gewählt', rank: (n) => `Wahl ${n}`,
    play: 'Abspielen', pause: 'Anhalten', reads: 'liest', writesWord: 'schreibt', end: 'Das Endzeichen ist gewählt: fertig.',
    pairTitle: '狗追猫 und 猫追狗: wozu Positionen gut sind',
    pairAbout: 'Zwei Sätze aus denselben Stücken in anderer Reihenfolge. Ohne Positionen liefert der Encoder genau dieselben Vektoren, nur anders geordnet: Er kann nicht wissen, wer wen jagt. Versuchen Sie zwei eigene.',
    first: 'Erster Satz', second: 'Zweiter Satz', compare: 'Vergleichen',
    withPositions: 'Mit Positionen', withoutPositions: 'Ohne Positionen', translation: 'Übersetzung',
    differences: 'größter Unterschied zwischen Vektoren',
    samePairs: (largest) => `Gleiche Stücke haben gleiche Vektoren: Sie unterscheiden sich um höchstens ${largest}, das ist Rundung.`,
    differentPairs: (largest) => `Gleiche Stücke haben verschiedene Vektoren: Sie unterscheiden sich um bis zu ${largest}.`,
    notPermuted: 'Diese beiden sind nicht dieselben Stücke in anderer Reihenfolge, ihre Vektoren müssen also nicht gleich sein; verglichen werden die Stücke, die beide haben.',
    similarityTitle: 'Andere Wege, Query und Key zu vergleichen',
    similarityAbout: (seed) => `Dieselben Querys und Keys des gewählten Encoder-Kopfs, auf sieben Weisen verglichen; jede Zeile zeigt die Gewichte eines Tokens nach Softmax. Parameter, die ein Weg braucht, sind hier zufällig (normal, Startwert ${seed}), denn dieses Modell hat sie nie gelernt: Sie zeigen Form und Aufwand, kein trainiertes Ergebnis.`,
    similarity: {
      dot: { name: 'Skalarprodukt', about: 'q · k' },
      scaled: { name: 'Skaliertes Skalarprodukt', about: 'q · k ÷ √d: das dieses Modells' },
      cosine: { name: 'Kosinus', about: 'q · k ÷ (|q| |k|): nur die Richtung' },
      additive: { name: 'Additiv (Bahdanau)', about: 'v · tanh(W q + U k)' },
      concat: { name: 'Verkettung (Luong)', about: 'v · tanh([W U] [q; k]): additiv, Paar für Paar gerechnet' },
      mlp: { name: 'Kleines Netz', about: 'w · relu(A [q; k; q ⊙ k] + b) + c' },
      naive: { name: 'Naiv: q = k = v = x', about: 'x · x′: ohne Projektionen sieht jedes Token vor allem sich selbst' },
    },
    cost: 'Was jeder kostet', operations: 'Multiplikationen mit Addition', evaluations: 'tanh, relu, Wurzeln, Divisionen', time: 'Zeit',
    measure: 'Auf diesem Gerät messen', measuring: (done, of) => `Misst: ${done} von ${of}`,
    measuredHere: (tokens) => `Hier gemessen, auf einem Thread: ${tokens} Querys mit ${tokens} Keys, dₖ von 8 bis 1024.`,
    perSentence: (tokens) => `für diese ${tokens} Token`,
    raceTitle: 'Nacheinander gegen nebeneinander',
    raceAbout: (width, heads, seed) => `Ein rekurrenter Encoder (eine GRU, ${width} → ${width}) liest Token für Token; Self-Attention (${heads} Köpfe, Breite ${width}) liest alle auf einmal. Beide mit zufälligen Gewichten (Startwert ${seed}) in 32-Bit-Zahlen, auf diesem Gerät gemessen.`,
    recurrent: 'Rekurrent (GRU), 1 Thread', attention: (threads) => `Self-Attention, ${threads === 1 ? '1 Thread' : `${threads} Threads`}`,
    tokens: 'Token', path: 'Längster Weg', pathAbout: 'Schritte zwischen den zwei entferntesten Token', steps: 'Schritte, die aufeinander warten',
    yourSentence: (n) => `Ihr Satz: ${n}`,
    raceResult: 'Eine rekurrente Schicht muss vor jedem Schritt auf den vorigen warten; bei Attention ist der Weg immer 1, ihr Aufwand wächst mit dem Quadrat der Länge. Darum gewinnt sie bei Sätzen und verlöre bei sehr langen Texten mit wenigen Prozessoren.',
  },
  zh: {
    title: '走进模型',
    about: '您的句子如何一步步穿过已加载的模型。每个数字都是模型自己的，由它的引擎算出。',
    empty: '先翻译一个句子，再带着它走进模型。',
    failed: (why) => `无法跟踪这个句子：${why}`,
    stages: '各个阶段',
    previous: '上一步',
    next: '下一步',
    stageOf: (n, of) => `第 ${n} 步，共 ${of} 步`,
    groups: { input: '从词到向量', encoder: '编码器', decoder: '解码器', output: '下一个词' },
    stage: {
      pieces: { title: '文本、词片、编号', about: '文本被切成模型认识的词片，每个词片换成它在词表中的编号；▁ 代表空格，</s> 代表结束。' },
      embedding: { title: '嵌入 × √d', about: '每个编号从一张大表里取出学到的向量（表中的一行），再乘以宽度的平方根，以免被位置盖过。' },
      position: { title: '位置', about: '句中每个位置都有自己的向量，由从快到慢的正弦和余弦组成，像一只有许多指针的钟。' },
      sum: { title: '词加位置', about: '词与位置相加：从此同一个词在两个位置就是两个不同的向量。关掉位置，看看它有什么用。' },
      qkv: { title: '查询、键、值', about: '三个学到的矩阵把每个向量变成查询（我在找什么？）、键（我能提供什么？）和值（我传递什么？）。每个头各有三个；最后几行是填充，因为这个句子和一个更长的句子一起计算。' },
      scores: { title: '分数 q · k', about: '每个查询与每个键相遇：点积越大，越匹配。' },
      scaled: { title: '÷ √dₖ', about: '向量越长，点积的波动越大，所以要除以 √dₖ。关掉它，softmax 就会饱和：一个键几乎独占全部权重，学习也就停滞了。' },
      masked: { title: '填充掩码', about: '填充只是把批次补齐，不应被看到：它的分数变成 −∞。关掉掩码，注意力就会浪费在空处。' },
      softmax: { title: 'Softmax', about: '每一行分数变成 0 到 1 之间、总和为 1 的权重：这个词从其他每个词取多少。' },
      attended: { title: '加权求和', about: '每个词按照权重，从所有词的值里各取一份。' },
      joined: { title: '多头合并', about: '各个头的结果并排放在一起，再用一个矩阵混合回模型的宽度。' },
      norm: { title: '残差与层归一化', about: '注意力找到的内容加到原来的向量上，再把每个向量调到均值 0、方差 1，然后按学到的幅度缩放和平移。' },
      feedforward: { title: '前馈网络', about: '每个词各自经过一个更宽的层再回来：这里词与词之间没有交流，但模型的许多知识存放于此。' },
      layers: { title: '下一层', about: '用另一组权重再来一遍：每一层读取前一层写下的内容。这是经过每一层之后的样子。' },
      encoded: { title: '编码器的输出', about: '每个词片一个向量，它已了解整个句子。解码器对原文的了解仅限于此。' },
      input: { title: '解码器读什么', about: '解码器从起始符开始，读取自己已经写出的内容，错开一位：每一行都要预测下一个词。' },
      self: { title: '带掩码的自注意力', about: '一个词只能看它之前写出的内容，不能看之后的。关掉因果掩码，未来就会泄漏进来（对角线上方）：若在训练中，模型会抄答案而不是预测。这个模型从未见过未来，只会被它弄糊涂。' },
      cross: { title: '交叉注意力', about: '查询来自译文，键和值来自编码器：解码器在这里看原文，大致说明它正在翻译哪个词。' },
      decoded: { title: '解码器的输出', about: '经过每一层的残差、归一化和前馈之后，每一行都包含模型对下一个词的看法。' },
      logits: { title: '对数几率', about: '这个向量与词表中每个词的嵌入比较：每个词得到一个数。' },
      probabilities: { title: '概率', about: '再做一次 softmax：这些数变成下一个词的概率。' },
      loop: { title: '再送回去', about: '选出的词作为下一个输入送回去，一遍又一遍，直到选中结束符 </s>。' },
    },
    facts: (rows, cols, min, max) => `${rows} × ${cols}，${min} 到 ${max}`,
    dimension: (n) => `第 ${n} 维`,
    masked: '已遮住（−∞）',
    pad: '填充',
    begin: '起始',
    layer: '层',
    head: '头',
    step: '解码步',
    matrix: {
      words: 'E，嵌入', scaled: '√d · E', positions: 'PE，位置', sum: 'x，输入',
      queries: 'Q，查询', keys: 'K，键', values: 'V，值', scores: 'Q Kᵀ，分数', scaledScores: '分数 ÷ √dₖ', unscaled: '未除的分数',
      masked: '掩码后的分数', weights: '权重', attended: '权重 · V', joined: '所有头并排', output: '经过 Wₒ',
      residual: 'x，之前', total: 'x + 注意力的结果', normed: '层归一化之后', hidden: '隐藏层', fed: '经过第二个矩阵',
      after: '经过第几层：', encoded: '编码器的输出', decoderInput: '词 + 位置', decoded: '解码器的输出', logits: '这一步的对数几率',
    },
    switches: { positions: '加上位置', scaled: '除以 √dₖ', causal: '因果掩码', padded: '填充掩码' },
    effect: '对这个译文的影响',
    effectAbout: '每个词的概率：按训练时的方式，以及这样计算。',
    writes: (what) => `这样计算，模型会写：“${what}”`,
    nothing: '（什么也没有）',
    leak: '未来从哪里泄漏：在权重图中阶梯线的右侧，以及这里列出的概率，因为计算它们时整句译文是一次读入的。下面的句子则逐词写出：选一个词时，它后面的词还不存在，所以那里无从泄漏。',
    unchanged: '所有开关都开着：模型按训练时的方式计算。',
    mean: '均值', distribution: '数值的分布',
    productTitle: '位置知道彼此的距离',
    productAbout: '两个位置的点积随距离变化。不同位置的曲线重合在一起：它只取决于距离。',
    distance: '距离', product: 'PE(p) · PE(p + 距离)', fromPosition: (p) => `从位置 ${p} 起`,
    spreadTitle: '为什么除以 √dₖ',
    spreadAbout: (queries, keys) => `${queries} 个随机查询对 ${keys} 个随机键，都由标准正态数组成：q · k 的方差约为 dₖ，softmax 会把越来越多的权重给碰巧最大的那个。`,
    variance: '方差', largest: '最大权重的平均', width: 'dₖ', plain: 'q · k', divided: 'q · k ÷ √dₖ',
    chosen: '选中', rank: (n) => `第 ${n} 选`,
    play: '播放', pause: '暂停', reads: '读', writesWord: '写', end: '选中了结束符：完成。',
    pairTitle: '狗追猫与猫追狗：位置有什么用',
    pairAbout: '两个句子由相同的词片组成，只是顺序不同。没有位置，编码器给出的就是完全相同的向量，只是换了顺序：它无从知道谁在追谁。试试您自己的两个句子。',
    first: '第一句', second: '第二句', compare: '比较',
    withPositions: '有位置', withoutPositions: '没有位置', translation: '译文',
    differences: '向量之间的最大差',
    samePairs: (largest) => `相同的词片有相同的向量：最多相差 ${largest}，这只是舍入误差。`,
    differentPairs: (largest) => `相同的词片有不同的向量：最多相差 ${largest}。`,
    notPermuted: '这两句不是同样词片的不同排列，向量不必相同；只比较两句都有的词片。',
    similarityTitle: '比较查询与键的其他方法',
    similarityAbout: (seed) => `所选编码器头的同一组查询和键，用七种方法比较；每一行是一个词经 softmax 后的权重。某种方法需要的参数在这里是随机的（正态分布，种子 ${seed}），因为这个模型从未学过它们：它们展示形式和代价，而不是训练的结果。`,
    similarity: {
      dot: { name: '点积', about: 'q · k' },
      scaled: { name: '缩放点积', about: 'q · k ÷ √d：这个模型所用' },
      cosine: { name: '余弦', about: 'q · k ÷ (|q| |k|)：只看方向' },
      additive: { name: '加性（Bahdanau）', about: 'v · tanh(W q + U k)' },
      concat: { name: '拼接（Luong）', about: 'v · tanh([W U] [q; k])：即加性，逐对计算' },
      mlp: { name: '小型网络', about: 'w · relu(A [q; k; q ⊙ k] + b) + c' },
      naive: { name: '朴素：q = k = v = x', about: 'x · x′：没有投影，每个词主要看到自己' },
    },
    cost: '各自的代价', operations: '乘加次数', evaluations: 'tanh、relu、开方、除法', time: '时间',
    measure: '在本机测量', measuring: (done, of) => `正在测量：${done} / ${of}`,
    measuredHere: (tokens) => `在本机单线程测得：${tokens} 个查询对 ${tokens} 个键，dₖ 从 8 到 1024。`,
    perSentence: (tokens) => `对这 ${tokens} 个词`,
    raceTitle: '串行与并行',
    raceAbout: (width, heads, seed) => `循环编码器（GRU，${width} → ${width}）一个词一个词地读；自注意力（${heads} 个头，宽度 ${width}）一次读完。两者都用随机权重（种子 ${seed}）和 32 位浮点数，在本机测量。`,
    recurrent: '循环（GRU），1 个线程', attention: (threads) => `自注意力，${threads} 个线程`,
    tokens: '词数', path: '最长路径', pathAbout: '相距最远的两个词之间的步数', steps: '必须依次等待的步数',
    yourSentence: (n) => `您的句子：${n}`,
    raceResult: '循环层的每一步都要等前一步；注意力的路径总是 1，但计算量随长度的平方增长。所以它在句子上占优，而在处理器不多、文本极长时会落后。',
  },
});
