"""Sentence pairs -> shortlist.bin: which target ids the pieces of a source sentence can become.

    python shortlist.py zh-en [--model web/public/models/zh-en] [--train FILE] [--output FILE]

Lexical probabilities over the model's own pieces (IBM Model 1: Brown et al., "The Mathematics of
Statistical Machine Translation", 1993; the end symbol stands for its empty word), of which each
source id keeps the best. In the model's directory the file makes `translate --shortlist` possible:
the decoder then computes only what the batch's lists allow, and the vocabulary's first ids, which
unigram SentencePiece models order by frequency behind the symbols and bytes. Marian's format (lex.*.bin).
"""

import argparse
import json
import random
import struct
import sys
from array import array
from pathlib import Path

from common import ROOT, data_folder, load_config, read_pairs, work_folder, write_atomic

MAGIC = 0xF11A48D5013417F5
PAIRS_AT_ONCE = 10_000


def checksum(words):
    """Marian's, over the 64-bit words behind it."""
    result = 0
    for word in words:
        result ^= (word + 0x9E3779B9 + (result << 6) + (result >> 2)) & (2**64 - 1)
    return result


def to_bytes(lists, first, best):
    """The file: `lists` are target ids, in ascending order, of each source id."""
    offsets, ids = array("Q", [0]), array("I")
    for own in lists:
        ids.extend(own)
        offsets.append(len(ids))
    if sys.byteorder != "little":
        raise SystemExit("error: shortlist.bin: is written on little-endian machines alone")
    content = struct.pack("<4Q", first, best, len(offsets), len(ids)) + offsets.tobytes() + ids.tobytes()
    words = array("Q", content[:len(content) // 8 * 8])
    return struct.pack("<2Q", MAGIC, checksum(words)) + content


def leading_symbols(tokens):
    """How many ids stand before the first piece of text: </s>, <unk>, bytes."""
    return next((i for i, token in enumerate(tokens) if not (token.startswith("<") and token.endswith(">"))), len(tokens))


def sample(path, config, count, seed=1):
    """At most `count` of the file's pairs with a tag that the configuration trains on, each as likely."""
    wanted = {tag for tag, rule in config["data"]["tags"].items() if "generate" not in rule}
    chosen, seen, draw = [], 0, random.Random(seed)
    for source, target, tag in read_pairs(path, config):
        if tag not in wanted:
            continue
        seen += 1
        if len(chosen) < count:
            chosen.append((source, target))
        elif (place := draw.randrange(seen)) < count:
            chosen[place] = (source, target)
    if not chosen:
        raise SystemExit(f"error: {path}: no line of a tag in {', '.join(sorted(wanted))}")
    return chosen


def lexical_probabilities(pairs, source_size, target_size, rounds):
    """(source ids, target ids, p(target | source)) of all that stand in one pair of `pairs` (ids),
    by expectation maximisation."""
    import numpy as np

    keys, groups, group = [], [], 0
    for begin in range(0, len(pairs), PAIRS_AT_ONCE):
        own_keys, own_groups = [], []
        for source, target in pairs[begin:begin + PAIRS_AT_ONCE]:
            source, target = np.asarray(source, np.int64), np.asarray(target, np.int64)
            own_keys.append((source * target_size + target[:, None]).ravel())
            own_groups.append(np.repeat(np.arange(group, group + len(target), dtype=np.int32), len(source)))
            group += len(target)
        keys.append(np.concatenate(own_keys))
        groups.append(np.concatenate(own_groups))
    universe = np.unique(np.concatenate([np.unique(part) for part in keys]))
    places = [np.searchsorted(universe, part).astype(np.int32) for part in keys]
    del keys
    sources, targets = universe // target_size, universe % target_size
    probability = np.full(len(universe), 1.0 / target_size)
    for _ in range(rounds):
        counts = np.zeros(len(universe))
        for place, own in zip(places, groups):
            share = probability[place]
            first = own[0]
            share /= np.bincount(own - first, share)[own - first]
            counts += np.bincount(place, share, len(universe))
        probability = counts / np.bincount(sources, counts, source_size)[sources]
    return sources, targets, probability


def best_lists(sources, targets, probability, source_size, first, best):
    """For each source id its `best` most probable target ids from `first` on, in ascending order."""
    import numpy as np

    others = targets >= first
    sources, targets, probability = sources[others], targets[others], probability[others]
    order = np.lexsort((targets, -probability, sources))
    begins = np.searchsorted(sources[order], np.arange(source_size + 1))
    return [sorted(targets[order[begin:min(end, begin + best)]].tolist()) for begin, end in zip(begins, begins[1:])]


def tokens_of(path):
    """The tokens of a vocab.json, in the order of their ids."""
    ids = json.loads(path.read_text(encoding="utf-8"))
    return sorted(ids, key=ids.get)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("config", help="name in configs/ or path of a JSON file")
    parser.add_argument("--model", type=Path, help="model directory; default: web/public/models/ID")
    parser.add_argument("--train", type=Path, help="sentence pairs; default: train.tsv.xz of the configuration's data")
    parser.add_argument("--output", type=Path, help="default: .train/ID/shortlist.bin")
    parser.add_argument("--pairs", type=int, default=150_000, help="how many of them, drawn at random")
    parser.add_argument("--best", type=int, default=50, help="target ids of each source id besides")
    parser.add_argument("--first", type=int, default=400, help="ids always allowed, behind symbols and bytes")
    parser.add_argument("--rounds", type=int, default=5, help="of expectation maximisation")
    arguments = parser.parse_args()

    import sentencepiece

    config = load_config(arguments.config)
    model = arguments.model or ROOT / "web" / "public" / "models" / config["id"]
    output = arguments.output or work_folder(config) / "shortlist.bin"
    sides = []
    for side, name in (("source", "vocab.json"), ("target", "target_vocab.json")):
        path = model / name if (model / name).exists() else model / "vocab.json"
        if not path.exists():
            raise SystemExit(f"error: {path}: no such file")
        tokens = tokens_of(path)
        spm = sentencepiece.SentencePieceProcessor(model_file=str(model / f"{side}.spm"))
        ids = {token: i for i, token in enumerate(tokens)}
        sides.append((tokens, lambda text, spm=spm, ids=ids: [ids.get(p, ids["<unk>"]) for p in spm.encode(text, out_type=str)]))
    (source_tokens, encode_source), (target_tokens, encode_target) = sides
    end = json.loads((model / "config.json").read_text(encoding="utf-8"))["eos_token_id"]

    train = arguments.train or data_folder(config) / "train.tsv.xz"
    pairs = [(encode_source(source) + [end], encode_target(target))
             for source, target in sample(train, config, arguments.pairs)]
    pairs = [pair for pair in pairs if pair[1]]
    found = lexical_probabilities(pairs, len(source_tokens), len(target_tokens), arguments.rounds)
    first = min(leading_symbols(target_tokens) + arguments.first, len(target_tokens))
    lists = best_lists(*found, len(source_tokens), first, arguments.best)
    content = to_bytes(lists, first, arguments.best)
    write_atomic(output, lambda temporary: temporary.write_bytes(content))
    print(f"{output}: {len(content):,} bytes; {len(pairs):,} pairs, {sum(map(bool, lists)):,} of {len(lists):,} "
          f"source ids with a list, the first {first:,} ids always")


if __name__ == "__main__":
    main()
