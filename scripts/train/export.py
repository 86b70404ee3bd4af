"""A checkpoint's averaged weights -> a model directory in the Hugging Face MarianMT layout.

    python export.py zh-en [--output web/public/models/zh-en] [--dtype int8|f16|f32]

int8: every linear layer and the shared embedding as NAME.weight I8 [out, in] in -63..63 (seven
bits, what the kernels multiply: core/tensor/packing.h), symmetric, one scale per output row in
NAME.weight_scale F32 [out], weight = scale * int; biases, layer norms and final_logits_bias stay F32. f16 and f32 hold Hugging Face's own tensor names and
load with MarianMTModel.from_pretrained; int8 needs evaluate.py's load_model (or our core).
"""

import argparse
import json
import shutil
from pathlib import Path

import sentencepiece
import torch

from card import write_card, write_index
from common import ROOT, load_config, work_folder, write_atomic, write_json
from quantisation import quantise
from train import EOS, marian_config

SIZE_LIMIT = 16_000_000  # bytes: everything the page downloads for one model
ALIGNMENT = 64  # bytes: a cache line
DTYPES = {torch.float32: "F32", torch.float16: "F16", torch.int8: "I8"}
# A small model that has lost the thread says the same again and again: no six ids in a row come twice.
# Shorter runs have to be allowed, for digits are ids of their own: 1,000,000.
NO_REPEAT = 6
MAX_PIECES = 512  # sinusoids need no training, so the limit is the usual one of these models


def save_aligned(tensors, path):
    """A safetensors file whose tensors begin at multiples of 64 bytes, as far as their sizes allow:
    the core uses them where they lie."""
    order = sorted(tensors, key=lambda name: (tensors[name].nbytes % ALIGNMENT != 0, name))
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name in order:
        tensor = tensors[name]
        end = offset + tensor.nbytes
        header[name] = {"dtype": DTYPES[tensor.dtype], "shape": list(tensor.shape),
                        "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(8 + len(text)) % ALIGNMENT)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name in order:
            file.write(tensors[name].numpy().tobytes())


def weights_of(state):
    """The averaged weights of a checkpoint under Hugging Face's names, each once."""
    weights = dict(state["average"])  # what is trained; aliases of the shared embedding are not in it
    weights["final_logits_bias"] = state["model"]["final_logits_bias"]
    return {name: tensor.detach().float().contiguous() for name, tensor in weights.items()}


def stored(weights, dtype):
    """The tensors to write for the asked-for type."""
    if dtype != "int8":
        kind = {"f32": torch.float32, "f16": torch.float16}[dtype]
        return {name: tensor.to(kind) for name, tensor in weights.items()}
    tensors = {}
    for name, tensor in weights.items():
        if tensor.dim() == 2 and name.endswith(".weight"):
            tensors[name], tensors[name + "_scale"] = quantise(tensor)
        else:
            tensors[name] = tensor
    return tensors


def model_config(config):
    fields = marian_config(config).to_dict()
    for name in ("transformers_version", "dtype", "_name_or_path", "_attn_implementation", "is_decoder",
                 "id2label", "label2id", "output_attentions", "output_hidden_states", "return_dict",
                 "problem_type", "chunk_size_feed_forward"):
        fields.pop(name, None)
    fields |= {"architectures": ["MarianMTModel"], "model_type": "marian",
               "max_position_embeddings": MAX_PIECES, "static_position_embeddings": True,
               "normalize_before": False, "normalize_embedding": False, "add_final_layer_norm": False,
               "add_bias_logits": False, "forced_eos_token_id": EOS}
    return dict(sorted(fields.items()))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("config", help="name in configs/ or path of a JSON file")
    parser.add_argument("--checkpoint", help="default: .train/ID/checkpoint.pt")
    parser.add_argument("--output", type=Path, help="default: web/public/models/ID")
    parser.add_argument("--dtype", choices=("int8", "f16", "f32"), default="int8")
    arguments = parser.parse_args()

    config = load_config(arguments.config)
    folder = work_folder(config)
    output = arguments.output or ROOT / "web" / "public" / "models" / config["id"]
    output.mkdir(parents=True, exist_ok=True)
    checkpoint = Path(arguments.checkpoint or folder / "checkpoint.pt")
    if not checkpoint.exists():
        raise SystemExit(f"error: {checkpoint}: no such checkpoint, run train.py first")
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)

    weights = weights_of(state)
    tensors = stored(weights, arguments.dtype)
    write_atomic(output / "model.safetensors", lambda temporary: save_aligned(tensors, temporary))

    size = config["vocabulary"]["size"]
    pad = size - 1
    write_json(output / "config.json", model_config(config))
    write_json(output / "generation_config.json", {
        "bad_words_ids": [[pad]], "bos_token_id": EOS, "decoder_start_token_id": pad, "eos_token_id": EOS,
        "forced_eos_token_id": EOS, "max_length": 128, "no_repeat_ngram_size": NO_REPEAT, "num_beams": 4,
        "pad_token_id": pad})
    for name in ("source.spm", "target.spm"):
        write_atomic(output / name, lambda temporary: shutil.copyfile(folder / "spm.model", temporary))
    spm = sentencepiece.SentencePieceProcessor(model_file=str(folder / "spm.model"))
    vocabulary = {spm.id_to_piece(i): i for i in range(spm.get_piece_size())} | {"<pad>": pad}
    if len(vocabulary) != size or weights["model.shared.weight"].shape[0] != size:
        raise SystemExit(f"error: {folder / 'spm.model'}: {len(vocabulary)} pieces with <pad>, "
                         f"the model has {weights['model.shared.weight'].shape[0]}")
    write_atomic(output / "vocab.json", lambda temporary: temporary.write_text(
        json.dumps(vocabulary, ensure_ascii=False, separators=(",", ":")), encoding="utf-8"))
    write_json(output / "tokenizer_config.json", {
        "tokenizer_class": "MarianTokenizer", "source_lang": config["source"], "target_lang": config["target"],
        "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>", "model_max_length": MAX_PIECES,
        "separate_vocabs": False})

    counters, rows = state["counters"], state["rows"]
    write_json(folder / "summary.json", {
        "parameters": sum(tensor.numel() for tensor in weights.values()) - size,  # without final_logits_bias
        "minutes": round(counters["used"] / 60, 1), "steps": counters["step"],
        "target_ids": round(sum(60 * float(row["target_tokens_per_second"]) for row in rows)),
        "dev": [{name: row.get(name, "") for name in ("minutes", "step", "dev_loss", "dev_bleu", "dev_chrf", "dev_bleu_by_set")}
                for row in rows if row["dev_bleu"] != ""]})
    write_card(config, folder, output)
    files = write_index(config, folder, output)
    total = sum(file["bytes"] for file in files)
    print(f"{output}: {total:,} bytes in {len(files)} files")
    if total > SIZE_LIMIT and not arguments.output:  # for the page
        raise SystemExit(f"error: {output}: {total:,} bytes, the limit is {SIZE_LIMIT:,}")


if __name__ == "__main__":
    main()
