"""What is translated: own sentences of sentences/LANGUAGE.txt, and pseudo-word ones for the random-weight models."""

import random
from pathlib import Path

import vocabulary

HERE = Path(__file__).resolve().parent


def sentences(language):
    """The file's sentences, in its order. Lines beginning with # are remarks."""
    lines = (HERE / "sentences" / f"{language}.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def pseudo_sentences(count, words, seed):
    """`count` sentences of `words` pieces each."""
    generator = random.Random(seed)
    known = vocabulary.pseudo_words(30000)
    return [" ".join(generator.choice(known) for _ in range(words)) for _ in range(count)]
