"""The model card, the list of models the page reads and the README's table of scores; all come from what
prepare.py, export.py and evaluate.py wrote into .train/ID (data.json, summary.json, scores.json)."""

import hashlib
import json
from pathlib import Path

from common import ROOT, load_config, write_atomic, write_json

# The README's table of scores stands between these two lines.
MARKS = ("<!-- scores: written by scripts/train/evaluate --update-card -->", "<!-- end of scores -->")

# What a page has to download; source.spm and target.spm may be one file (same sha256).
PAGE_FILES = ("config.json", "generation_config.json", "model.safetensors", "source.spm", "target.spm",
              "vocab.json")


def _load(path):
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _data_table(config, data):
    rows = ["| tag | pairs | weight | licence as its source states it |", "|---|---:|---:|---|"]
    for tag, rule in config["data"]["tags"].items():
        pairs = data.get("tags", {}).get(tag, {}).get("pairs", 0)
        rows.append(f"| {tag} | {pairs:,} | {rule['weight']:g} | {rule['licence']} |")
    return "\n".join(rows)


def _score_table(config, scores):
    if not scores:
        return "Not evaluated yet."
    rows = ["| set | lines | system | beam | BLEU | chrF | words/s |", "|---|---:|---|---:|---:|---:|---:|"]
    published = published_scores(config)
    for name in dict.fromkeys(score["set"] for score in scores["results"]):
        for score in scores["results"]:
            if score["set"] == name:
                rows.append(f"| {name} | {score['lines']:,} | {score['engine']} | {score['beam']} | {score['bleu']:.1f} "
                            f"| {score['chrf']:.1f} | {score['words_per_second']:,} |")
        rows += [f"| {name} | | *{other['system']}* | | *{other['bleu']:.1f}* | | |" for other in published.get(name, [])]
    rows += ["", f"BLEU signature: `{scores['bleu_signature']}`  ",
             f"chrF signature: `{scores['chrf_signature']}`  ",
             "Words of the source (Chinese by characters) a second, two shared cores, load time included. "
             "In italics: published figures of others on the same lines."]
    return "\n".join(rows)


def published_scores(config):
    """Others' published figures by set, from published.json."""
    path = Path(__file__).with_name("published.json")
    return _load(path).get(f"{config['source']}-{config['target']}", {})


def _rows(items, *fields):
    return "\n".join("| " + " | ".join(item[field].replace("|", "\\|") or "(empty)" for field in fields) + " |"
                     for item in items)


def _limits(scores):
    if not scores.get("limits"):
        return ""
    return f"""
The worst ten of fifty sentences (`scripts/train/probes/`) that were read through:

| source | translation | what is wrong |
|---|---|---|
{_rows(scores["limits"], "source", "beam", "what")}
"""


def _schedule(training):
    """The phases of training in a sentence or two."""
    texts = []
    for phase in training["phases"]:
        closing = "learning_rate" in phase
        rate = f"{phase['learning_rate']:g} falling to zero (cosine)" if closing else \
            f"{training['learning_rate']:g}" + (" falling to zero (cosine)" if training["schedule"] == "cosine" else "")
        data = f"on {', '.join(phase['tags'])}" if "tags" in phase else "on all of it"
        rounded = ", weights rounded to int8" if phase.get("int8") else ""
        texts.append(f"{phase['minutes']:g} minutes {data} with batches of {phase['batch_tokens']:,} target pieces, "
                     f"rate {rate}{rounded}")
    return "; ".join(texts)


def _stored_type(path):
    """The type that most bytes of a safetensors file are of, as the card names it."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    sizes = {}
    for tensor in header.values():
        if "dtype" in tensor:
            start, end = tensor["data_offsets"]
            sizes[tensor["dtype"]] = sizes.get(tensor["dtype"], 0) + end - start
    return {"I8": "int8", "F16": "f16", "F32": "f32"}[max(sizes, key=sizes.get)]


def write_card(config, folder, output):
    data, summary, scores = (_load(folder / f"{name}.json") for name in ("data", "summary", "scores"))
    model, training = config["model"], config["training"]
    before = f"{training['before']}\n" if "before" in training else ""
    sets = " ".join(f"`{name}` ({lines})" for name, lines in training["dev_sets"].items())
    curve = "\n".join(f"| {row['minutes']:g} | {row['step']:,} | {row['dev_loss']} | {row['dev_bleu']} "
                      f"| {row['dev_chrf']} | {row['dev_bleu_by_set']} |" for row in summary.get("dev", []))
    weights = output / "model.safetensors"
    generated = [tag for tag, rule in config["data"]["tags"].items() if "generate" in rule]
    running_example = """
`svo` and `svo-cover` are short sentences of who does what to whom, both orders of each pair of nouns. **Sentences in
which a dog, a cat and 追 (chase) meet are in no part of the training data**, so that 狗追猫 and 猫追狗 are a test.""" \
        if "svo" in generated else ""
    repetition = f"{scores['repeating']} of {scores['looked_at']:,} translations of the test sets repeat a phrase four " \
        "times or more in a row." if scores else ""
    text = f"""---
language: [{config['source']}, {config['target']}]
license: {config['licence'].lower().replace(' ', '-')}
library_name: transformers
pipeline_tag: translation
---
# {config['name']}

A small Transformer in the MarianMT layout, trained with `scripts/train` of this project.
{summary.get('parameters', 0):,} parameters, `model.safetensors` {weights.stat().st_size:,} bytes ({_stored_type(weights)}).

## Licence
The weights: **{config['licence']}**. {config['licence_reason']}

## Model
d_model {model['d_model']}, feed-forward {model['encoder_ffn_dim']}, {model['encoder_layers']} encoder and
{model['decoder_layers']} decoder layers, {model['encoder_attention_heads']} heads, {model['activation_function']},
post-norm, sinusoidal positions, one embedding for source, target and output. One SentencePiece unigram vocabulary
of {config['vocabulary']['size']:,} pieces with byte fallback for both languages; numbers are split into digits.
int8 weights are symmetric with one scale per output row.

## Data
{_data_table(config, data)}

Sides of at most {config['data']['max_source_length']} ({config['source']}) and
{config['data']['max_target_length']} ({config['target']}) characters of Chinese or words of other languages; of the
larger sources the part most like `{config['data'].get('similar_to')}` by cross-entropy difference on both sides. One pair in
{1 / config['data']['drop_final_mark']:.0f} has its final mark taken off. Generated (`synthetic.py`): {', '.join(f'`{tag}`' for tag in generated)}.{running_example}
No training pair shares a side with a line of the dev or test sets.

## Training
{before}{summary.get('minutes', 0):g} minutes on {training['machine']}, {summary.get('steps', 0):,} steps, about
{summary.get('target_ids', 0) / 1e6:.1f} million target pieces: {_schedule(training)}.
Label smoothing {training['label_smoothing']:g}, dropout {model['dropout']:g}, AdamW (0.9, 0.98), warm-up of
{training['warmup_steps']} steps, averaged weights (EMA {training['ema_decay']:g}). On the first lines of dev, greedy: {sets}.

| minutes | steps | loss | BLEU | chrF | BLEU by set |
|---:|---:|---:|---:|---:|---|
{curve}

## Scores
{_score_table(config, scores)}

## Limits
A small model from a small budget. Names it has not seen, rare words and long sentences come out wrong or are left out; it may
invent. Do not rely on it where an error would matter. {repetition}
{_limits(scores)}
## What it does with single words, names, numbers, addresses, empty and foreign input
| input | beam {scores.get('beams', [4])[0]} | greedy |
|---|---|---|
{_rows(scores.get("odd", []), "source", "beam", "greedy")}

## The first lines of the test set
| source | translation | reference |
|---|---|---|
{_rows(scores.get("examples", []), "source", "translation", "reference")}
"""
    (output / "model-card.md").write_text(text, encoding="utf-8")


def write_index(config, folder, output):
    """Adds or replaces this model in index.json beside its folder; returns its file list."""
    files = []
    for name in PAGE_FILES:
        content = (output / name).read_bytes()
        files.append({"name": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()})
    scores = _load(folder / "scores.json")
    best = {}
    for score in scores.get("results", []):
        if score["engine"] == "translucent" and score["beam"] == scores["beams"][0]:
            best[score["set"]] = {"bleu": round(score["bleu"], 1), "chrf": round(score["chrf"], 1)}
    path = output.parent / "index.json"
    models = [model for model in _load(path).get("models", []) if model["id"] != config["id"]]
    models.append({"id": config["id"], "source": config["source"], "target": config["target"],
                   "name": config["name"], "files": files, "licence": config["licence"], "scores": best,
                   "card": f"{config['id']}/model-card.md"})
    write_json(path, {"models": sorted(models, key=lambda model: model["id"])})
    return files


def write_readme(index):
    """Puts the scores of every model in index.json, and the published figures, into the README's table."""
    rows = ["| direction | test set | BLEU | chrF | others, published |", "|---|---|---:|---:|---|"]
    for model in _load(index)["models"]:
        published = published_scores(load_config(model["id"]))
        for name, score in model["scores"].items():
            others = "; ".join(f"{other['system']} {other['bleu']:.1f}" for other in published.get(name, []))
            rows.append(f"| [{model['name']}](web/public/models/{model['card']}) | {name} | {score['bleu']:.1f} "
                        f"| {score['chrf']:.1f} | {others} |")
    path = ROOT / "README.md"
    text = path.read_text(encoding="utf-8")
    before, start, rest = text.partition(MARKS[0])
    _, end, after = rest.partition(MARKS[1])
    if not start or not end:
        raise SystemExit(f"error: {path}: the lines '{MARKS[0]}' and '{MARKS[1]}' are not there")
    text = before + start + "\n" + "\n".join(rows) + "\n" + end + after
    write_atomic(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))
