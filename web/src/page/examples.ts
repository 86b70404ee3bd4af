// Sentences to try, by language: who does what to whom first, then everyday text, several sentences last.

const kExamples: Record<string, readonly string[]> = {
  zh: [
    '狗追猫。',
    '猫追狗。',
    '你叫什么名字？',
    '我昨天在图书馆看了一本有意思的书。',
    '如果明天下雨，我们就待在家里。',
    '今天天气很好。我们去公园走走吧！你想一起来吗？',
  ],
  en: [
    'The dog chases the cat.',
    'The cat chases the dog.',
    'What is your name?',
    'Two dogs are running across a green field.',
    'If it rains tomorrow, we will stay at home.',
    'The weather is nice today. Let us go for a walk in the park! Would you like to come with us?',
  ],
  de: [
    'Der Hund jagt die Katze.',
    'Den Hund jagt die Katze.',
    'Wie heißt du?',
    'Ich habe gestern in der Bibliothek ein interessantes Buch gelesen.',
    'Wenn es morgen regnet, bleiben wir zu Hause.',
    'Das Wetter ist heute schön. Gehen wir im Park spazieren! Möchtest du mitkommen?',
  ],
};

/** At least one, in any language. */
export function examplesOf(language: string): readonly string[] {
  return kExamples[language] ?? kExamples.en!;
}

export function isExample(text: string): boolean {
  return Object.values(kExamples).some((examples) => examples.includes(text));
}
