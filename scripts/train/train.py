"""Trains a MarianMT model on the shards that prepare.py wrote, on a CPU or one GPU.

    python train.py zh-en [--budget-minutes N] [--threads N] [--fresh]

The learning rate follows the clock: warm-up over warmup_steps, then (training.schedule)
"cosine", which reaches zero when the main phases' minutes are used up, or "constant". A phase with
a learning_rate of its own comes after that: a cosine from it to zero and, if wanted, an ema_decay of
its own; with "int8": true it trains what the weights will be in int8. Minutes are the processor's on a CPU (a paused or shared machine does not shorten the
training), the wall clock's on a GPU, and are kept over restarts. Every checkpoint_minutes the whole state goes to .train/ID/checkpoint.pt; the same
command continues from it, and so does an interrupted run (SIGINT or SIGTERM saves first). The state
before the closing phases is kept as main.pt: copied over checkpoint.pt it goes on where more minutes
are worth having. log.csv and curve.png beside it show the loss on the dev sets and BLEU and chrF of
greedy translations by the averaged weights.
"""

import argparse
import contextlib
import csv
import itertools
import math
import os
import signal
import time
import timeit
from concurrent.futures import ThreadPoolExecutor

# On a shared machine OpenMP's waiting threads would spin while the others are not running.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
import sacrebleu
import sentencepiece
import torch
from torch.nn import functional
from tqdm import tqdm
from transformers import MarianConfig, MarianMTModel

from common import data_folder, load_config, read_set, work_folder, write_atomic
from quantisation import Rehearsal

EOS = 0  # as prepare.py numbers the vocabulary
LOG_FIELDS = ["minutes", "step", "epoch", "learning_rate", "train_loss", "target_tokens_per_second",
              "dev_loss", "encoder_cosine", "dev_bleu", "dev_chrf", "dev_bleu_by_set"]


def marian_config(config):
    """The Hugging Face configuration of the model."""
    vocabulary = config["vocabulary"]["size"]
    pad = vocabulary - 1
    return MarianConfig(
        vocab_size=vocabulary, decoder_vocab_size=vocabulary, pad_token_id=pad,
        decoder_start_token_id=pad, eos_token_id=EOS, forced_eos_token_id=EOS, bos_token_id=EOS,
        scale_embedding=True, static_position_embeddings=True, share_encoder_decoder_embeddings=True,
        tie_word_embeddings=True, **config["model"])


def initialise(model):
    """Xavier for the linear layers and d_model^-0.5 for the embedding, as in the paper's code
    (Hugging Face's 0.02 for everything makes post-norm layers start slowly); the last matrix of
    every branch of the encoder is zero, so that each encoder layer starts by passing on what it gets."""
    for module in model.modules():
        if isinstance(module, torch.nn.Linear) and module is not model.lm_head:
            torch.nn.init.xavier_uniform_(module.weight)
            torch.nn.init.zeros_(module.bias)
    for layer in model.model.encoder.layers:
        torch.nn.init.zeros_(layer.self_attn.out_proj.weight)
        torch.nn.init.zeros_(layer.fc2.weight)
    shared = model.model.shared.weight
    torch.nn.init.normal_(shared, std=shared.shape[1] ** -0.5)
    with torch.no_grad():
        shared[model.config.pad_token_id].zero_()


class Corpus:
    """The packed shards of some tags in memory, and their batches."""

    def __init__(self, folder, config, longest):
        self.shards = {}
        for tag in config["data"]["tags"]:
            path = folder / f"{tag}.npz"
            if not path.exists():
                raise SystemExit(f"error: {path}: not found, run prepare.py again")
            with np.load(path) as arrays:
                self.shards[tag] = {name: arrays[name] for name in arrays.files}
        self.longest = longest  # ids a side without </s>; anything longer is left out

    def epoch_batches(self, weights, batch_tokens, seed):
        """Batches of about batch_tokens target ids (padding counted) of similar lengths, in
        random order. Each is a list of (tag, index). `weights` maps tags to weights: a tag of weight
        2.3 gives each of its pairs twice and three in ten of them once more."""
        rng = np.random.default_rng(seed)
        names = sorted(weights)
        columns = []
        for number, tag in enumerate(names):
            shard = self.shards[tag]
            sources, targets = (np.diff(shard[side + "_offsets"]) + 1 for side in ("source", "target"))
            whole, part = divmod(weights[tag], 1)
            copies = int(whole) + (rng.random(len(sources)) < part)
            copies[(sources > self.longest) | (targets > self.longest)] = 0
            index = np.repeat(np.arange(len(sources)), copies)
            columns.append(np.stack([np.full(len(index), number), index, sources[index], targets[index]]))
        table = np.concatenate(columns, axis=1)
        table = table[:, rng.permutation(table.shape[1])]
        table = table[:, np.lexsort((table[2], table[3]))]
        batches, start, widest = [], 0, 0
        for end in range(table.shape[1]):
            # Sorted by target length; the longer of the two sides decides the room.
            widest = max(widest, table[3, end], table[2, end] // 2)
            if end > start and (end - start + 1) * widest > batch_tokens:
                batches.append((start, end))
                start, widest = end, max(table[3, end], table[2, end] // 2)
        batches.append((start, table.shape[1]))
        rng.shuffle(batches)
        return [[(names[n], i) for n, i in table[:2, a:b].T] for a, b in batches]

    def ids(self, tag, index, side):
        shard = self.shards[tag]
        offsets = shard[side + "_offsets"]
        return shard[side][offsets[index]:offsets[index + 1]]

    def tensors(self, batch, pad):
        return to_tensors([self.ids(tag, i, "source") for tag, i in batch],
                          [self.ids(tag, i, "target") for tag, i in batch], pad)


def to_tensors(sources, targets, pad):
    """Id lists -> source, mask [batch, source], decoder input, labels [batch, target]."""
    count = len(sources)
    source = np.full((count, max(map(len, sources)) + 1), pad, np.int64)
    labels = np.full((count, max(map(len, targets)) + 1), pad, np.int64)
    for row, (s, t) in enumerate(zip(sources, targets)):
        source[row, :len(s)] = s
        source[row, len(s)] = EOS
        labels[row, :len(t)] = t
        labels[row, len(t)] = EOS
    inputs = np.concatenate([np.full((count, 1), pad, np.int64), labels[:, :-1]], axis=1)
    inputs[inputs == EOS] = pad  # after the end; never looked at by a position that counts
    return tuple(torch.from_numpy(array) for array in (source, source != pad, inputs, labels))


def batch_loss(model, tensors, smoothing):
    """Mean label-smoothed cross-entropy of the real target ids, and their number. The vocabulary
    projection runs on those positions alone, not on padding."""
    source, mask, inputs, labels = tensors
    hidden = model.model(input_ids=source, attention_mask=mask, decoder_input_ids=inputs,
                         use_cache=False).last_hidden_state  # [batch, target, d_model]
    real = labels != model.config.pad_token_id
    logits = functional.linear(hidden[real], model.model.shared.weight)  # [ids, vocabulary]
    return functional.cross_entropy(logits.float(), labels[real], label_smoothing=smoothing), int(real.sum())


class Averaged:
    """Exponential moving average of the trained weights."""

    def __init__(self, model):
        self.live = [p for p in model.parameters() if p.requires_grad]
        self.average = [p.detach().clone() for p in self.live]

    @torch.no_grad()
    def update(self, step, decay):
        # A young average forgets its random start: decay grows with the step.
        decay = min(decay, (step + 1) / (step + 10))
        torch._foreach_lerp_(self.average, [p.detach() for p in self.live], 1 - decay)

    def swap(self):
        """Exchanges averaged and live weights; call twice around an evaluation."""
        for average, live in zip(self.average, self.live):
            kept = live.data.clone()
            live.data.copy_(average)
            average.copy_(kept)


@torch.inference_mode()
def greedy(model, sources, pad, longest=60):
    """Greedy translations of id lists as id lists."""
    order = sorted(range(len(sources)), key=lambda i: len(sources[i]))
    outputs = [None] * len(sources)
    for start in range(0, len(order), 50):
        chosen = order[start:start + 50]
        source, mask, _, _ = to_tensors([sources[i] for i in chosen], [[0]] * len(chosen), pad)
        device = model.device
        ids = model.generate(input_ids=source.to(device), attention_mask=mask.to(device), num_beams=1,
                             do_sample=False, max_length=longest, bad_words_ids=[[pad]])
        for i, row in zip(chosen, ids.tolist()):
            outputs[i] = [token for token in row if token not in (pad, EOS)]
    return outputs


class DevSet:
    """The first lines of each set that training.dev_sets names, as one set."""

    def __init__(self, config, spm, path):
        sets = {name: read_set(path, config, name)[:lines]
                for name, lines in config["training"]["dev_sets"].items()}
        pairs = [pair for pairs in sets.values() for pair in pairs]
        ends = np.cumsum([len(pairs) for pairs in sets.values()])
        self.slices = [slice(end - len(pairs), end) for end, pairs in zip(ends, sets.values())]
        self.references = [target for _, target in pairs]
        self.sources, self.targets = spm.encode([s for s, _ in pairs]), spm.encode(self.references)
        self.spm = spm
        self.tokenizer = "zh" if config["target"] == "zh" else "13a"

    def bleu(self, texts, part=slice(None)):
        return sacrebleu.corpus_bleu(texts[part], [self.references[part]], tokenize=self.tokenizer).score

    def encoder_cosine(self, model):
        """Mean cosine between the encoder's outputs at different places of a sentence. Towards 1 the
        encoder has collapsed: it says one thing everywhere and cross-attention has nothing to choose."""
        cosines = []
        for ids in self.sources[:30]:
            states = model.model.encoder(input_ids=torch.tensor([[*ids, EOS]], device=model.device))
            unit = functional.normalize(states.last_hidden_state[0].float(), dim=-1)  # [source, d_model]
            count = len(unit)
            cosines.append((unit.sum(0).square().sum().item() - count) / max(1, count * (count - 1)))
        return sum(cosines) / len(cosines)

    def evaluate(self, model, autocast):
        """Loss without smoothing, mean cosine of the encoder's outputs, chrF, translations."""
        pad = model.config.pad_token_id
        model.eval()
        with torch.inference_mode():
            total, count = 0.0, 0
            for start in range(0, len(self.sources), 50):
                tensors = to_tensors(self.sources[start:start + 50], self.targets[start:start + 50], pad)
                with autocast():
                    loss, ids = batch_loss(model, [t.to(model.device) for t in tensors], 0.0)
                total, count = total + loss.item() * ids, count + ids
            cosine = self.encoder_cosine(model)
            texts = self.spm.decode(greedy(model, self.sources, pad))
        model.train()
        return total / count, cosine, sacrebleu.corpus_chrf(texts, [self.references]).score, texts


def draw_curve(rows, path):
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 3.5))
    for axis, names in ((left, ("train_loss", "dev_loss")), (right, ("dev_bleu", "dev_chrf"))):
        for name in names:
            points = [(float(row["minutes"]), float(row[name])) for row in rows if row[name] != ""]
            axis.plot(*zip(*points), label=name) if points else None
        axis.set_xlabel("minutes")
        axis.legend()
    figure.tight_layout()
    write_atomic(path, lambda temporary: figure.savefig(temporary, format="png", dpi=90))
    pyplot.close(figure)


def bfloat16_is_faster():
    """Whether this CPU multiplies bfloat16 faster than float32. Those without instructions for it take three times as long."""
    times = {}
    for dtype in (torch.float32, torch.bfloat16):
        a = torch.ones(512, 256, dtype=dtype)
        times[dtype] = min(timeit.repeat(lambda a=a: a @ a.T, number=5, repeat=5))
    return times[torch.bfloat16] < times[torch.float32]


class Run:
    """One training run: model, optimiser, clock and what is written about it."""

    def __init__(self, config, folder, device, threads, budget_seconds, dev_path):
        self.config, self.training, self.folder, self.device = config, config["training"], folder, device
        self.budget = budget_seconds
        torch.manual_seed(config["seed"])
        self.model = MarianMTModel(marian_config(config))
        if device == "cpu":
            # On sentences of a dozen pieces the fused CPU kernel's backward pass cost 28 % of a
            # step; plain matrix products are a third faster over all (1,490 -> 2,000 ids/s a core).
            self.model.set_attn_implementation("eager")
        initialise(self.model)
        self.model.to(device).train()
        self.averaged = Averaged(self.model)
        self.rehearsal = Rehearsal(self.averaged.live)
        decay = [p for p in self.averaged.live if p.dim() > 1]
        plain = [p for p in self.averaged.live if p.dim() == 1]
        self.optimiser = torch.optim.AdamW(
            [{"params": decay, "weight_decay": self.training["weight_decay"]},
             {"params": plain, "weight_decay": 0.0}],
            lr=0.0, betas=(0.9, 0.98), eps=1e-9, fused=True)
        spm = sentencepiece.SentencePieceProcessor(model_file=str(folder / "spm.model"))
        self.dev = DevSet(config, spm, dev_path)
        self.corpus = Corpus(folder, config, config["model"]["max_position_embeddings"] - 1)
        self.phases = config["training"]["phases"]
        minutes = [phase["minutes"] for phase in self.phases]
        self.phase_ends = [sum(minutes[:n + 1]) / sum(minutes) for n in range(len(minutes))]
        # The main cosine reaches zero where the first phase with its own learning rate begins.
        self.main_end = next((start for start, phase in zip([0, *self.phase_ends], self.phases)
                              if "learning_rate" in phase), 1.0)
        self.step, self.epoch, self.batch, self.used, self.phase, self.best = 0, 0, 0, 0.0, 0, 0.0
        self.rows = []
        self.stop = False
        # On a CPU every core takes its own part of a batch. Threads inside single operations wait
        # for each other at each of these small ones: two cores were used to 130 % instead of 200 %.
        self.cores = itertools.cycle(range(os.cpu_count()))
        self.workers = ThreadPoolExecutor(threads, initializer=self.start_worker)
        self.parts = threads if device == "cpu" else 1
        self.bfloat16 = device != "cpu" or bfloat16_is_faster()

    def start_worker(self):
        """One core each: two workers that a busy machine puts on one core both wait for the slower."""
        torch.set_num_threads(1)
        if hasattr(os, "sched_setaffinity"):  # Linux
            os.sched_setaffinity(0, {next(self.cores)})

    def autocast(self):
        # A weight is used once in a forward pass, so there is nothing to keep cast copies for.
        return torch.autocast(self.device, dtype=torch.bfloat16, cache_enabled=False, enabled=self.bfloat16)

    # State -----------------------------------------------------------------------------------

    def state(self):
        names = [name for name, p in self.model.named_parameters() if p.requires_grad]
        return {"model": self.model.state_dict(), "average": dict(zip(names, self.averaged.average)),
                "optimiser": self.optimiser.state_dict(), "rows": self.rows,
                "counters": {name: getattr(self, name)
                             for name in ("step", "epoch", "batch", "used", "phase", "best")}}

    def save(self, name="checkpoint.pt"):
        write_atomic(self.folder / name, lambda temporary: torch.save(self.state(), temporary))

    def resume(self):
        path = self.folder / "checkpoint.pt"
        if not path.exists():
            return
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.model.load_state_dict(state["model"])
        for average, saved in zip(self.averaged.average, state["average"].values()):
            average.copy_(saved)
        self.optimiser.load_state_dict(state["optimiser"])
        self.rows = state["rows"]
        for name, value in state["counters"].items():
            setattr(self, name, value)

    # Schedule --------------------------------------------------------------------------------

    def progress(self):
        return min(1.0, self.used / self.budget)

    def current_phase(self):
        return next((n for n, end in enumerate(self.phase_ends) if self.progress() < end), len(self.phases) - 1)

    def phase_weights(self, phase):
        """{tag: weight} of a phase: its own, or the data's for the tags it lists, or for all of them
        with a weight above zero."""
        rules = self.config["data"]["tags"]
        tags = phase.get("tags", [tag for tag, rule in rules.items() if rule["weight"]])
        return tags if isinstance(tags, dict) else {tag: rules[tag]["weight"] for tag in tags}

    def learning_rate(self):
        number = self.current_phase()
        phase = self.phases[number]
        start = self.phase_ends[number - 1] if number else 0.0
        if "learning_rate" in phase:
            peak, done = phase["learning_rate"], (self.progress() - start) / (self.phase_ends[number] - start)
        else:
            constant = self.training["schedule"] == "constant"
            peak, done = self.training["learning_rate"], 0.0 if constant else self.progress() / self.main_end
        warm = min(1.0, (self.step + 1) / self.training["warmup_steps"])
        return peak * warm * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))

    # Work ------------------------------------------------------------------------------------

    def gradients(self, tensors, total):
        """Loss and gradients of one part of a batch, scaled by its share of `total` target ids."""
        with self.autocast():
            loss, ids = batch_loss(self.model, [t.to(self.device) for t in tensors],
                                   self.training["label_smoothing"])
            loss = loss * (ids / total)
        return loss.detach(), torch.autograd.grad(loss, self.averaged.live)

    def train_step(self, batch):
        """One update; returns the batch's loss and its number of target ids."""
        rate = self.learning_rate()
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        pad = self.model.config.pad_token_id
        parts = [self.corpus.tensors(batch[first::self.parts], pad)
                 for first in range(min(self.parts, len(batch)))]
        total = sum(int((labels != pad).sum()) for *_, labels in parts)
        phase = self.phases[self.current_phase()]
        with self.rehearsal if phase.get("int8") else contextlib.nullcontext():
            if len(parts) == 1:
                results = [self.gradients(parts[0], total)]
            else:
                results = list(self.workers.map(lambda part: self.gradients(part, total), parts))
        gradients = list(results[0][1])
        for _, more in results[1:]:
            torch._foreach_add_(gradients, list(more))
        for parameter, gradient in zip(self.averaged.live, gradients):
            parameter.grad = gradient
        # The decoder starts from <pad>, whose embedding stays zero as in Marian's own models.
        self.model.model.shared.weight.grad[pad] = 0
        torch.nn.utils.clip_grad_norm_(self.averaged.live, self.training["gradient_clip"])
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        # A short fine-tuning sets a shorter average of its own.
        self.averaged.update(self.step, phase.get("ema_decay", self.training["ema_decay"]))
        self.step += 1
        return sum(loss for loss, _ in results), total

    def log(self, train_loss, speed, evaluate):
        row = dict.fromkeys(LOG_FIELDS, "")
        row |= {"minutes": round(self.used / 60, 2), "step": self.step, "epoch": self.epoch,
                "learning_rate": f"{self.learning_rate():.2e}", "train_loss": round(train_loss, 4),
                "target_tokens_per_second": round(speed)}
        if evaluate:
            self.averaged.swap()
            loss, cosine, chrf, texts = self.dev.evaluate(self.model, self.autocast)
            bleu = self.dev.bleu(texts)
            by_set = " ".join(f"{self.dev.bleu(texts, part):.1f}" for part in self.dev.slices)
            row |= {"dev_loss": round(loss, 4), "encoder_cosine": round(cosine, 3), "dev_bleu": round(bleu, 2),
                    "dev_chrf": round(chrf, 2), "dev_bleu_by_set": by_set}
            self.averaged.swap()
            (self.folder / "dev.txt").write_text("\n".join(texts) + "\n", encoding="utf-8")
            tqdm.write(f"{self.used / 60:6.1f} min  step {self.step}  train {train_loss:.3f}  dev {loss:.3f}  "
                       f"BLEU {bleu:.1f} ({by_set})  chrF {chrf:.1f}  encoder cosine {cosine:.2f}  {speed:.0f} target ids/s")
            if cosine > 0.9:
                tqdm.write("warning: the encoder's outputs hardly differ within a sentence (mean cosine above 0.9): "
                           "it has collapsed; start again with a lower learning_rate, or see reset_encoder.py")
            if chrf >= self.best:
                self.best = chrf
                self.save("best.pt")
        self.rows.append(row)

        def write_rows(temporary):
            with open(temporary, "w", newline="") as out:
                writer = csv.DictWriter(out, LOG_FIELDS)
                writer.writeheader()
                writer.writerows(self.rows)
        write_atomic(self.folder / "log.csv", write_rows)
        draw_curve(self.rows, self.folder / "curve.png")

    def batches(self):
        """Batch after batch without end, phase by phase and epoch by epoch, from where the run stands."""
        while True:
            phase = self.current_phase()
            if phase != self.phase:
                if "learning_rate" in self.phases[phase] and "learning_rate" not in self.phases[self.phase]:
                    self.save("main.pt")
                self.phase, self.epoch, self.batch = phase, self.epoch + 1, 0
            rule = self.phases[phase]
            batches = self.corpus.epoch_batches(self.phase_weights(rule), rule["batch_tokens"],
                                                (self.config["seed"], self.epoch))
            while self.batch < len(batches) and self.current_phase() == self.phase:
                self.batch += 1
                yield batches[self.batch - 1]
            if self.batch >= len(batches):
                self.epoch, self.batch = self.epoch + 1, 0

    def now(self):
        """Seconds of processor time a worker on a CPU, of the wall clock on a GPU."""
        return time.process_time() / self.parts if self.device == "cpu" else time.monotonic()

    def tick(self):
        """Adds the time since the last call to the running time."""
        now = self.now()
        self.used, self.clock = self.used + now - self.clock, now

    def run(self):
        """Trains until the budget is used or a signal asks to stop; logs every minute."""
        training = self.training
        self.clock = self.now()
        saved = evaluated = logged = self.used
        losses, ids_seen = [], 0
        with tqdm(total=self.budget, initial=min(self.used, self.budget), mininterval=10, smoothing=0,
                  bar_format="{percentage:3.0f}%|{bar:30}| {elapsed}<{remaining}{postfix}") as bar:
            for batch in self.batches():
                loss, ids = self.train_step(batch)
                losses.append(loss)
                ids_seen += ids
                self.tick()
                bar.update(min(self.used, self.budget) - bar.n)
                done = self.stop or self.progress() >= 1
                if done or self.used - logged >= 60:
                    mean, speed = torch.stack(losses).mean().item(), ids_seen / (self.used - logged)
                    evaluate = done or self.used - evaluated >= 60 * training["evaluate_minutes"]
                    bar.set_postfix_str(f"epoch {self.epoch} step {self.step} loss {mean:.3f} {speed:.0f} ids/s")
                    self.log(mean, speed, evaluate)
                    losses, ids_seen = [], 0
                    self.tick()
                    logged = self.used
                    evaluated = self.used if evaluate else evaluated
                if done or self.used - saved >= 60 * training["checkpoint_minutes"]:
                    self.save()
                    saved = self.used
                if done:
                    break


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("config", help="name in configs/ or path of a JSON file")
    parser.add_argument("--budget-minutes", type=float, help="stretches or shrinks the phases to this sum")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="CPU threads")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--dev", help="dev.tsv; default: the shared data folder's")
    parser.add_argument("--fresh", action="store_true", help="start again, ignoring a checkpoint")
    arguments = parser.parse_args()

    config = load_config(arguments.config)
    folder = work_folder(config)
    torch.set_num_threads(arguments.threads)
    torch.set_float32_matmul_precision("high")
    minutes = arguments.budget_minutes or sum(phase["minutes"] for phase in config["training"]["phases"])
    run = Run(config, folder, arguments.device, arguments.threads, 60 * minutes,
              arguments.dev or data_folder(config) / "dev.tsv")
    if not arguments.fresh:
        run.resume()
    print(f"{sum(p.numel() for p in run.averaged.live):,} parameters, {arguments.device}, "
          f"step {run.step}, {run.used / 60:.1f} of {minutes:g} minutes used", flush=True)
    if arguments.device == "cuda":
        run.model.model.compile(dynamic=True)

    def ask_to_stop(*_):
        run.stop = True
    signal.signal(signal.SIGINT, ask_to_stop)
    signal.signal(signal.SIGTERM, ask_to_stop)
    run.run()


if __name__ == "__main__":
    main()
