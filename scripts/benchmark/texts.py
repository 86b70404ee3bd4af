"""What is translated: own sentences of sentences/LANGUAGE.txt, and pseudo-word ones for the random-weight models."""

import random
from pathlib import Path

import vocabulary

HERE = Path(__file__).resolve().parent
DOCUMENT_WORDS = 2000
ZH_WORD = 1.6  # characters of a Chinese word, as the file's sections count them
ONES = (10, 25, 60)  # words
# More than are measured: some make up for turns that were disturbed.
REPEATS = {"one10": 14, "one25": 80, "one60": 9, "batch32": 32, "batch512": 3, "document": 5}


def sections(language):
    """{"10": [...], "25": [...], "60": [...], "mixed": [...]}: the file's sentences by length in words."""
    lines = (HERE / "sentences" / f"{language}.txt").read_text(encoding="utf-8").splitlines()
    result, current = {}, []
    for line in lines[1:]:
        if line.startswith("#"):
            current = result.setdefault(line[1:].strip(), [])
        elif line:
            current.append(line)
    return result


def sentences(language):
    return [line for lines in sections(language).values() for line in lines]


def pseudo_sentences(count, words, seed):
    """`count` sentences of `words` pieces each."""
    generator = random.Random(seed)
    known = vocabulary.pseudo_words(30000)
    return [" ".join(generator.choice(known) for _ in range(words)) for _ in range(count)]


def random_workloads():
    """Sentences of one length, so that one limit on the target's length gives every engine the same work: twice the
    source's pieces with </s>, the limit that Bergamot sets itself."""
    work = {}
    for seed, words in enumerate(ONES):
        work[f"one{words}"] = {"length": 2 * words + 2,
                               "runs": [[text] for text in pseudo_sentences(REPEATS[f"one{words}"], words, seed)]}
    for seed, (name, count, words) in enumerate((("batch32", 32, 25), ("batch512", 512, 25),
                                                 ("document", DOCUMENT_WORDS // 20, 20)), 10):
        texts = pseudo_sentences(count * REPEATS[name], words, seed)
        work[name] = {"length": 2 * words + 2,
                      "runs": [texts[i * count:(i + 1) * count] for i in range(REPEATS[name])]}
    work["compare"] = {"length": 52, "runs": [pseudo_sentences(32, 25, 99)]}
    work["warm"] = {"length": 52, "runs": [[text] for text in pseudo_sentences(24, 25, 98)]}
    return work


def shipped_workloads(language):
    """No text twice: beyond the file's own, sentences carry a number, so that no cache of translations helps."""
    by_length, everything = sections(language), sentences(language)
    numbers = iter(range(1, 10 ** 6))
    count_words = (lambda text: len(text) / ZH_WORD) if language == "zh" else (lambda text: len(text.split()))

    def numbered(text):
        return f"{next(numbers)} {text}"

    work = {}
    for words in ONES:
        texts = by_length[str(words)]
        more = REPEATS[f"one{words}"] - len(texts)
        runs = texts + [numbered(texts[i % len(texts)]) for i in range(more)]
        work[f"one{words}"] = {"length": None, "runs": [[text] for text in runs]}
    for name, count in (("batch32", 32), ("batch512", 512)):
        generator = random.Random(count)
        runs = []
        for _ in range(REPEATS[name]):
            texts = (everything * (count // len(everything) + 1))[:count]
            if count < len(everything):
                texts = generator.sample(everything, count)
            generator.shuffle(texts)
            runs.append([numbered(text) for text in texts])
        work[name] = {"length": None, "runs": runs}
    # A document: paragraphs of five sentences, a line each. `sentences`: the same for engines that do not split.
    runs, split = [], []
    generator = random.Random(2000)
    for _ in range(REPEATS["document"]):
        chosen, total = [], 0
        while total < DOCUMENT_WORDS:
            chosen.append(numbered(generator.choice(everything)))
            total += count_words(chosen[-1])
        split.append(chosen)
        joint = "" if language == "zh" else " "
        runs.append([joint.join(chosen[i:i + 5]) for i in range(0, len(chosen), 5)])
    work["document"] = {"length": None, "runs": runs, "sentences": split}
    work["compare"] = {"length": None, "runs": [everything]}
    work["warm"] = {"length": None, "runs": [[numbered(text)] for text in everything[12:36]]}
    return work
