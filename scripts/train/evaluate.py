"""Translates test sets with a model directory and prints BLEU, chrF, seconds and examples.

    python evaluate.py MODEL_DIR [--config zh-en] [--test FILE] [--sets tatoeba,...] [--update-card]

Engines: Hugging Face transformers (int8 weights dequantised), and the native command line
where build/native holds it. --update-card writes .train/ID/scores.json, the model card's
and index.json's figures. Test sets are for this alone; choices are made on dev.
"""

import argparse
import json
import os
import subprocess
import time
from pathlib import Path

import sacrebleu
import torch
from safetensors.torch import load_file
from transformers import GenerationConfig, MarianConfig, MarianMTModel, MarianTokenizer

from card import write_card, write_index
from common import ROOT, data_folder, load_config, read_pairs, work_folder, write_json

NATIVE = (ROOT / "build" / "native" / "translucent", ROOT / "build" / "native" / "core" / "translucent")
BATCH = 50  # sentences of similar length translated together

# What a visitor may type that is not a sentence; and the running example, which is held out.
PROBES = ("狗追猫。", "猫追狗。", "狗追猫", "猫追狗", "狗", "你好", "谢谢", "苹果", "北京", "汤姆",
          "3", "1985年", "我有25本书。", "", "Hello, world.", "。")


def load_model(folder):
    """(model, tokenizer) of a model directory of any dtype that export.py writes."""
    config = MarianConfig.from_pretrained(folder)
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
    model = MarianMTModel(config)
    missing, unexpected = model.load_state_dict(weights, strict=False)
    derived = ("embed_positions.weight", "embed_tokens.weight", "lm_head.weight")
    missing = [name for name in missing if not name.endswith(derived)]
    if missing or unexpected:
        raise SystemExit(f"error: {folder / 'model.safetensors'}: missing {missing}, unexpected {unexpected}")
    model.tie_weights()
    model.generation_config = GenerationConfig.from_pretrained(folder)
    return model.eval(), MarianTokenizer.from_pretrained(folder)


@torch.inference_mode()
def translate(model, tokenizer, texts, beam):
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    outputs = [""] * len(texts)
    for start in range(0, len(order), BATCH):
        chosen = order[start:start + BATCH]
        batch = tokenizer([texts[i] for i in chosen], return_tensors="pt", padding=True, truncation=True)
        ids = model.generate(**batch, num_beams=beam, do_sample=False)
        for i, text in zip(chosen, tokenizer.batch_decode(ids, skip_special_tokens=True)):
            outputs[i] = text
    return outputs


def translate_native(binary, folder, texts, beam):
    done = subprocess.run([binary, "translate", "--model", folder, "--beam", str(beam)], check=False,
                          input="\n".join(texts) + "\n", capture_output=True, encoding="utf-8")
    if done.returncode:
        raise SystemExit(f"error: {binary}: exit {done.returncode}: {done.stderr.strip()}")
    outputs = done.stdout.rstrip("\n").split("\n")
    if len(outputs) != len(texts):
        raise SystemExit(f"error: {binary}: {len(outputs)} lines out for {len(texts)} in")
    return outputs


@torch.inference_mode()
def sharpness(model, tokenizer, pairs):
    """What tells a working encoder from a collapsed one: the mean cosine between its outputs at different
    places, and the mean largest cross-attention weight beside that of even attention (1 / source length)."""
    model.set_attn_implementation("eager")  # the one that returns attention weights
    cosines, peaks, even = [], [], []
    for source, target in pairs:
        batch = tokenizer([source], text_target=[target], return_tensors="pt")
        inputs = torch.cat([torch.tensor([[model.config.decoder_start_token_id]]), batch["labels"][:, :-1]], dim=1)
        out = model(input_ids=batch["input_ids"], decoder_input_ids=inputs, output_attentions=True)
        unit = torch.nn.functional.normalize(out.encoder_last_hidden_state[0], dim=-1)  # [source, d_model]
        count = len(unit)
        cosines.append(((unit.sum(0).square().sum() - count) / max(1, count * (count - 1))).item())
        cross = torch.stack(out.cross_attentions)  # [layers, 1, heads, target, source]
        peaks.append(cross.amax(-1).mean().item())
        even.append(1 / count)
    return {"encoder_cosine": sum(cosines) / len(cosines), "cross_attention_peak": sum(peaks) / len(peaks),
            "cross_attention_even": sum(even) / len(even)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", type=Path, help="model directory")
    parser.add_argument("--config", default="zh-en", help="for the columns of the data and the card")
    parser.add_argument("--test", help="default: test.tsv of the shared data folder")
    parser.add_argument("--sets", help="names in the third column, comma-separated; default: all")
    parser.add_argument("--beams", default="4,1")
    parser.add_argument("--lines", type=int, help="only the first lines of each set, for a quick look")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--native", help="path of the command line; default: in build/native, if built")
    parser.add_argument("--update-card", action="store_true")
    arguments = parser.parse_args()

    config = load_config(arguments.config)
    torch.set_num_threads(arguments.threads)
    test = arguments.test or data_folder(config) / "test.tsv"
    sets = {}
    for source, target, name in read_pairs(test, config):
        if not arguments.sets or name in arguments.sets.split(","):
            sets.setdefault(name, []).append((source, target))
    if not sets:
        raise SystemExit(f"error: {test}: no line of the sets {arguments.sets}")

    model, tokenizer = load_model(arguments.model)
    engines = {"transformers": lambda texts, beam: translate(model, tokenizer, texts, beam)}
    binary = arguments.native or next((path for path in NATIVE if path.exists()), None)
    if binary:
        engines["translucent"] = lambda texts, beam: translate_native(binary, arguments.model, texts, beam)

    bleu, chrf = sacrebleu.BLEU(), sacrebleu.CHRF()
    results, examples = [], []
    for name, pairs in sets.items():
        pairs = pairs[:arguments.lines]
        sources, references = [s for s, _ in pairs], [t for _, t in pairs]
        for engine, run in engines.items():
            for beam in map(int, arguments.beams.split(",")):
                start = time.perf_counter()
                outputs = run(sources, beam)
                seconds = time.perf_counter() - start
                result = {"set": name, "lines": len(pairs), "engine": engine, "beam": beam,
                          "bleu": bleu.corpus_score(outputs, [references]).score,
                          "chrf": chrf.corpus_score(outputs, [references]).score, "seconds": round(seconds, 1)}
                results.append(result)
                print(json.dumps(result), flush=True)
                if not examples:
                    examples = [{"source": s, "translation": o, "reference": r}
                                for s, o, r in list(zip(sources, outputs, references))[:20]]
    print("BLEU", bleu.get_signature())
    print("chrF", chrf.get_signature())
    for example in examples:
        print(example["source"], "|", example["translation"], "|", example["reference"])
    probes = [{"source": source, "beam": beam, "greedy": plain} for source, beam, plain in
              zip(PROBES, *(translate(model, tokenizer, list(PROBES), n) for n in (4, 1)))]
    for probe in probes:
        print(repr(probe["source"]), "->", repr(probe["beam"]), repr(probe["greedy"]))

    attention = sharpness(model, tokenizer, next(iter(sets.values()))[:50])
    print(json.dumps(attention))

    if arguments.update_card:
        folder = work_folder(config)
        write_json(folder / "scores.json", {
            "results": results, "bleu_signature": str(bleu.get_signature()),
            "chrf_signature": str(chrf.get_signature()), "examples": examples, "probes": probes} | attention)
        write_card(config, folder, arguments.model)
        write_index(config, folder, arguments.model)


if __name__ == "__main__":
    main()
