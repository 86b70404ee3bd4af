"""Builds what each engine loads: the same weights in every engine's own format.

    python models.py OUTPUT [--models zh-en,tiny,base,tiny-ssru,base-ssru] [--force] [--list [--quick]]

OUTPUT/NAME/ then holds
    translucent/   model directory, int8 weights          (ours)
    marian/        model directory, float32               (transformers, the oracle)
    ct2/           CTranslate2                            (int8 by its own converter)
    onnx/          transformers.js                        (q8)
    bergamot/      model.bin, vocab.spm                   (Bergamot, fxtranslate; int8 with alphas)
    work.json      what is translated with it
    case.json      what was built, what was not and why

Shipped models are those of web/public/models; the others are random weights in the shapes of Firefox's models. An
engine that cannot represent a case is named in case.json with its reason.
"""

import argparse
import json
import math
import shutil
import subprocess
import sys
import traceback
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

import marian_bin
import vocabulary
from network import Network
from texts import pseudo_sentences, random_workloads, sentences, shipped_workloads

ROOT = Path(__file__).resolve().parents[2]
BINARY = ROOT / "build" / "native" / "translucent"
SHIPPED = ROOT / "web" / "public" / "models"
REVISION = 6  # raise to have every machine build its models again
LEVELS = 63  # our int8 weights use 7 bits, the range every instruction set multiplies exactly

# Firefox's shapes; `decoder` is our own note, not a field of Hugging Face's.
SHAPES = {"tiny": {"d_model": 256, "encoder_ffn_dim": 1536, "decoder_ffn_dim": 1536},
          "base": {"d_model": 512, "encoder_ffn_dim": 2048, "decoder_ffn_dim": 2048}}
RANDOM = {name + suffix: shape | ({"decoder": "ssru"} if suffix else {})
          for name, shape in SHAPES.items() for suffix in ("", "-ssru")}
VOCABULARY, HEADS, ENCODER_LAYERS, DECODER_LAYERS = 32000, 8, 6, 2
EOS, UNK, PAD = 0, 1, VOCABULARY - 1


def shipped():
    index = SHIPPED / "index.json"
    return [model["id"] for model in json.loads(index.read_text())["models"]] if index.exists() else []


def random_config(shape):
    return {
        "architectures": ["MarianMTModel"], "model_type": "marian", "activation_function": "relu",
        "vocab_size": VOCABULARY, "decoder_vocab_size": VOCABULARY, "encoder_layers": ENCODER_LAYERS,
        "decoder_layers": DECODER_LAYERS, "encoder_attention_heads": HEADS, "decoder_attention_heads": HEADS,
        "dropout": 0.0, "attention_dropout": 0.0, "activation_dropout": 0.0, "encoder_layerdrop": 0.0,
        "decoder_layerdrop": 0.0, "init_std": 0.02, "is_encoder_decoder": True, "use_cache": True,
        "max_position_embeddings": 512, "static_position_embeddings": True, "scale_embedding": True,
        "normalize_before": False, "normalize_embedding": False, "add_final_layer_norm": False,
        "add_bias_logits": False, "share_encoder_decoder_embeddings": True, "tie_word_embeddings": True,
        "bos_token_id": EOS, "eos_token_id": EOS, "forced_eos_token_id": None, "pad_token_id": PAD,
        "decoder_start_token_id": PAD, **shape}


def random_weights(config, seed=7):
    """Weights under Hugging Face's names. The end symbol is out of reach, so that every engine writes exactly as many
    tokens as it is allowed; the last layer's norm has gains of both signs, because the tied output would otherwise
    repeat the token it has just read."""
    random = np.random.default_rng(seed)
    d_model, weights = config["d_model"], {}
    embedding = random.normal(0, d_model ** -0.5, (config["vocab_size"], d_model))
    embedding[PAD] = 0  # the start symbol, which has no embedding in Marian
    for marian, hugging, kind in marian_bin.marian_names(config):
        base = hugging.rsplit(".", 1)[0]
        outputs, inputs = d_model, d_model
        if base.endswith("fc1"):
            outputs = config["encoder_ffn_dim"]
        elif base.endswith("fc2"):
            inputs = config["encoder_ffn_dim"]
        if kind == "matrix":
            limit = math.sqrt(6 / (inputs + outputs))
            values = random.uniform(-limit, limit, (outputs, inputs))
        elif kind == "embedding":
            values = embedding
        elif kind == "norm":
            values = random.normal(1.0 if hugging.endswith("weight") else 0.0, 0.1, d_model)
        else:
            values = random.normal(0, 0.02, config["vocab_size"] if hugging == "final_logits_bias" else outputs)
        weights[hugging] = values.astype(np.float32)
    last = f"model.decoder.layers.{config['decoder_layers'] - 1}.final_layer_norm.weight"
    weights[last] *= random.choice([-1, 1], d_model).astype(np.float32)
    characters = [i for i, (piece, _, _) in enumerate(vocabulary.pieces(VOCABULARY - 1)) if len(piece) == 1]
    weights["final_logits_bias"][[EOS, UNK, PAD, *characters]] = -1e4  # whole words only: a token is a word
    return weights


def load_shipped(folder):
    """(config, weights in float32) of a model directory of any dtype."""
    tensors = load_file(folder / "model.safetensors")
    weights = {}
    for name, tensor in tensors.items():
        if not name.endswith("_scale"):
            scale = tensors.get(name + "_scale")
            weights[name] = (tensor.float() if scale is None else tensor.float() * scale[:, None]).numpy()
    config = json.loads((folder / "config.json").read_text())
    # A file may hold an alias of the shared embedding besides it.
    wanted = {hugging for _, hugging, _ in marian_bin.marian_names(config)}
    return config, {name: value for name, value in weights.items() if name in wanted}


def write_directory(folder, config, weights, int8, files):
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {}
    for name, values in weights.items():
        tensor = torch.from_numpy(np.ascontiguousarray(values))
        if name == "final_logits_bias":
            tensor = tensor.view(1, -1)
        if int8 and tensor.dim() == 2 and name.endswith(".weight"):
            scale = tensor.abs().amax(dim=1) / LEVELS
            scale[scale == 0] = 1
            tensors[name] = torch.round(tensor / scale[:, None]).to(torch.int8)
            tensors[name + "_scale"] = scale
        else:
            tensors[name] = tensor
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(config, indent=1))
    for name, content in files.items():
        (folder / name).write_bytes(content)


def random_files(config):
    proto = vocabulary.pieces(VOCABULARY - 1)
    names = {piece: i for i, (piece, _, _) in enumerate(proto)} | {"<pad>": PAD}
    spm = vocabulary.model_proto(proto)
    generation = {"bad_words_ids": [[PAD]], "bos_token_id": EOS, "decoder_start_token_id": PAD, "eos_token_id": EOS,
                  "max_length": 512, "num_beams": 1, "pad_token_id": PAD}
    tokenizer = {"tokenizer_class": "MarianTokenizer", "source_lang": "xx", "target_lang": "xx", "eos_token": "</s>",
                 "unk_token": "<unk>", "pad_token": "<pad>", "model_max_length": 512, "separate_vocabs": False}
    return {"source.spm": spm, "target.spm": spm, "vocab.json": json.dumps(names, ensure_ascii=False).encode(),
            "generation_config.json": json.dumps(generation).encode(),
            "tokenizer_config.json": json.dumps(tokenizer).encode()}


def encode(folder, texts):
    """Ids and mask [batch, length] of texts, by the sentencepiece library."""
    import sentencepiece
    processor = sentencepiece.SentencePieceProcessor(model_file=str(folder / "source.spm"))
    vocabulary_ids = json.loads((folder / "vocab.json").read_text())
    lists = [[vocabulary_ids[piece] if piece in vocabulary_ids else UNK
              for piece in processor.encode_as_pieces(text)] + [EOS] for text in texts]
    longest = max(map(len, lists))
    ids = torch.tensor([ids + [PAD] * (longest - len(ids)) for ids in lists])
    mask = torch.tensor([[1] * len(ids) + [0] * (longest - len(ids)) for ids in lists])
    return ids, mask


def measure_alphas(config, weights, ids, mask):
    """Marian's activation multipliers: 127 / (mean + 1.1 standard deviations of each input's largest value)."""
    network = Network(config, weights, marian_positions=True)
    largest = {}

    def watch(name):
        return lambda module, inputs: largest.setdefault(name, []).append(inputs[0].abs().amax().item())

    for name, module in network.named_modules():
        if isinstance(module, torch.nn.Linear):
            module.register_forward_pre_hook(watch(name + ".weight"))
    output = f"model.decoder.layers.{config['decoder_layers'] - 1}.final_layer_norm"
    network.get_submodule(output).register_forward_hook(
        lambda module, inputs, result: largest.setdefault("model.shared.weight", []).append(result.abs().amax().item()))
    for sentence, row in zip(ids, mask):
        length = int(row.sum())
        network.greedy(sentence[None, :length], row[None, :length], steps=2 * length)
    return {marian: 127 / (np.mean(largest[hugging]) + 1.1 * np.std(largest[hugging]))
            for marian, hugging, kind in marian_bin.marian_names(config) if kind in ("matrix", "embedding")}


def write_bergamot(folder, config, weights, source, texts):
    folder.mkdir(parents=True, exist_ok=True)
    ids, mask = encode(source, texts)
    alphas = measure_alphas(config, weights, ids, mask)
    weights = dict(weights)
    bias = weights["final_logits_bias"].reshape(-1).copy()
    bias[config["pad_token_id"]] = -1e4  # bad_words_ids, which Marian does not have
    weights["final_logits_bias"] = bias
    marian_bin.write_marian(folder / "model.bin", config, weights, alphas, int8=True)
    shutil.copyfile(source / "source.spm", folder / "vocab.spm")


def write_ctranslate2(folder, source):
    from ctranslate2.converters import TransformersConverter
    TransformersConverter(str(source)).convert(str(folder), quantization="int8", force=True)


def build(name, output):
    from transformers.utils import logging as transformers_logging
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    folder = output / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    marian, missing = folder / "marian", {}
    if name in RANDOM:
        config = random_config(RANDOM[name])
        weights = random_weights(config)
        files = random_files(config)
        texts = pseudo_sentences(24, 25, seed=1)
        description = {"kind": "random", "source": "xx", "target": "xx"}
        work = random_workloads()
    else:
        source = SHIPPED / name
        config, weights = load_shipped(source)
        files = {file: (source / file).read_bytes() for file in
                 ("source.spm", "target.spm", "vocab.json", "generation_config.json", "tokenizer_config.json")}
        index = json.loads((SHIPPED / "index.json").read_text())["models"]
        model = next(model for model in index if model["id"] == name)
        description = {"kind": "shipped", "source": model["source"], "target": model["target"]}
        texts = sentences(model["source"])[:24]
        work = shipped_workloads(model["source"])
    ssru = config.get("decoder") == "ssru"
    write_directory(marian, config, weights, False, files)

    def attempt(engine, work):
        print(f"{name}: {engine}", flush=True)
        try:
            work()
        except Exception as error:  # one peer's failure is a row of the table, not the end
            if not isinstance(error, ValueError):
                traceback.print_exc()
            missing[engine] = (str(error).splitlines() or [type(error).__name__])[0][:200]

    def ours():
        if name in RANDOM:
            write_directory(folder / "translucent", config, weights, True, files)
        else:
            shutil.copytree(SHIPPED / name, folder / "translucent")

    def ours_from_marian():
        """A directory of Marian's own files, converted; until the command line can, the same shape with self-attention."""
        done = subprocess.run([BINARY, "convert", folder / "bergamot", folder / "translucent"], capture_output=True,
                              encoding="utf-8")
        if done.returncode and "subcommand" not in done.stderr:
            raise ValueError(done.stderr.strip())
        if done.returncode:
            instead = random_config(SHAPES[name.removesuffix("-ssru")])
            write_directory(folder / "translucent", instead, random_weights(instead), True, files)
            description["instead"] = "self-attention decoder"

    attempt("bergamot", lambda: write_bergamot(folder / "bergamot", config, weights, marian, texts))
    if ssru:
        only = "reads no SSRU decoder"
        missing |= {"ctranslate2": only, "transformers": only, "transformers.js": only}
        shutil.rmtree(marian)
        attempt("translucent", ours_from_marian)
    else:
        missing["fxtranslate"] = "reads SSRU decoders only"
        attempt("translucent", ours)
        attempt("ctranslate2", lambda: write_ctranslate2(folder / "ct2", marian))

        def transformers_js():
            from onnx_export import write_transformers_js
            write_transformers_js(folder / "onnx", marian, config, Network(config, weights))

        attempt("transformers.js", transformers_js)
    parameters = sum(value.size for key, value in weights.items() if key != "final_logits_bias")
    shape = "{encoder_layers}+{decoder_layers} layers, d_model {d_model}, FFN {encoder_ffn_dim}, vocabulary {vocab_size}"
    description |= {"name": name, "revision": REVISION, "parameters": parameters, "missing": missing,
                    "shape": shape.format(**config) + (", SSRU decoder" if ssru else ", self-attention decoder")}
    (folder / "work.json").write_text(json.dumps(work, ensure_ascii=False), encoding="utf-8")
    (folder / "case.json").write_text(json.dumps(description, indent=1))


def current(name, output):
    case = output / name / "case.json"
    if not case.exists() or json.loads(case.read_text())["revision"] != REVISION:
        return False
    weights = SHIPPED / name / "model.safetensors"
    return not weights.exists() or weights.stat().st_mtime < case.stat().st_mtime


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("--models", help="comma-separated; default: all")
    parser.add_argument("--force", action="store_true")
    parser.add_argument("--list", action="store_true", help="only print the names")
    parser.add_argument("--quick", action="store_true", help="with --list: one shipped model, one of random weights")
    arguments = parser.parse_args()
    known = shipped() + list(RANDOM)
    if arguments.list:
        print(",".join(shipped()[:1] + ["tiny"] if arguments.quick else known))
        return 0
    chosen = arguments.models.split(",") if arguments.models else known
    if unknown := [name for name in chosen if name not in known]:
        print(f"error: --models {unknown[0]}: there are {', '.join(known)}", file=sys.stderr)
        return 2
    torch.set_num_threads(1)
    for name in chosen:
        if arguments.force or not current(name, arguments.output):
            build(name, arguments.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
