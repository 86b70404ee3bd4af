"""The model card and the list of models the page reads; both come from what prepare.py,
export.py and evaluate.py wrote into .train/ID (data.json, summary.json, scores.json)."""

import hashlib
import json

from common import write_json

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


def _score_table(scores):
    if not scores:
        return "Not evaluated yet."
    rows = ["| set | lines | engine | beam | BLEU | chrF |", "|---|---:|---|---:|---:|---:|"]
    for score in scores["results"]:
        rows.append(f"| {score['set']} | {score['lines']} | {score['engine']} | {score['beam']} "
                    f"| {score['bleu']:.1f} | {score['chrf']:.1f} |")
    rows += ["", f"BLEU signature: `{scores['bleu_signature']}`  ",
             f"chrF signature: `{scores['chrf_signature']}`"]
    return "\n".join(rows)


def _attention(scores):
    if "encoder_cosine" not in scores:
        return ""
    return (f"\nMean cosine between the encoder's outputs at different places of a sentence: "
            f"{scores['encoder_cosine']:.2f} (1 would be a collapsed encoder). The largest weight of a row of "
            f"cross-attention, averaged over heads and rows: {scores['cross_attention_peak']:.2f} "
            f"(even attention: {scores['cross_attention_even']:.2f}).")


def _examples(scores):
    rows = ["| source | translation | reference |", "|---|---|---|"]
    rows += [f"| {e['source']} | {e['translation']} | {e['reference']} |" for e in scores.get("examples", [])]
    return "\n".join(rows)


def _probes(scores):
    rows = ["| input | beam 4 | greedy |", "|---|---|---|"]
    rows += [f"| {p['source'] or '(empty)'} | {p['beam']} | {p['greedy']} |" for p in scores.get("probes", [])]
    return "\n".join(rows)


def write_card(config, folder, output):
    data, summary, scores = (_load(folder / f"{name}.json") for name in ("data", "summary", "scores"))
    model, training = config["model"], config["training"]
    tuned = [phase for phase in training["phases"] if "learning_rate" in phase]
    tuning = "".join(f" The last {phase['minutes']:g} minutes are a fine-tuning at {phase['learning_rate']:g} on "
                     f"{', '.join(phase['tags'])}; tags of weight 0 occur there alone." for phase in tuned)
    before = f"First {training['before']}\n\n" if "before" in training else ""
    curve = "\n".join(f"| {row['minutes']:g} | {row['step']:,} | {row['dev_loss']} | {row['dev_bleu']} "
                      f"| {row['dev_chrf']} |" for row in summary.get("dev", []))
    size = (output / "model.safetensors").stat().st_size
    text = f"""---
language: [{config['source']}, {config['target']}]
license: {config['licence'].lower().replace(' ', '-')}
library_name: transformers
pipeline_tag: translation
---
# {config['name']}

A small Transformer in the MarianMT layout, trained from nothing with `scripts/train` of this project.
{summary.get('parameters', 0):,} parameters, `model.safetensors` {size:,} bytes ({summary.get('dtype')}).

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
{1 / config['data']['drop_final_mark']:.0f} has its final mark taken off.
`svo` and `svo-cover` are generated: short sentences of who does what to whom, both orders of each pair of nouns. **Sentences in which
a dog, a cat and 追 (chase) meet are in no part of the training data**, so that 狗追猫 and 猫追狗 are a test.
No training pair shares a side with a line of the dev or test sets.

## Training
{before}{summary.get('minutes', 0):g} minutes on {training['machine']}, {summary.get('steps', 0):,} steps, about
{summary.get('target_ids', 0) / 1e6:.1f} million target pieces; label smoothing {training['label_smoothing']:g},
dropout {model['dropout']:g}, AdamW (0.9, 0.98), peak rate {training['learning_rate']:g}, cosine to zero over the time
given, averaged weights (EMA {training['ema_decay']:g}).{tuning} On the first {training['dev_lines']} `{training['dev_set']}`
lines of dev, greedy:

| minutes | steps | loss | BLEU | chrF |
|---:|---:|---:|---:|---:|
{curve}

## Scores
{_score_table(scores)}
{_attention(scores)}

Test lines of each set as the data folder's `test.tsv` names them; one reference.

## Limits
Trained for short everyday sentences in a very small budget. News, long sentences, names it has not seen and rare words
come out wrong or are left out; it may repeat itself or invent. Do not rely on it where an error would matter.

## What it does with single words, numbers, empty and foreign input
{_probes(scores)}

## The first lines of the test set
{_examples(scores)}
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
        if score["engine"] == "transformers" and score["beam"] == 4:
            best[score["set"]] = {"bleu": round(score["bleu"], 1), "chrf": round(score["chrf"], 1)}
    path = output.parent / "index.json"
    models = [model for model in _load(path).get("models", []) if model["id"] != config["id"]]
    models.append({"id": config["id"], "source": config["source"], "target": config["target"],
                   "name": config["name"], "files": files, "licence": config["licence"], "scores": best,
                   "card": f"{config['id']}/model-card.md"})
    write_json(path, {"models": sorted(models, key=lambda model: model["id"])})
    return files
