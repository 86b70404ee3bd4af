"""Sentence pairs -> one shared SentencePiece vocabulary and packed shards of token ids.

    python prepare.py zh-en [--train FILE] [--dev FILE] [--test FILE] [--vocabulary spm.model]

Writes .train/ID/: spm.model, data.json (what was kept and why the rest went) and one
TAG.npz per source of data with arrays source, source_offsets, target, target_offsets
(ids uint16, sentence i is ids[offsets[i]:offsets[i + 1]], no end mark).
"""

import argparse
import collections
import contextlib
import hashlib
import itertools
import json
import math
import random
import shutil
import sys
from pathlib import Path

from common import bare, data_folder, load_config, read_pairs, work_folder, write_atomic, write_json
from synthetic import GENERATORS, held_out


class Bigrams:
    """A bigram language model over tokens, smoothed towards unigrams (Witten-Bell-like)."""

    STRENGTH = 5.0  # pseudo-counts of the unigram distribution

    def __init__(self, sentences):
        self.one, self.two = collections.Counter(), collections.Counter()
        for tokens in sentences:
            self.one.update(tokens)
            self.two.update(zip(["<s>", *tokens], tokens))
            self.one["<s>"] += 1
        self.total = sum(self.one.values()) + len(self.one) + 1

    def score(self, tokens):
        """Mean natural-log probability of a token."""
        total, previous = 0.0, "<s>"
        for token in tokens:
            unigram = (self.one.get(token, 0) + 1) / self.total
            total += math.log((self.two.get((previous, token), 0) + self.STRENGTH * unigram)
                              / (self.one.get(previous, 0) + self.STRENGTH))
            previous = token
        return total / max(1, len(tokens))


def tokens_of(text, language):
    """Characters of Chinese and Japanese, lower-cased words of anything else."""
    return list(text) if language in ("zh", "ja") else text.lower().split()


class Similarity:
    """Cross-entropy difference to a wanted kind of text, on both sides (Moore and Lewis 2010).
    Higher is more like the wanted text."""

    def __init__(self, wanted, general, languages):
        self.languages = languages
        self.models = [
            tuple(Bigrams(tokens_of(pair[side], languages[side]) for pair in pairs)
                  for pairs in (wanted, general))
            for side in (0, 1)
        ]

    def __call__(self, pair):
        total = 0.0
        for side, (wanted, general) in enumerate(self.models):
            tokens = tokens_of(pair[side], self.languages[side])
            total += wanted.score(tokens) - general.score(tokens)
        return total


def too_odd(source, target, config):
    """The reason to leave a pair out by its shape alone, or None."""
    data = config["data"]
    lengths = len(tokens_of(source, config["source"])), len(tokens_of(target, config["target"]))
    if not all(lengths):
        return "empty"
    if lengths[0] > data["max_source_length"] or lengths[1] > data["max_target_length"]:
        return "long"
    low, high = data["length_ratio"]
    if not low <= lengths[0] / lengths[1] <= high and max(lengths) > 5:
        return "ratio"
    return None


def collect(path, config, forbidden):
    """{tag: [(source, target)]} of the wanted tags, filtered; and counts of what went."""
    data = config["data"]
    wanted = {tag for tag, rule in data["tags"].items() if "generate" not in rule}
    if not wanted:
        return {}, {}
    kept, dropped, seen = collections.defaultdict(list), collections.Counter(), set()
    for number, (source, target, tag) in enumerate(read_pairs(path, config), 1):
        if tag not in wanted:
            continue
        sides = bare(source), bare(target)
        if sides[0] in forbidden[0] or sides[1] in forbidden[1]:
            raise SystemExit(f"error: {path}: line {number}: a side of this pair is in dev or test")
        reason = too_odd(source, target, config)
        if reason is None and held_out(source + target):
            reason = "running example"
        if reason is None and sides in seen:
            reason = "duplicate"
        if reason:
            dropped[reason] += 1
            continue
        seen.add(sides)
        kept[tag].append((source, target))
    for tag in wanted - set(kept):
        print(f"warning: {path}: no pair with tag '{tag}'", file=sys.stderr)
    return kept, dropped


def select(kept, config, rng):
    """Cuts each tag to its `keep` pairs nearest to the tag named by similar_to."""
    data = config["data"]
    like = data.get("similar_to")
    if like not in kept:
        return
    pool = list(itertools.chain.from_iterable(kept.values()))
    general = rng.sample(pool, min(len(pool), 150_000))
    similarity = Similarity(kept[like], general, (config["source"], config["target"]))
    for tag in sorted(kept):
        keep = data["tags"][tag].get("keep")
        if keep and len(kept[tag]) > keep:
            kept[tag] = sorted(kept[tag], key=similarity, reverse=True)[:keep]


def without_final_mark(pair):
    """The pair with the final full stop off both sides."""
    return tuple(side.rstrip("。.") for side in pair)


def train_vocabulary(kept, config, folder):
    """One unigram vocabulary for both languages. Ids as MarianTokenizer wants them:
    </s> 0, <unk> 1; <pad> is appended after the last piece and is not in the model."""
    import sentencepiece

    vocabulary = config["vocabulary"]
    lines = folder / "vocabulary.txt"
    with open(lines, "w", encoding="utf-8") as out:
        for tag in sorted(kept):
            for source, target in kept[tag]:
                out.write(f"{source}\n{target}\n")
    with contextlib.chdir(folder):  # the model file keeps these names: no paths of this machine in it
        sentencepiece.SentencePieceTrainer.train(
            input=lines.name, model_prefix="spm", model_type="unigram",
            vocab_size=vocabulary["size"] - 1, character_coverage=vocabulary["character_coverage"],
            byte_fallback=True, split_digits=True, normalization_rule_name="nmt_nfkc",
            user_defined_symbols=vocabulary.get("symbols", []),
            eos_id=0, unk_id=1, bos_id=-1, pad_id=-1, num_threads=2,
            max_sentence_length=4000, minloglevel=1)
    lines.unlink()
    return sentencepiece.SentencePieceProcessor(model_file=str(folder / "spm.model"))


def add_symbols(path, symbols):
    """Puts `symbols` into a trained vocabulary that lacks them, in place of its least likely pieces of
    several characters. User-defined symbols are exempt from normalisation: nmt_nfkc would turn the
    full-width punctuation of Chinese into that of English."""
    from sentencepiece import sentencepiece_model_pb2

    model = sentencepiece_model_pb2.ModelProto.FromString(path.read_bytes())
    piece_type = sentencepiece_model_pb2.ModelProto.SentencePiece
    missing = [symbol for symbol in symbols if all(piece.piece != symbol for piece in model.pieces)]
    rare = sorted((piece for piece in model.pieces if piece.type == piece_type.NORMAL and len(piece.piece) > 2),
                  key=lambda piece: piece.score)
    for piece, symbol in zip(rare, missing, strict=False):
        piece.piece, piece.score, piece.type = symbol, 0.0, piece_type.USER_DEFINED
    write_atomic(path, lambda temporary: temporary.write_bytes(model.SerializeToString()))


def pack(pairs, spm):
    import numpy as np

    arrays = {}
    for side, name in enumerate(("source", "target")):
        ids = spm.encode([pair[side] for pair in pairs])
        arrays[name] = np.fromiter(itertools.chain.from_iterable(ids), np.uint16)
        arrays[name + "_offsets"] = np.cumsum([0, *map(len, ids)], dtype=np.int64)
    return arrays


def main():
    import numpy as np
    import sentencepiece

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("config", help="name in configs/ or path of a JSON file")
    parser.add_argument("--train", help="tab-separated source, target, tag; plain or .xz")
    parser.add_argument("--dev")
    parser.add_argument("--test")
    parser.add_argument("--vocabulary", type=Path, help="SentencePiece model to use instead of training one, "
                        "so that a trained model can go on with other data")
    parser.add_argument("--only", help="tags to write, comma-separated; the other shards stay as they are")
    arguments = parser.parse_args()

    config = load_config(arguments.config)
    data = data_folder(config)
    train = arguments.train or data / "train.tsv.xz"
    folder = work_folder(config, create=True)
    rng = random.Random(config["seed"])

    forbidden = (set(), set())
    for path in (arguments.dev or data / "dev.tsv", arguments.test or data / "test.tsv"):
        for source, target, _ in read_pairs(path, config):
            forbidden[0].add(bare(source))
            forbidden[1].add(bare(target))

    counts = {}
    if arguments.only:
        if not arguments.vocabulary:
            raise SystemExit("error: --only: needs --vocabulary, the other shards' ids depend on it")
        counts = json.loads((folder / "data.json").read_text(encoding="utf-8"))["tags"]
        tags = config["data"]["tags"]
        config["data"]["tags"] = {tag: tags[tag] for tag in arguments.only.split(",")}
    kept, dropped = collect(train, config, forbidden)
    print("filtered:", {tag: len(pairs) for tag, pairs in kept.items()}, dict(dropped), flush=True)
    select(kept, config, rng)
    for tag, rule in config["data"]["tags"].items():
        if "generate" in rule:
            if tag not in GENERATORS:
                raise SystemExit(f"error: {arguments.config}: data.tags.{tag}: nothing generates this tag")
            pairs = GENERATORS[tag](rule["generate"], config, kept.get(config["data"].get("similar_to"), []))
            kept[tag] = [pair for pair in pairs
                         if bare(pair[0]) not in forbidden[0] and bare(pair[1]) not in forbidden[1]]
    for tag, pairs in kept.items():
        kept[tag] = [without_final_mark(pair) if rng.random() < config["data"]["drop_final_mark"] else pair
                     for pair in pairs]
        rng.shuffle(kept[tag])
    print("kept:", {tag: len(pairs) for tag, pairs in kept.items()}, flush=True)

    if arguments.vocabulary:
        if arguments.vocabulary.resolve() != (folder / "spm.model").resolve():
            shutil.copyfile(arguments.vocabulary, folder / "spm.model")
        add_symbols(folder / "spm.model", config["vocabulary"].get("symbols", []))
        spm = sentencepiece.SentencePieceProcessor(model_file=str(folder / "spm.model"))
    else:
        spm = train_vocabulary(kept, config, folder)
    for tag in sorted(kept):
        arrays = pack(kept[tag], spm)
        write_atomic(folder / f"{tag}.npz", lambda temporary: np.savez(open(temporary, "wb"), **arrays))
        counts[tag] = {"pairs": len(kept[tag]), "source_ids": len(arrays["source"]),
                       "target_ids": len(arrays["target"])}
        print(tag, counts[tag], flush=True)
    digest = hashlib.sha256((folder / "spm.model").read_bytes()).hexdigest()
    write_json(folder / "data.json", {"tags": counts, "vocabulary_sha256": digest})


if __name__ == "__main__":
    main()
