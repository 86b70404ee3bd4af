"""What the training scripts share: configuration, data files, paths, atomic writes."""

import json
import os
import re
import unicodedata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / ".train"  # ignored by git: vocabularies, shards, checkpoints
SHARED_DATA = ROOT.parent / "shared" / "data"


def load_config(path):
    """The model's configuration; a name without a folder means configs/NAME.json. With "extends": NAME it is
    that configuration with these fields changed (a JSON merge patch, RFC 7396: null takes a field away)."""
    path = Path(path)
    if not path.exists():
        path = Path(__file__).with_name("configs") / f"{path.stem}.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SystemExit(f"error: {path}: no such configuration")
    except json.JSONDecodeError as error:
        raise SystemExit(f"error: {path}: line {error.lineno}: {error.msg}")
    if "extends" in config:
        config = merge_patch(load_config(path.with_name(config.pop("extends") + ".json")), config)
    for field in ("id", "source", "target", "data", "vocabulary", "model", "training"):
        if field not in config:
            raise SystemExit(f"error: {path}: field '{field}' is missing")
    return config


def merge_patch(value, patch):
    """`value` changed by a JSON merge patch."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(value) if isinstance(value, dict) else {}
    for name, change in patch.items():
        if change is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), change)
    return merged


def work_folder(config, create=False):
    folder = WORK / config["id"]
    if create:
        folder.mkdir(parents=True, exist_ok=True)
    elif not folder.exists():
        raise SystemExit(f"error: {folder}: not found, run prepare.py first")
    return folder


def data_folder(config):
    """Where the sentence pairs of this direction lie unless an option says otherwise.
    Both directions of a pair of languages share one folder."""
    pair = config["data"].get("folder", f"{config['source']}-{config['target']}")
    return SHARED_DATA / pair


def read_pairs(path, config):
    """Yields (source, target, tag) from a tab-separated file, plain or .xz."""
    import lzma

    source, target = config["data"]["source_column"], config["data"]["target_column"]
    opener = lzma.open if str(path).endswith(".xz") else open
    try:
        with opener(path, "rt", encoding="utf-8", newline="\n") as lines:
            for number, line in enumerate(lines, 1):
                fields = line.rstrip("\n").split("\t")
                if len(fields) != 3:
                    raise SystemExit(f"error: {path}: line {number}: {len(fields)} columns, 3 expected")
                yield fields[source], fields[target], fields[2]
    except FileNotFoundError:
        raise SystemExit(f"error: {path}: no such file")


def read_set(path, config, name):
    """The (source, target) pairs of one named set in dev.tsv or test.tsv."""
    pairs = [(s, t) for s, t, tag in read_pairs(path, config) if tag == name]
    if not pairs:
        raise SystemExit(f"error: {path}: no line of set '{name}'")
    return pairs


_PUNCTUATION = re.compile(r"[\W_]+")


def bare(text):
    """Lower case, no punctuation, no space: what leakage and duplicates are judged on."""
    return _PUNCTUATION.sub("", unicodedata.normalize("NFKC", text).lower())


def write_atomic(path, write):
    """Calls write(temporary path), then renames, so that `path` is never half written."""
    path = Path(path)
    temporary = path.with_name(f".{path.name}.partial")
    write(temporary)
    os.chmod(temporary, 0o644)  # safetensors writes files only their owner can read
    os.replace(temporary, path)


def write_json(path, value):
    text = json.dumps(value, ensure_ascii=False, indent=2) + "\n"
    write_atomic(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))
