// The functions for looking at the model from inside that a `inside` request may call, and what they
// are functions of: the module itself or the model that is loaded.

export const kInside: Readonly<Record<string, 'engine' | 'translator'>> = {
  trace: 'translator',
  comparePair: 'translator',
  compareSimilarities: 'translator',
  measureSimilarity: 'engine',
  sampleScores: 'engine',
  positionProducts: 'engine',
  startRace: 'engine',
  runRace: 'engine',
};
