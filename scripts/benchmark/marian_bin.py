"""Writes Marian's model container `.bin` (version 1), float32 or int8, from weights under Hugging Face's names.

Little-endian: version, item headers, names, shapes, padding to 256 bytes, data. Matrices are [in, out] there and
[out, in] in Hugging Face's; int8 ones are stored transposed, with one scale for the whole matrix (intgemm8).
"""

import struct

import numpy as np

FLOAT32, INT8, INTGEMM8 = 0x404, 0x101, 0x4101
ALIGNMENT = 256

ATTENTION = {"q_proj": "q", "k_proj": "k", "v_proj": "v", "out_proj": "o"}


def marian_names(config):
    """[(Marian's name, Hugging Face's name, kind)]; kind: matrix, bias, norm or embedding."""
    names = [("Wemb", "model.shared.weight", "embedding"), ("decoder_ff_logit_out_b", "final_logits_bias", "bias")]

    def attention(marian, hugging, norm):
        for part, letter in ATTENTION.items():
            names.append((f"{marian}_W{letter}", f"{hugging}.{part}.weight", "matrix"))
            names.append((f"{marian}_b{letter}", f"{hugging}.{part}.bias", "bias"))
        names.append((f"{marian}_Wo_ln_scale", f"{norm}.weight", "norm"))
        names.append((f"{marian}_Wo_ln_bias", f"{norm}.bias", "norm"))

    def feed_forward(marian, hugging):
        for number in (1, 2):
            names.append((f"{marian}_W{number}", f"{hugging}.fc{number}.weight", "matrix"))
            names.append((f"{marian}_b{number}", f"{hugging}.fc{number}.bias", "bias"))
        names.append((f"{marian}_ffn_ln_scale", f"{hugging}.final_layer_norm.weight", "norm"))
        names.append((f"{marian}_ffn_ln_bias", f"{hugging}.final_layer_norm.bias", "norm"))

    for i in range(config["encoder_layers"]):
        layer = f"model.encoder.layers.{i}"
        attention(f"encoder_l{i + 1}_self", f"{layer}.self_attn", f"{layer}.self_attn_layer_norm")
        feed_forward(f"encoder_l{i + 1}_ffn", layer)
    for i in range(config["decoder_layers"]):
        layer, own = f"model.decoder.layers.{i}", f"decoder_l{i + 1}"
        if config.get("decoder") == "ssru":
            names += [(f"{own}_rnn_W", f"{layer}.rnn.W.weight", "matrix"),
                      (f"{own}_rnn_Wf", f"{layer}.rnn.Wf.weight", "matrix"),
                      (f"{own}_rnn_bf", f"{layer}.rnn.Wf.bias", "bias"),
                      (f"{own}_rnn_ffn_ln_scale", f"{layer}.rnn_layer_norm.weight", "norm"),
                      (f"{own}_rnn_ffn_ln_bias", f"{layer}.rnn_layer_norm.bias", "norm")]
        else:
            attention(f"{own}_self", f"{layer}.self_attn", f"{layer}.self_attn_layer_norm")
        attention(f"{own}_context", f"{layer}.encoder_attn", f"{layer}.encoder_attn_layer_norm")
        feed_forward(f"{own}_ffn", layer)
    return names


def marian_options(config):
    """The metadata every Marian model carries, as YAML."""
    vocabulary, heads = config["vocab_size"], config["encoder_attention_heads"]
    ssru = config.get("decoder") == "ssru"
    return f"""version: v1.9.0
type: transformer
dim-vocabs:
  - {vocabulary}
  - {vocabulary}
dim-emb: {config["d_model"]}
dim-rnn: 1024
enc-depth: {config["encoder_layers"]}
dec-depth: {config["decoder_layers"]}
enc-type: bidirectional
enc-cell: gru
enc-cell-depth: 1
dec-cell: {"ssru" if ssru else "gru"}
dec-cell-base-depth: 2
dec-cell-high-depth: 1
transformer-heads: {heads}
transformer-dim-ffn: {config["encoder_ffn_dim"]}
transformer-ffn-depth: 2
transformer-ffn-activation: {config["activation_function"]}
transformer-dim-aan: 2048
transformer-aan-depth: 2
transformer-aan-activation: relu
transformer-aan-nogate: false
transformer-decoder-autoreg: {"rnn" if ssru else "self-attention"}
transformer-preprocess: ""
transformer-postprocess: dan
transformer-postprocess-emb: d
transformer-postprocess-top: ""
transformer-guided-alignment-layer: last
transformer-tied-layers:
  []
transformer-train-position-embeddings: false
transformer-train-positions: false
transformer-no-projection: false
transformer-pool: false
transformer-depth-scaling: false
tied-embeddings: false
tied-embeddings-src: false
tied-embeddings-all: true
layer-normalization: false
right-left: false
skip: false
ulr: false
ulr-dim-emb: 0
ulr-trainable-transformation: false
lemma-dim-emb: 0
output-omit-bias: false
input-types:
  []
original-type: ""
char-stride: 5
char-highway: 4
char-conv-filters-num:
  [200, 200, 250, 250, 300, 300, 300, 300]
char-conv-filters-widths:
  [1, 2, 3, 4, 5, 6, 7, 8]
bert-train-type-embeddings: true
bert-type-vocab-size: 2
bert-mask-symbol: "[MASK]"
bert-sep-symbol: "[SEP]"
bert-class-symbol: "[CLS]"
bert-masking-fraction: 0.15
"""


def intgemm8(matrix):
    """int8 values and the multiplier (127 / max|W|), as the item's bytes."""
    multiplier = np.float32(127) / np.float32(np.abs(matrix).max())
    values = np.clip(np.rint(matrix * multiplier), -127, 127).astype(np.int8)
    return np.ascontiguousarray(values).tobytes() + struct.pack("<f", multiplier)


def write_marian(path, config, weights, alphas=None, int8=False):
    """weights: Hugging Face's name -> float32 array. alphas: Marian's matrix name -> 127 / its inputs' largest
    absolute value; without them the engine measures every input matrix at run time."""
    items = {}  # name -> (type, shape, bytes)
    for marian, hugging, kind in marian_names(config):
        values = np.asarray(weights[hugging], dtype=np.float32)
        if kind == "matrix":
            shape = (values.shape[1], values.shape[0])
            items[marian] = ((INTGEMM8, shape, intgemm8(values)) if int8 else
                             (FLOAT32, shape, np.ascontiguousarray(values.T).tobytes()))
        elif kind == "embedding":
            items[marian] = ((INTGEMM8, values.shape, intgemm8(values)) if int8 else
                             (FLOAT32, values.shape, values.tobytes()))
        else:
            items[marian] = (FLOAT32, (1, values.size), values.tobytes())
        if int8 and alphas and kind in ("matrix", "embedding"):
            items[f"{marian}_QuantMultA"] = (FLOAT32, (1, 1), struct.pack("<f", alphas[marian]))
    if int8 and alphas:
        items["none_QuantMultA"] = items["Wemb_QuantMultA"]
    options = marian_options(config).encode() + b"\0"

    ordered = sorted(items.items()) + [("special:model.yml", (INT8, (len(options),), options))]
    blocks = [data + b"\0" * (-len(data) % ALIGNMENT) for _, (_, _, data) in ordered]
    names = [name.encode() + b"\0" for name, _ in ordered]
    out = struct.pack("<QQ", 1, len(ordered))
    for name, (_, (kind, shape, _)), block in zip(names, ordered, blocks):
        out += struct.pack("<4Q", len(name), kind, len(shape), len(block))
    out += b"".join(names)
    out += b"".join(struct.pack(f"<{len(shape)}i", *shape) for _, (_, shape, _) in ordered)
    start = ((len(out) + 8) // ALIGNMENT + 1) * ALIGNMENT
    padding = start - len(out) - 8
    out += struct.pack("<Q", padding) + b"\0" * padding
    path.write_bytes(out + b"".join(blocks))
