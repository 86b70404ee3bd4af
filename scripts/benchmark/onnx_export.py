"""A Marian model for transformers.js: onnx/encoder_model_quantized.onnx, onnx/decoder_model_merged_quantized.onnx (q8),
tokenizer.json and the configuration files.

The merged decoder is the one transformers.js asks for: an If on `use_cache_branch`, whose first branch computes the
cross-attention keys and values and whose later branch takes them and the past ones as inputs. Both share their weights.
"""

import base64
import hashlib
import json
import logging
import shutil
import warnings

import onnx
import sentencepiece
import torch
from onnx import TensorProto, helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from sentencepiece import sentencepiece_model_pb2 as protocol

OPSET = 17


class FirstStep(torch.nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, input_ids, encoder_attention_mask, encoder_hidden_states):
        cross = self.network.cross(encoder_hidden_states)
        logits, states = self.network.step(input_ids, 0, [None] * len(cross), cross, encoder_attention_mask)
        return (logits, *(tensor for state, kv in zip(states, cross) for tensor in (*state, *kv)))


class LaterStep(torch.nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, input_ids, encoder_attention_mask, *past):
        states = [(past[i], past[i + 1]) for i in range(0, len(past), 4)]
        cross = [(past[i + 2], past[i + 3]) for i in range(0, len(past), 4)]
        position = torch.tensor(0) + past[0].shape[2]
        logits, states = self.network.step(input_ids, position, states, cross, encoder_attention_mask)
        # The cross-attention's are passed on by the caller; an empty tensor stands for them.
        return (logits, *(tensor for state, (keys, values) in zip(states, cross)
                          for tensor in (*state, keys[:, :, :0], values[:, :, :0])))


class EncoderOnly(torch.nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, input_ids, attention_mask):
        return self.network.encode(input_ids, attention_mask)


def state_names(config, prefix):
    return [f"{prefix}.{i}.{side}.{kind}" for i in range(config["decoder_layers"])
            for side in ("decoder", "encoder") for kind in ("key", "value")]


def export(module, arguments, path, inputs, outputs, axes):
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # the tracer on shapes that are meant to vary; dynamic_axes says which
        torch.onnx.export(module.eval(), arguments, str(path), input_names=inputs, output_names=outputs,
                          dynamic_axes=axes, opset_version=OPSET, dynamo=False)


def branch(model, prefix, shared):
    """The graph as a branch of an If: no inputs, names of its own, weights moved to `shared` by content."""
    graph, renamed = model.graph, {}
    outer = {value.name for value in graph.input}
    for tensor in graph.initializer:
        tensor_bytes = tensor.SerializeToString()
        copy = TensorProto()
        copy.ParseFromString(tensor_bytes)
        copy.name = ""
        name = "weight_" + hashlib.sha256(copy.SerializeToString()).hexdigest()[:20]
        copy.name = name
        renamed[tensor.name] = name
        shared[name] = copy
    for node in graph.node:
        for i, name in enumerate(node.input):
            if name and name not in outer:
                node.input[i] = renamed.get(name, f"{prefix}/{name}")
        for i, name in enumerate(node.output):
            if name:
                node.output[i] = f"{prefix}/{name}"
        node.name = f"{prefix}/{node.name}"
    outputs = []
    for value in graph.output:
        value.name = f"{prefix}/{value.name}"
        outputs.append(value)
    return helper.make_graph(list(graph.node), prefix, [], outputs)


def merge(first, later, inputs, outputs, path):
    shared = {}
    decide = helper.make_node("If", ["use_cache_branch"], [value.name for value in outputs],
                              then_branch=branch(later, "later", shared), else_branch=branch(first, "first", shared))
    graph = helper.make_graph([decide], "decoder_model_merged", inputs, outputs, list(shared.values()))
    model = helper.make_model(graph, opset_imports=later.opset_import, ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def value_info(name, kind, shape):
    return helper.make_tensor_value_info(name, kind, shape)


def quantised(path):
    target = path.with_name(path.stem + "_quantized.onnx")
    quantize_dynamic(path, target, weight_type=QuantType.QInt8)
    return target


def export_onnx(folder, config, network):
    onnx_folder = folder / "onnx"
    onnx_folder.mkdir(parents=True, exist_ok=True)
    logging.getLogger().setLevel(logging.ERROR)  # the quantiser advises on preprocessing that changes nothing here
    heads, d_k = config["decoder_attention_heads"], config["d_model"] // config["decoder_attention_heads"]
    batch, source, past = 2, 5, 3
    ids = torch.ones(batch, source, dtype=torch.int64)
    tokens = torch.ones(batch, 1, dtype=torch.int64)
    hidden = torch.zeros(batch, source, config["d_model"])
    states = [torch.zeros(batch, heads, past if "decoder" in name else source, d_k)
              for name in state_names(config, "past_key_values")]

    pasts, presents = state_names(config, "past_key_values"), state_names(config, "present")
    export(EncoderOnly(network), (ids, ids), onnx_folder / "encoder_model.onnx", ["input_ids", "attention_mask"],
           ["last_hidden_state"], {name: {0: "batch", 1: "source"}
                                   for name in ("input_ids", "attention_mask", "last_hidden_state")})
    axes = {"input_ids": {0: "batch"}, "encoder_attention_mask": {0: "batch", 1: "source"},
            "encoder_hidden_states": {0: "batch", 1: "source"}, "logits": {0: "batch"}}
    axes |= {name: {0: "batch", 2: name + "_length"} for name in pasts + presents}
    export(FirstStep(network), (tokens, ids, hidden), onnx_folder / "first.onnx",
           ["input_ids", "encoder_attention_mask", "encoder_hidden_states"], ["logits", *presents], axes)
    export(LaterStep(network), (tokens, ids, *states), onnx_folder / "later.onnx",
           ["input_ids", "encoder_attention_mask", *pasts], ["logits", *presents], axes)

    quantised(onnx_folder / "encoder_model.onnx")
    kinds = TensorProto.FLOAT, TensorProto.INT64
    inputs = [value_info("input_ids", kinds[1], ["batch", "tokens"]),
              value_info("encoder_attention_mask", kinds[1], ["batch", "source"]),
              value_info("encoder_hidden_states", kinds[0], ["batch", "source", config["d_model"]]),
              *(value_info(name, kinds[0], ["batch", heads, name + "_length", d_k]) for name in pasts),
              value_info("use_cache_branch", TensorProto.BOOL, [1])]
    outputs = [value_info("logits", kinds[0], ["batch", "tokens", config["vocab_size"]]),
               *(value_info(name, kinds[0], ["batch", heads, name + "_length", d_k]) for name in presents)]
    merge(onnx.load(quantised(onnx_folder / "first.onnx")), onnx.load(quantised(onnx_folder / "later.onnx")),
          inputs, outputs, onnx_folder / "decoder_model_merged_quantized.onnx")
    for name in ("encoder_model", "first", "later", "first_quantized", "later_quantized"):
        (onnx_folder / f"{name}.onnx").unlink()


def write_tokenizer(folder, source):
    """tokenizer.json, the one transformers.js reads, from source.spm and vocab.json: the same unigram model."""
    processor = sentencepiece.SentencePieceProcessor(model_file=str(source / "source.spm"))
    proto = protocol.ModelProto()
    proto.ParseFromString((source / "source.spm").read_bytes())
    scores = {piece.piece: piece.score for piece in proto.pieces}
    vocabulary = json.loads((source / "vocab.json").read_text(encoding="utf-8"))
    ordered = sorted(vocabulary, key=vocabulary.get)
    normalizers = []
    if proto.normalizer_spec.precompiled_charsmap:
        charsmap = base64.b64encode(proto.normalizer_spec.precompiled_charsmap).decode()
        normalizers.append({"type": "Precompiled", "precompiled_charsmap": charsmap})
    if proto.normalizer_spec.remove_extra_whitespaces:
        normalizers.append({"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "})
    metaspace = {"type": "Metaspace", "replacement": "▁", "add_prefix_space": True, "prepend_scheme": "always"}
    special = [name for name in ("</s>", "<unk>", "<pad>") if name in vocabulary]
    tokenizer = {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [{"id": vocabulary[name], "content": name, "single_word": False, "lstrip": False,
                          "rstrip": False, "normalized": False, "special": True} for name in special],
        "normalizer": {"type": "Sequence", "normalizers": normalizers},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, metaspace]},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}],
            "special_tokens": {"</s>": {"id": "</s>", "ids": [vocabulary["</s>"]], "tokens": ["</s>"]}}},
        "decoder": metaspace,
        "model": {"type": "Unigram", "unk_id": processor.unk_id(),
                  "vocab": [[name, scores.get(name, 0.0)] for name in ordered]}}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False), encoding="utf-8")


def write_transformers_js(folder, source, config, network):
    """`source`: the model directory the weights came from, for its configuration and vocabulary."""
    folder.mkdir(parents=True, exist_ok=True)
    export_onnx(folder, config, network)
    write_tokenizer(folder, source)
    for name in ("config.json", "generation_config.json", "tokenizer_config.json"):
        shutil.copyfile(source / name, folder / name)
