"""A SentencePiece vocabulary made without any text: pseudo-words of syllables, each one piece.

The random-weight models need a vocabulary of Firefox's size whose sentences have a known number of pieces; a trained
one would need data that a fresh clone does not have. Written as the ModelProto itself: unigram, identity
normalisation, 0 </s>, 1 <unk>, no <s>.
"""

import itertools
import random
import struct

CONSONANTS, VOWELS = "bdfghjklmnprstvz", "aeiou"


def pseudo_words(count):
    """Distinct words of two and three syllables, in an order that mixes them; always the same."""
    syllables = [c + v for c, v in itertools.product(CONSONANTS, VOWELS)]
    two = ["".join(pair) for pair in itertools.product(syllables, repeat=2)]
    generator = random.Random(20)
    words = set(two)
    while len(words) < count:
        words.add("".join(generator.choice(syllables) for _ in range(3)))
    words = sorted(words)
    generator.shuffle(words)
    return words[:count]


def varint(value):
    out = bytearray()
    while True:
        out.append(value & 0x7F | (0x80 if value > 0x7F else 0))
        value >>= 7
        if not value:
            return bytes(out)


def field_bytes(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def field_int(number, value):
    return varint(number << 3) + varint(value & (1 << 64) - 1)


def pieces(size):
    """[(piece, score, type)]: type 1 normal, 2 unknown, 3 control. Words score higher the earlier they come."""
    characters = ["▁", *CONSONANTS, *VOWELS, *".,"]
    words = pseudo_words(size - 2 - len(characters))
    result = [("</s>", 0.0, 3), ("<unk>", 0.0, 2)]
    result += [("▁" + word, -8 - 4 * i / len(words), 1) for i, word in enumerate(words)]
    return result + [(character, -14.0, 1) for character in characters]


def model_proto(vocabulary):
    out = b""
    for piece, score, kind in vocabulary:
        message = field_bytes(1, piece.encode()) + varint(2 << 3 | 5) + struct.pack("<f", score)
        out += field_bytes(1, message + (field_int(3, kind) if kind != 1 else b""))
    trainer = field_int(3, 1) + field_int(4, len(vocabulary)) + field_int(40, 1) + field_int(41, -1) + field_int(42, 0)
    trainer += field_int(43, -1) + field_bytes(45, b"<unk>") + field_bytes(47, b"</s>")
    normalizer = field_bytes(1, b"identity") + field_int(3, 1) + field_int(4, 1) + field_int(5, 1)
    return out + field_bytes(2, trainer) + field_bytes(3, normalizer)
