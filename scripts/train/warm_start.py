"""Starts a model from another model's trained weights, so that what they share is not learnt twice.

    python warm_start.py de-en --parent .train/zh-en/checkpoint.pt --parent-vocabulary .train/zh-en/spm.model
    python warm_start.py zh-en --parent web/public/models/zh-en

The parent is a checkpoint or an exported model directory, which brings its own vocabulary.
Writes .train/ID/checkpoint.pt for train.py to go on from. Layers are copied as they are; an embedding
row is copied where the parent's vocabulary has the same piece and starts afresh where it has not
(parent and child need not share a language: Kocmi and Bojar, "Trivial Transfer Learning", 2018). A
symbol that the parent normalised starts as what it was normalised to.
"""

import argparse
import unicodedata
from pathlib import Path

import sentencepiece
import torch

from common import data_folder, load_config, work_folder
from evaluate import load_model
from train import Run


def pieces(path):
    spm = sentencepiece.SentencePieceProcessor(model_file=str(path))
    return [spm.id_to_piece(i) for i in range(len(spm))] + ["<pad>"]


def parent_weights(path):
    """{name: weight} of the parent's averaged weights."""
    if path.is_dir():
        return dict(load_model(path)[0].named_parameters())
    return torch.load(path, map_location="cpu", weights_only=True)["average"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("config", help="name in configs/ or path of a JSON file")
    parser.add_argument("--parent", type=Path, required=True, help="checkpoint.pt or exported directory of the trained model")
    parser.add_argument("--parent-vocabulary", type=Path, help="a checkpoint's spm.model")
    arguments = parser.parse_args()
    vocabulary = arguments.parent / "source.spm" if arguments.parent.is_dir() else arguments.parent_vocabulary
    if vocabulary is None:
        parser.error("--parent-vocabulary: needed with a checkpoint")

    config = load_config(arguments.config)
    folder = work_folder(config)
    if (folder / "checkpoint.pt").exists():
        raise SystemExit(f"error: {folder / 'checkpoint.pt'}: exists already, remove it to start again")
    run = Run(config, folder, "cpu", 1, 60.0, data_folder(config) / "dev.tsv")
    weights = parent_weights(arguments.parent)
    # The embedding is shared by encoder, decoder and output: one of the parent's names holds it.
    old = {piece: row for row, piece in enumerate(pieces(vocabulary))}
    new = pieces(folder / "spm.model")
    parents = [old.get(piece, old.get(unicodedata.normalize("NFKC", piece))) for piece in new]
    common = [(row, parent) for row, parent in enumerate(parents) if parent is not None]
    with torch.no_grad():
        for name, parameter in run.model.named_parameters():
            if not parameter.requires_grad:
                continue
            if name not in weights:
                raise SystemExit(f"error: {arguments.parent}: no weight '{name}'")
            if name == "model.shared.weight":
                rows, old_rows = map(list, zip(*common))
                parameter[rows] = weights[name][old_rows]
            elif weights[name].shape != parameter.shape:
                raise SystemExit(f"error: {arguments.parent}: {name}: shape {tuple(weights[name].shape)}, "
                                 f"{tuple(parameter.shape)} expected")
            else:
                parameter.copy_(weights[name])
        for average, live in zip(run.averaged.average, run.averaged.live):
            average.copy_(live)
    run.save()
    print(f"{len(common)} of {len(new)} pieces have the parent's embedding")


if __name__ == "__main__":
    main()
