"""Repairs a checkpoint whose encoder collapsed, so that training can go on from what it did learn.

    python reset_encoder.py zh-en [--keep-layers 1]

A post-norm encoder trained at too high a rate can settle where its last layer gives every position
the same vector: cross-attention is then uniform and the decoder translates from a bag of words. The
embeddings and the decoder are worth keeping all the same. The first encoder layers stay, the others
begin again as near-identities (their residual branches add zero), cross-attention begins again at
random, and so do optimiser, average and clock. Train on with a lower learning_rate.
"""

import argparse

import torch

from common import load_config, work_folder, write_atomic


def xavier(weight):
    fresh = torch.empty_like(weight)
    torch.nn.init.xavier_uniform_(fresh)
    return fresh


def reset(weights, keep_layers):
    """New values of the tensors that begin again, by name."""
    fresh = {}
    for name, tensor in weights.items():
        layer = int(name.split(".layers.")[1].split(".")[0]) if ".layers." in name else -1
        deep = name.startswith("model.encoder.layers.") and layer >= keep_layers
        cross = ".encoder_attn." in name
        if not deep and not cross:
            continue
        if "layer_norm" in name:
            fresh[name] = torch.ones_like(tensor) if name.endswith("weight") else torch.zeros_like(tensor)
        elif tensor.dim() == 1:
            fresh[name] = torch.zeros_like(tensor)
        elif deep and (".out_proj." in name or ".fc2." in name):
            fresh[name] = torch.zeros_like(tensor)
        else:
            fresh[name] = xavier(tensor)
    return fresh


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("config", help="name in configs/ or path of a JSON file")
    parser.add_argument("--keep-layers", type=int, default=1, help="encoder layers that stay")
    arguments = parser.parse_args()

    config = load_config(arguments.config)
    path = work_folder(config) / "checkpoint.pt"
    state = torch.load(path, map_location="cpu", weights_only=True)
    torch.manual_seed(config["seed"])
    weights = dict(state["average"])
    fresh = reset(weights, arguments.keep_layers)
    weights.update(fresh)
    state["model"].update({name: tensor.clone() for name, tensor in weights.items()})
    for alias in ("model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight", "lm_head.weight"):
        if alias in state["model"]:
            state["model"][alias] = weights["model.shared.weight"].clone()
    state["average"] = weights
    state["optimiser"]["state"] = {}
    state["rows"] = []
    state["counters"] = {"step": 0, "epoch": 0, "batch": 0, "used": 0.0, "phase": 0, "best": 0.0}
    write_atomic(path, lambda temporary: torch.save(state, temporary))
    print(f"{path}: {len(fresh)} tensors begin again")


if __name__ == "__main__":
    main()
