"""One native peer as a process: requests in, answers out, a JSON object a line.

    python native.py ENGINE MODEL_FOLDER      ENGINE: ctranslate2, fxtranslate, transformers

{"texts": [...], "length": 52 or null} -> {"texts": [...], "seconds": s}; the first line out is {"seconds": s} of
loading, or {"error": "..."}. `length`: exactly that many target tokens where the model cannot stop by itself. One
thread, greedy search, no cache of translations.
"""

import json
import sys
import time
from pathlib import Path


class CTranslate2:
    def __init__(self, folder):
        import ctranslate2
        from transformers import MarianTokenizer
        self.translator = ctranslate2.Translator(str(folder / "ct2"), device="cpu", compute_type="int8",
                                                 inter_threads=1, intra_threads=1)
        self.tokenizer = MarianTokenizer.from_pretrained(str(folder / "marian"))
        settings = json.loads((folder / "marian" / "generation_config.json").read_text())
        self.no_repeat_ngram_size = settings.get("no_repeat_ngram_size", 0)
        self.about = f"ctranslate2 {ctranslate2.__version__}"

    def translate(self, texts, length):
        pieces = [self.tokenizer.convert_ids_to_tokens(self.tokenizer.encode(text)) for text in texts]
        results = self.translator.translate_batch(
            pieces, beam_size=1, max_batch_size=32, max_decoding_length=length or 127, max_input_length=0,
            no_repeat_ngram_size=self.no_repeat_ngram_size, return_scores=False)
        return [self.tokenizer.decode(self.tokenizer.convert_tokens_to_ids(result.hypotheses[0]),
                                      skip_special_tokens=True) for result in results]


class FxTranslate:
    def __init__(self, folder):
        import importlib.metadata

        import fxtranslate
        model, vocabulary = ((folder / "bergamot" / name).read_bytes() for name in ("model.bin", "vocab.spm"))
        self.translator = fxtranslate.Translator(model, vocabulary, vocabulary)
        self.about = f"fxtranslate {importlib.metadata.version('fxtranslate')}, {self.translator.backend()}"

    def translate(self, texts, length):
        # Its Python interface has no call for several sentences but the long text, which splits it itself.
        if len(texts) == 1:
            return [self.translator.translate(texts[0])]
        return self.translator.translate_long("\n".join(texts)).split("\n")


class Transformers:
    def __init__(self, folder):
        import torch
        import transformers
        torch.set_num_threads(1)
        transformers.utils.logging.set_verbosity_error()
        transformers.utils.logging.disable_progress_bar()
        self.torch = torch
        self.model = transformers.MarianMTModel.from_pretrained(str(folder / "marian")).eval()
        self.tokenizer = transformers.MarianTokenizer.from_pretrained(str(folder / "marian"))
        self.about = f"transformers {transformers.__version__}, torch {torch.__version__}, float32"

    def translate(self, texts, length):
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        outputs = [""] * len(texts)
        options = {"max_new_tokens": length} if length else {}
        for start in range(0, len(order), 32):
            chosen = order[start:start + 32]
            batch = self.tokenizer([texts[i] for i in chosen], return_tensors="pt", padding=True)
            with self.torch.inference_mode():
                ids = self.model.generate(**batch, num_beams=1, do_sample=False, **options)
            for i, text in zip(chosen, self.tokenizer.batch_decode(ids, skip_special_tokens=True)):
                outputs[i] = text
        return outputs


ENGINES = {"ctranslate2": CTranslate2, "fxtranslate": FxTranslate, "transformers": Transformers}


def main():
    engine, folder = ENGINES[sys.argv[1]], Path(sys.argv[2])
    answers, sys.stdout = sys.stdout, sys.stderr  # libraries print what they like

    def answer(value):
        answers.write(json.dumps(value) + "\n")
        answers.flush()

    def attempt(work):
        try:
            answer(work())
            return True
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # a panic of Rust's is no Exception; the runner makes it a row of its table
            text = f"{type(error).__name__}: {error}"
            answer({"error": text.splitlines()[0][:300]})
            return False

    loaded = []

    def load():
        start = time.perf_counter()
        loaded.append(engine(folder))
        return {"seconds": time.perf_counter() - start, "about": loaded[0].about}

    if not attempt(load):
        return 1
    for line in sys.stdin:
        request = json.loads(line)

        def work():
            start = time.perf_counter()
            texts = loaded[0].translate(request["texts"], request["length"])
            return {"texts": texts, "seconds": time.perf_counter() - start}

        attempt(work)
    return 0


if __name__ == "__main__":
    sys.exit(main())
