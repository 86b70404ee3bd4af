"""Translates test sets with model directories and the native command line, and scores them.

    scripts/train/evaluate [MODEL_DIR...] [--test FILE] [--sets tatoeba,...] [--f32 DIR] [--oracle] [--update-card]

Prints, for every set and beam size, sacrebleu's BLEU and chrF with their signatures and source words per second,
then translations of the first lines, how many translations repeat themselves, and what becomes of the
sentences and odd inputs in probes/. Default: every model in web/public/models.
--f32 scores an f32 export of the same checkpoint beside it, --oracle Hugging Face transformers on the same
weights. --update-card writes .train/ID/scores.json, the model card, index.json and the README's table.
Test sets are for this alone; choices are made on dev.
"""

import argparse
import json
import os
import re
import subprocess
import time
from pathlib import Path

from card import write_card, write_index, write_readme
from common import ROOT, SHARED_DATA, load_config, work_folder, write_json

NATIVE = ROOT / "build" / "native" / "translucent"
MODELS = ROOT / "web" / "public" / "models"
PROBES = Path(__file__).with_name("probes")
REPETITION_LINES = 2000  # translations looked through for repetition


def load_model(folder):
    """(MarianMTModel, tokenizer) of a model directory of any dtype that export.py writes."""
    import torch
    from safetensors.torch import load_file
    from transformers import GenerationConfig, MarianConfig, MarianMTModel, MarianTokenizer

    tensors = load_file(folder / "model.safetensors")
    weights = {}
    for name, tensor in tensors.items():
        if name.endswith("_scale"):
            continue
        if tensor.dtype == torch.int8:
            if name + "_scale" not in tensors:
                raise SystemExit(f"error: {folder / 'model.safetensors'}: {name}: int8 without {name}_scale")
            tensor = tensor.float() * tensors[name + "_scale"][:, None]
        weights[name] = tensor.float()
    model = MarianMTModel(MarianConfig.from_pretrained(folder))
    missing, unexpected = model.load_state_dict(weights, strict=False)
    derived = ("embed_positions.weight", "embed_tokens.weight", "lm_head.weight")
    missing = [name for name in missing if not name.endswith(derived)]
    if missing or unexpected:
        raise SystemExit(f"error: {folder / 'model.safetensors'}: missing {missing}, unexpected {unexpected}")
    model.tie_weights()
    model.generation_config = GenerationConfig.from_pretrained(folder)
    return model.eval(), MarianTokenizer.from_pretrained(folder)


def translate_oracle(model, tokenizer, texts, beam, batch_size=50):
    """Translations by transformers, sentences of similar length together."""
    import torch

    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    outputs = [""] * len(texts)
    with torch.inference_mode():
        for start in range(0, len(order), batch_size):
            chosen = order[start:start + batch_size]
            batch = tokenizer([texts[i] for i in chosen], return_tensors="pt", padding=True, truncation=True)
            ids = model.generate(**batch, num_beams=beam, do_sample=False)
            for i, text in zip(chosen, tokenizer.batch_decode(ids, skip_special_tokens=True)):
                outputs[i] = text
    return outputs


def translate(binary, folder, texts, beam, threads):
    """Translations by the command line, one line each."""
    done = subprocess.run(
        [binary, "translate", "--model", folder, "--beam", str(beam), "--threads", str(threads)], check=False,
        input="".join(text + "\n" for text in texts), capture_output=True, encoding="utf-8")
    if done.returncode:
        raise SystemExit(f"error: {binary}: exit {done.returncode}: {done.stderr.strip()}")
    outputs = done.stdout.split("\n")[:-1]
    if len(outputs) != len(texts):
        raise SystemExit(f"error: {binary}: {len(outputs)} lines out for {len(texts)} in")
    return outputs


def languages(folder):
    path = folder / "tokenizer_config.json"
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
        return settings["source_lang"], settings["target_lang"]
    except FileNotFoundError:
        raise SystemExit(f"error: {path}: no such file; is {folder} a model directory?")
    except (json.JSONDecodeError, KeyError) as error:
        raise SystemExit(f"error: {path}: source_lang and target_lang expected: {error}")


def test_sets(source, target, test, wanted):
    """{set name: [(source, reference)]} of a test file whose columns are first and second language, set."""
    columns = (0, 1)
    if test is None:
        test = SHARED_DATA / f"{source}-{target}" / "test.tsv"
        if not test.exists():
            test, columns = SHARED_DATA / f"{target}-{source}" / "test.tsv", (1, 0)
    try:
        lines = test.read_text(encoding="utf-8").split("\n")[:-1]
    except FileNotFoundError:
        raise SystemExit(f"error: {test}: no such file; name one with --test: source, target and set, "
                         "separated by tabs")
    sets = {}
    for number, line in enumerate(lines, 1):
        fields = line.split("\t")
        if len(fields) != 3:
            raise SystemExit(f"error: {test}: line {number}: {len(fields)} columns, 3 expected")
        sets.setdefault(fields[2], []).append((fields[columns[0]], fields[columns[1]]))
    # The lines of newstest2014 that sacrebleu and the paper's figures count, by their numbers within the set.
    for chosen in sorted(test.parent.glob("newstest2014.*.lines")):
        numbers = [int(number) for number in chosen.read_text().split()]
        if "newstest2014" in sets and (source, target) == ("en", "de"):
            sets[f"newstest2014 ({len(numbers):,} lines)"] = [sets["newstest2014"][n - 1] for n in numbers]
    if wanted:
        missing = [name for name in wanted if name not in sets]
        if missing:
            raise SystemExit(f"error: {test}: no line of the set '{missing[0]}'; there are {', '.join(sets)}")
        sets = {name: sets[name] for name in wanted}
    return sets


def units(text, language):
    """What is counted and compared: characters of Chinese, words of other languages."""
    return [c for c in text if not c.isspace()] if language == "zh" else text.split()


def repeats_itself(text, language):
    """Whether one to eight words (characters of Chinese) stand four times or more in a row."""
    words = units(text, language)
    for length in range(1, 9):
        run = 0
        for i in range(length, len(words)):
            run = run + 1 if words[i] == words[i - length] else 0
            if run >= 3 * length:
                return True
    return False


def probe_sentences(source, folder):
    """The fifty sentences and the odd inputs of a language, and {sentence: what is wrong with its translation}
    of the model: the worst ten that a reader of all of them named."""
    sentences = (PROBES / f"{source}.txt").read_text(encoding="utf-8").split("\n")[:-1]
    odd = json.loads((PROBES / "odd.json").read_text(encoding="utf-8"))[source]
    path, limits = PROBES / f"{folder.name}.limits.tsv", {}
    if path.exists():
        for number, line in enumerate(path.read_text(encoding="utf-8").split("\n")[:-1], 1):
            sentence, _, what = line.partition("\t")
            if sentence not in sentences or not what:
                raise SystemExit(f"error: {path}: line {number}: a sentence of {source}.txt, a tab and what is wrong "
                                 "with its translation expected")
            limits[sentence] = what
    return sentences, odd, limits


def evaluate(folder, arguments):
    """Scores one model; prints as it goes and returns what the card needs."""
    import sacrebleu

    source, target = languages(folder)
    sets = test_sets(source, target, arguments.test, arguments.sets)
    beams = arguments.beams
    engines = {"translucent": lambda texts, beam: translate(arguments.native, folder, texts, beam, arguments.threads)}
    if arguments.f32:
        engines["translucent, f32 weights"] = (
            lambda texts, beam: translate(arguments.native, arguments.f32, texts, beam, arguments.threads))
    if arguments.oracle:
        model, tokenizer = load_model(folder)
        engines["transformers"] = lambda texts, beam: translate_oracle(model, tokenizer, texts, beam)

    # sacrebleu's own tokenisers: for Chinese single characters, else mteval-v13a.
    bleu, chrf = sacrebleu.BLEU(tokenize="zh" if target == "zh" else "13a"), sacrebleu.CHRF()
    print(f"\n{folder.name}: {source} to {target}, {arguments.threads} threads, load time included")
    print(f"{'set':28} {'lines':>5} {'engine':24} {'beam':>4} {'BLEU':>5} {'chrF':>5} {'words/s':>8}")
    results, examples, looked_at = [], [], []
    for name, pairs in sets.items():
        sources, references = zip(*pairs)
        words = sum(len(units(text, source)) for text in sources)
        for engine, run in engines.items():
            for beam in beams:
                start = time.perf_counter()
                outputs = run(sources, beam)
                seconds = time.perf_counter() - start
                result = {"set": name, "lines": len(pairs), "engine": engine, "beam": beam,
                          "bleu": bleu.corpus_score(outputs, [references]).score,
                          "chrf": chrf.corpus_score(outputs, [references]).score,
                          "words_per_second": round(words / seconds)}
                results.append(result)
                print(f"{name:28} {len(pairs):5} {engine:24} {beam:4} {result['bleu']:5.1f} {result['chrf']:5.1f} "
                      f"{result['words_per_second']:8,}", flush=True)
                if engine == "translucent" and beam == beams[0]:
                    looked_at += outputs
                    if not examples:
                        examples = [{"source": s, "translation": o, "reference": r}
                                    for s, o, r in list(zip(sources, outputs, references))[:20]]
    print(f"BLEU {bleu.get_signature()}\nchrF {chrf.get_signature()}")
    print("words: of the source; Chinese by characters\n")
    looked_at = looked_at[:REPETITION_LINES]
    repeating = [text for text in looked_at if repeats_itself(text, target)]
    print(f"{len(repeating)} of {len(looked_at)} translations repeat themselves")
    for text in repeating[:5]:
        print(f"  {text[:200]}")

    print("\nThe first lines (source | translation | reference)")
    for example in examples:
        print(f"{example['source']} | {example['translation']} | {example['reference']}")
    sentences, odd, limits = probe_sentences(source, folder)
    probes = {}
    for title, texts in (("Own sentences", sentences), ("Odd inputs", odd)):
        print(f"\n{title} (source | beam {beams[0]} | beam {beams[-1]})")
        rows = list(zip(texts, *(translate(arguments.native, folder, texts, beam, arguments.threads)
                                 for beam in (beams[0], beams[-1]))))
        probes[title] = [{"source": s, "beam": first, "greedy": last} for s, first, last in rows]
        for row in rows:
            print(" | ".join(row))
    return {"beams": beams, "results": results, "bleu_signature": str(bleu.get_signature()),
            "chrf_signature": str(chrf.get_signature()), "examples": examples,
            "repeating": len(repeating), "looked_at": len(looked_at),
            "sentences": probes["Own sentences"], "odd": probes["Odd inputs"],
            "limits": [probe | {"what": limits[probe["source"]]} for probe in probes["Own sentences"]
                       if probe["source"] in limits]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("models", type=Path, nargs="*", help="model directories; default: all of web/public/models")
    parser.add_argument("--test", type=Path, help="source, target, set; default: test.tsv of the shared data folder")
    parser.add_argument("--sets", type=lambda names: names.split(","), help="comma-separated; default: all")
    parser.add_argument("--beams", type=lambda sizes: [int(size) for size in sizes.split(",")], default=[4, 1])
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--native", type=Path, default=NATIVE, help="the command line to use")
    parser.add_argument("--f32", type=Path, help="an export of the same checkpoint with f32 weights")
    parser.add_argument("--oracle", action="store_true", help="transformers, too (needs requirements.txt)")
    parser.add_argument("--update-card", action="store_true")
    arguments = parser.parse_args()

    models = arguments.models or sorted(path.parent for path in MODELS.glob("*/config.json"))
    for folder in models:
        folder = folder.resolve()
        scores = evaluate(folder, arguments)
        if arguments.update_card:
            config = load_config(folder.name)
            write_json(work_folder(config) / "scores.json", scores)
            write_card(config, work_folder(config), folder)
            write_index(config, work_folder(config), folder)
            write_readme(folder.parent / "index.json")


if __name__ == "__main__":
    main()
