#include "decode/search.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "base/error.h"
#include "decode/shortlist.h"
#include "kernels/kernels.h"

namespace translucent {
namespace {

constexpr float kForbidden = -std::numeric_limits<float>::infinity();

/// Calls visit(i), in order, for the i at which above(x[i]) holds. above may only become stricter
/// while visiting. Most values are told to be below by a loop without branches over a whole block.
template <class Above, class Visit>
void ForEachAbove(std::span<const float> x, Above above, Visit visit) {
  constexpr std::size_t kBlock = 64;
  for (std::size_t begin = 0; begin < x.size(); begin += kBlock) {
    const std::size_t end = std::min(begin + kBlock, x.size());
    int any = 0;
    for (std::size_t i = begin; i < end; ++i) any |= above(x[i]);
    if (any == 0) continue;
    for (std::size_t i = begin; i < end; ++i) {
      if (above(x[i])) visit(i);
    }
  }
}

/// The first of the largest values; index -1 where all are minus infinity.
ArgMax FindLargest(std::span<const float> x) {
  ArgMax best = {-1, kForbidden};
  ForEachAbove(
      x, [&](float value) { return value > best.value; },
      [&](std::size_t i) { best = {static_cast<int>(i), x[i]}; });
  return best;
}

/// Calls visit(id) for every id that behind `ids` would repeat `n` ids that stand there in a row; n
/// 0: for none.
template <class Visit>
void ForEachRepetition(int n, std::span<const int> ids, Visit visit) {
  if (n == 0 || ids.size() < static_cast<std::size_t>(n)) return;
  const std::span<const int> last = ids.last(n - 1);
  for (std::size_t i = 0; i + n <= ids.size(); ++i) {
    if (std::equal(last.begin(), last.end(), ids.begin() + i)) visit(ids[i + n - 1]);
  }
}

/// Calls visit(id) for every id that is forbidden behind `ids`: see ForbidIds.
template <class Visit>
void ForEachForbidden(const GenerationConfig& settings, int eos, std::span<const int> ids,
                      Visit visit) {
  for (const std::vector<int>& word : settings.bad_words_ids) {
    const std::size_t prefix = word.size() - 1;
    if (prefix == 0 && word[0] == eos) continue;
    if (ids.size() >= prefix && std::equal(word.begin(), word.end() - 1, ids.end() - prefix)) {
      visit(word.back());
    }
  }
  ForEachRepetition(settings.no_repeat_ngram_size, ids, visit);
}

/// The ids that the columns of a search's logits stand for.
struct Columns {
  std::vector<int> ids = {};  // ascending; empty: the whole vocabulary, column i is id i

  int IdOf(int column) const { return ids.empty() || column < 0 ? column : ids[column]; }
  /// -1: none.
  int ColumnOf(int id) const {
    if (ids.empty()) return id;
    const auto found = std::ranges::lower_bound(ids, id);
    return found != ids.end() && *found == id ? static_cast<int>(found - ids.begin()) : -1;
  }
};

/// The rules of one search, the same for every sentence.
struct Rules {
  const GenerationConfig& settings;
  int start;
  int eos;
  Columns columns = {};

  /// `ids` holds the start symbol too, as max_length counts it.
  bool AtMaxLength(std::size_t ids) const {
    return ids >= static_cast<std::size_t>(settings.max_length);
  }

  /// The only id that may follow `ids` ids, with probability 1; -1 where the model decides.
  int ForcedId(std::size_t ids) const {
    return AtMaxLength(ids + 1) ? settings.forced_eos_token_id : -1;
  }

  float LengthPenalty(std::size_t generated) const {
    return std::pow(static_cast<float>(generated), settings.length_penalty);
  }

  /// Makes the logits of what may not follow `ids` minus infinity.
  void Forbid(std::span<const int> ids, std::span<float> logits) const {
    ForEachForbidden(settings, eos, ids, [&](int id) {
      if (const int column = columns.ColumnOf(id); column >= 0) logits[column] = kForbidden;
    });
  }

  /// Forbids what may not follow `ids`, and returns what to subtract from a logit for its
  /// log-probability.
  float ForbidAndSum(const std::vector<int>& ids, std::span<float> logits) const {
    const int size = static_cast<int>(logits.size());
    const auto log_sum = [&] { return ActiveKernels().log_sum_exp(logits.data(), size); };
    const float before = settings.renormalize_logits ? 0.f : log_sum();
    Forbid(ids, logits);
    return settings.renormalize_logits ? log_sum() : before;
  }

  /// Of an id that is given: it counts though it may be forbidden. Forbids what may not follow.
  float LogProbability(int id, const std::vector<int>& ids, std::span<float> logits) const {
    const float logit = logits[columns.ColumnOf(id)];
    return logit - ForbidAndSum(ids, logits);
  }

  /// Whether the same ids are forbidden wherever a target stands, repetitions aside.
  bool ForbidsAlike() const {
    return std::ranges::all_of(settings.bad_words_ids,
                               [](const auto& word) { return word.size() == 1; });
  }
};

/// A target under way; `ids` begins with the start symbol.
struct Running {
  int target = 0;
  std::vector<int> ids;
  float score = 0;  // sum of log-probabilities
};

Hypothesis Finish(Running target, const Rules& rules) {
  target.ids.erase(target.ids.begin());
  const float score = target.score / rules.LengthPenalty(target.ids.size());
  return {std::move(target.ids), score};
}

[[noreturn]] void ThrowNothingAllowed() {
  throw Error("bad_words_ids, no_repeat_ngram_size", "forbid every token that could follow");
}

std::span<float> Row(MatrixView m, std::size_t row) {
  return {m.row(static_cast<Eigen::Index>(row)).data(), static_cast<std::size_t>(m.cols())};
}

/// One way to go on: `row` (of the whole batch) followed by `id`.
struct Extension {
  float score = 0;
  int row = 0;
  int id = 0;
};

/// Best first; on equal scores the lower row, then the lower id.
bool Better(const Extension& a, const Extension& b) { return a.score > b.score; }

/// The `count` best extensions of rows [begin, end), best first, into `best`. logits
/// [rows, columns]; where the next id is `forced`, they are not looked at. `given` >= 0: the
/// only one there is to be.
void FindBestExtensions(MatrixView logits, int forced, int given, std::span<const Running> rows,
                        int begin, int end, std::size_t count, const Rules& rules,
                        std::vector<Extension>& best) {
  best.clear();
  const auto add = [&](const Extension& next) {
    if (best.size() == count) best.pop_back();
    best.insert(std::upper_bound(best.begin(), best.end(), next, Better), next);
  };
  for (int row = begin; row < end; ++row) {
    const float score = rows[row].score;
    if (forced >= 0) {
      if (best.size() < count || score > best.back().score) add({score, row, forced});
      continue;
    }
    const std::span<float> next = Row(logits, row);
    if (given >= 0) {
      add({score + rules.LogProbability(given, rows[row].ids, next), row, given});
      continue;
    }
    const float log_sum = rules.ForbidAndSum(rows[row].ids, next);
    // Whatever is not forbidden is above minus infinity: until there are `count`, all are taken.
    float worst = best.size() == count ? best.back().score : kForbidden;
    ForEachAbove(
        next, [&](float logit) { return score + (logit - log_sum) > worst; },
        [&](std::size_t i) {
          add({score + (next[i] - log_sum), row, rules.columns.IdOf(static_cast<int>(i))});
          if (best.size() == count) worst = best.back().score;
        });
  }
  if (best.empty()) ThrowNothingAllowed();
}

/// Beam search of one target; the decoder runs all targets' rows together.
class Beam {
 public:
  Beam(const Rules& rules) : rules_(rules) {}

  /// Takes the 2 * num_beams best extensions of this target's rows, best first: those that end
  /// are finished if they are among the best num_beams; the best num_beams others run on and are
  /// appended to `running`, none when the target is done.
  void Advance(std::span<const Extension> best, std::span<const Running> rows,
               std::vector<Extension>& running) {
    const std::size_t beams = rules_.settings.num_beams;
    const std::size_t first = running.size();
    for (std::size_t i = 0; i < best.size(); ++i) {
      const Running& row = rows[best[i].row];
      if (best[i].id != rules_.eos && !rules_.AtMaxLength(row.ids.size() + 1)) {
        if (running.size() < first + beams) running.push_back(best[i]);
      } else if (i < beams) {
        Running target = row;
        target.ids.push_back(best[i].id);
        target.score = best[i].score;
        AddFinished(Finish(std::move(target), rules_));
      }
    }
    if (running.size() == first) return;
    const Extension& strongest = running[first];
    if (!Improvable(strongest.score, rows[strongest.row].ids.size())) running.resize(first);
  }

  std::vector<Hypothesis>& finished() { return finished_; }

 private:
  void AddFinished(Hypothesis hypothesis) {
    const auto better = [](const Hypothesis& a, const Hypothesis& b) { return a.score > b.score; };
    finished_.insert(std::upper_bound(finished_.begin(), finished_.end(), hypothesis, better),
                     std::move(hypothesis));
    const std::size_t beams = rules_.settings.num_beams;
    if (finished_.size() > beams) finished_.resize(beams);
  }

  /// Whether a target under way, the best with `score` over `generated` ids, may still beat the
  /// worst finished one (transformers' rule for early_stopping).
  bool Improvable(float score, std::size_t generated) const {
    const GenerationConfig& settings = rules_.settings;
    if (finished_.size() < static_cast<std::size_t>(settings.num_beams)) return true;
    if (settings.early_stopping) return false;
    if (settings.never_stop_early && settings.length_penalty > 0) {
      generated = settings.max_length - 1;  // a positive penalty favours long targets
    }
    return score / rules_.LengthPenalty(generated) > finished_.back().score;
  }

  const Rules& rules_;
  std::vector<Hypothesis> finished_;  // best first, at most num_beams
};

}  // namespace

void ForbidIds(const GenerationConfig& settings, int eos, std::span<const int> ids,
               std::span<float> logits) {
  ForEachForbidden(settings, eos, ids, [&](int id) { logits[id] = kForbidden; });
}

/// Speculative decoding (Leviathan, Kalman and Matias 2023): the ids of a target are guessed one
/// after another by a coarse copy of the decoder's last weights, then found exactly, all at once,
/// by a single pass over the weights themselves. What was guessed behind the first wrong id is
/// forgotten, so that results are the same as without.
struct Drafts {
  static constexpr int kMost = 16;

  std::shared_ptr<const CoarseOutputs> coarse;
  CoarseOutputs::Buffers buffers;
  int most;              // ids to guess before they are verified; 1: guessing does not pay
  std::vector<int> ids;  // guessed behind the target's own
  MatrixBuffer hidden;   // [kMost, d_model]: what each was guessed from

  /// A turn of CoarseTrial.
  struct Turn {
    static constexpr std::size_t kIds = kMost;  // or some more, until they are verified

    bool guess;
    std::size_t first;  // ids before it
    double seconds;     // so far
  };
  std::optional<Turn> turn;

  Drafts(std::shared_ptr<const CoarseOutputs> coarse, int d_model)
      : coarse(std::move(coarse)), buffers(this->coarse->Allocate()), most(kMost / 4) {
    ids.reserve(kMost);
    hidden.Resize(kMost, d_model);
  }
};

/// The autoregressive loop between two of its steps.
struct BatchSearch::State {
  const Transformer& model;
  const int pad;
  Rules rules;
  const bool scores;
  const Shortlist* const shortlist;
  std::vector<std::vector<int>> sentences;  // until the encoder has read them
  const std::vector<SentenceTarget> prefixes;

  bool encoded = false;
  std::optional<SelectedOutputs> selected;  // what the shortlist allows
  const Linear* output = nullptr;           // its layer, or the model's own
  SourceMemory source;
  DecoderState decoder;
  std::vector<Running> rows;  // targets under way, all of the same length; those of one together
  std::vector<int> last_ids;  // [rows]
  std::vector<int> kept;      // rows that go on

  // Greedy search.
  std::vector<std::vector<Hypothesis>> results;  // [targets]
  std::vector<ArgMax> best;                      // [rows]
  // Where nobody asks for probabilities and forbidden ids are always the same, the largest logit is
  // all there is to know.
  bool only_best = false;
  std::vector<float> bias;       // of the logits, where only the best is looked for
  std::optional<Drafts> drafts;  // of a single target, if guessing is worthwhile

  // Beam search.
  std::vector<Beam> beams;            // [targets]
  std::vector<Extension> extensions;  // of one target
  std::vector<Extension> running;     // of all targets
  std::vector<Running> next_rows;

  State(const Transformer& model, const ModelConfig& config, const GenerationConfig& settings,
        bool scores, std::vector<std::vector<int>> sentences, std::vector<SentenceTarget> prefixes,
        const Shortlist* shortlist)
      : model(model),
        pad(config.pad_token_id),
        rules{settings, config.decoder_start_token_id, config.eos_token_id},
        scores(scores),
        shortlist(shortlist),
        sentences(std::move(sentences)),
        prefixes(std::move(prefixes)) {}

  bool IsGreedy() const { return rules.settings.num_beams == 1; }

  bool done() const { return encoded ? rows.empty() : prefixes.empty(); }

  /// The id that the target of row `r` is given next; -1: none.
  int GivenId(std::size_t r) const {
    const std::vector<int>& prefix = prefixes[rows[r].target].ids;
    const std::size_t generated = rows[r].ids.size() - 1;
    return generated < prefix.size() ? prefix[generated] : -1;
  }

  /// Room for the ids a target usually gets.
  int UsualLength() const {
    std::size_t prefix = 0;
    for (const SentenceTarget& target : prefixes) prefix = std::max(prefix, target.ids.size());
    return std::min(rules.settings.max_length,
                    std::max(2 * source.index.length(), static_cast<int>(prefix)) + 16);
  }

  /// Keeps to what the shortlist allows, if that is not the whole vocabulary.
  void SelectOutputs() {
    output = &model.decoder.output();
    if (shortlist == nullptr) return;
    std::vector<int> also = {rules.eos};
    if (rules.settings.forced_eos_token_id >= 0) also.push_back(rules.settings.forced_eos_token_id);
    for (const SentenceTarget& target : prefixes) {
      also.insert(also.end(), target.ids.begin(), target.ids.end());
    }
    std::vector<int> allowed = shortlist->Allowed(sentences, also);
    if (allowed.size() == static_cast<std::size_t>(output->outputs())) return;
    selected.emplace(*output, allowed);
    output = &selected->layer();
    rules.columns.ids = std::move(allowed);
  }

  void Encode() {
    SelectOutputs();
    {
      const PaddedBatch batch = PaddedBatch::Of(sentences, pad);
      Workspace workspace;  // the encoder's, which is larger than what decoding needs
      source = model.decoder.Remember(model.encoder.Forward(batch, workspace), batch, workspace);
    }
    std::vector<std::vector<int>>().swap(sentences);

    // Each target begins with a single row, also in beam search: equal ones would only yield equal
    // extensions.
    std::vector<int> row_sentences;
    for (const SentenceTarget& target : prefixes) row_sentences.push_back(target.sentence);
    const int length = UsualLength();
    decoder = model.decoder.Start(std::move(row_sentences), source, length);
    rows.resize(prefixes.size());
    for (std::size_t r = 0; r < rows.size(); ++r) {
      rows[r].target = static_cast<int>(r);
      rows[r].ids.reserve(length);
      rows[r].ids.push_back(rules.start);
    }
    last_ids.reserve(rows.size());
    kept.reserve(rows.size());
    if (IsGreedy()) {
      results.resize(prefixes.size());
      for (auto& result : results) result.reserve(1);
      best.resize(rows.size());
      only_best = !scores && output->is_int8() && rules.ForbidsAlike();
      if (only_best) {
        bias.assign(output->outputs(), 0.f);
        if (output->bias() != nullptr) std::copy_n(output->bias(), bias.size(), bias.begin());
        rules.Forbid({}, bias);
        if (rows.size() == 1 && output == &model.decoder.output()) StartDrafting();
      }
    } else {
      beams = std::vector<Beam>(prefixes.size(), Beam(rules));
    }
    encoded = true;
  }

  /// Hidden states [rows, d_model] of the next position.
  MatrixView Feed() {
    last_ids.clear();
    for (const Running& row : rows) last_ids.push_back(row.ids.back());
    return model.decoder.Forward(last_ids, 1, source, decoder);
  }

  /// Whether `id` behind `ids` is forbidden as a repetition.
  bool Repeats(const std::vector<int>& ids, int id) const {
    bool repeats = false;
    ForEachRepetition(rules.settings.no_repeat_ngram_size, ids,
                      [&](int forbidden) { repeats |= forbidden == id; });
    return repeats;
  }

  /// The id of the largest logit, in place of its column.
  ArgMax FindLargestId(std::span<const float> logits) const {
    ArgMax largest = FindLargest(logits);
    largest.index = rules.columns.IdOf(largest.index);
    return largest;
  }

  /// The best id behind `ids` that is not forbidden, from row `r` of the hidden states; rare, so
  /// that all its logits are computed.
  ArgMax FindBestNew(MatrixView hidden, std::size_t r, const std::vector<int>& ids) {
    const MatrixView logits = model.decoder.Logits(
        MatrixView(Row(hidden, r).data(), 1, hidden.cols()), decoder.workspace, output);
    rules.Forbid(ids, Row(logits, 0));
    return FindLargestId(Row(logits, 0));
  }

  /// For a single target: a batch reads the weights for all its rows at once anyway.
  void StartDrafting() {
    auto coarse = model.decoder.coarse_output().Outputs();
    if (coarse == nullptr) return;
    const int d_model = output->weight().cols;
    drafts.emplace(std::move(coarse), d_model);
    decoder.workspace.quantized.Resize(Drafts::kMost, d_model);
    best.resize(Drafts::kMost);
  }

  /// While it is not known whether guesses are faster: ends a turn that has had its ids and begins
  /// the next.
  void TakeTurns() {
    if (!drafts || !drafts->ids.empty() || GivenId(0) >= 0) return;
    CoarseTrial& trial = model.decoder.coarse_output();
    std::optional<Drafts::Turn>& turn = drafts->turn;
    const std::size_t ids = rows[0].ids.size();
    if (turn) {
      if (ids < turn->first + Drafts::Turn::kIds) return;
      trial.Tell(turn->guess, turn->seconds / static_cast<double>(ids - turn->first));
      turn.reset();
    }
    if (const std::optional<bool> guess = trial.NextTurn()) {
      turn = {.guess = *guess, .first = ids, .seconds = 0};
    } else if (trial.Outputs() == nullptr) {
      drafts.reset();
    }
  }

  /// Whether the next id is to be guessed.
  bool CanDraft() const {
    if (!drafts || drafts->most == 1 || GivenId(0) >= 0) return false;
    if (drafts->turn && !drafts->turn->guess) return false;
    return !rules.AtMaxLength(rows[0].ids.size() + drafts->ids.size() + 1);
  }

  bool MustVerify() const {
    if (!drafts || drafts->ids.empty()) return false;
    const int last = drafts->ids.back();
    return static_cast<int>(drafts->ids.size()) == drafts->most || last == rules.eos || last < 0 ||
           !CanDraft();
  }

  void Draft() {
    std::vector<int>& ids = drafts->ids;
    const int id = ids.empty() ? rows[0].ids.back() : ids.back();
    const MatrixView hidden = model.decoder.Forward({&id, 1}, 1, source, decoder);
    drafts->hidden.Resize(Drafts::kMost, hidden.cols()).row(ids.size()) = hidden.row(0);
    LinearInput input(hidden, decoder.workspace.quantized);
    ids.push_back(drafts->coarse->Guess(input, bias.data(), drafts->buffers));
  }

  /// Appends the ids that follow, as many as were guessed or fewer.
  void Verify() {
    const int count = static_cast<int>(drafts->ids.size());
    const MatrixView hidden = drafts->hidden.Resize(count, output->weight().cols);
    LinearInput input(hidden, decoder.workspace.quantized);
    output->FindArgMax(input, bias.data(), best.data());
    Running& row = rows[0];
    int taken = 0;
    bool agreed = true;
    for (; agreed && taken < count; ++taken) {
      int next = best[taken].index;
      if (Repeats(row.ids, next)) next = FindBestNew(hidden, taken, row.ids).index;
      if (next < 0) ThrowNothingAllowed();
      row.ids.push_back(next);
      agreed = next == drafts->ids[taken];
    }
    decoder.Forget(count - taken);
    drafts->ids.clear();
    drafts->most = agreed ? std::min(2 * drafts->most, Drafts::kMost) : drafts->most / 2;
    if (row.ids.back() != rules.eos) return;
    results[row.target].push_back(Finish(std::move(row), rules));
    rows.clear();
  }

  void StepGreedy() {
    using Clock = std::chrono::steady_clock;
    TakeTurns();
    if (!drafts || !drafts->turn) return FindNext();
    const auto began = Clock::now();
    FindNext();
    drafts->turn->seconds += std::chrono::duration<double>(Clock::now() - began).count();
  }

  void FindNext() {
    if (MustVerify()) return Verify();
    if (CanDraft()) return Draft();
    const int forced = rules.ForcedId(rows[0].ids.size());
    if (forced >= 0) {
      std::fill(best.begin(), best.end(), ArgMax{forced, 0.f});
    } else if (only_best) {
      const MatrixView hidden = Feed();
      LinearInput input(hidden, decoder.workspace.quantized);
      output->FindArgMax(input, bias.data(), best.data());
      for (std::size_t r = 0; r < rows.size(); ++r) {
        best[r].index = rules.columns.IdOf(best[r].index);
        if (const int given = GivenId(r); given >= 0) {
          best[r].index = given;
        } else if (Repeats(rows[r].ids, best[r].index)) {
          best[r] = FindBestNew(hidden, r, rows[r].ids);
        }
      }
    } else {
      const MatrixView logits = model.decoder.Logits(Feed(), decoder.workspace, output);
      for (std::size_t r = 0; r < rows.size(); ++r) {
        if (const int given = GivenId(r); given >= 0) {
          best[r] = {given, rules.LogProbability(given, rows[r].ids, Row(logits, r))};
        } else {
          const float log_sum = rules.ForbidAndSum(rows[r].ids, Row(logits, r));
          best[r] = FindLargestId(Row(logits, r));
          best[r].value -= log_sum;
        }
      }
    }
    kept.clear();
    for (std::size_t r = 0; r < rows.size(); ++r) {
      if (best[r].index < 0) ThrowNothingAllowed();
      rows[r].ids.push_back(best[r].index);
      if (scores) rows[r].score += best[r].value;
      if (best[r].index == rules.eos || rules.AtMaxLength(rows[r].ids.size())) {
        results[rows[r].target].push_back(Finish(std::move(rows[r]), rules));
      } else {
        if (kept.size() < r) rows[kept.size()] = std::move(rows[r]);
        kept.push_back(static_cast<int>(r));
      }
    }
    if (kept.size() == rows.size()) return;
    decoder.Select(kept);  // finished sentences leave the batch
    rows.resize(kept.size());
  }

  void StepBeam() {
    const int forced = rules.ForcedId(rows[0].ids.size());
    const MatrixView logits = forced >= 0 ? MatrixView(nullptr, 0, 0)
                                          : model.decoder.Logits(Feed(), decoder.workspace, output);
    running.clear();
    const int count = static_cast<int>(rows.size());
    for (int begin = 0, end = 0; begin < count; begin = end) {
      const int target = rows[begin].target;
      while (end < count && rows[end].target == target) ++end;
      FindBestExtensions(logits, forced, GivenId(begin), rows, begin, end,
                         2 * rules.settings.num_beams, rules, extensions);
      beams[target].Advance(extensions, rows, running);
    }
    kept.clear();
    next_rows.resize(running.size());
    for (std::size_t r = 0; r < running.size(); ++r) {
      const Running& row = rows[running[r].row];
      kept.push_back(running[r].row);
      next_rows[r].target = row.target;
      next_rows[r].ids = row.ids;
      next_rows[r].ids.push_back(running[r].id);
      next_rows[r].score = running[r].score;
    }
    decoder.Select(kept);
    rows.swap(next_rows);
  }
};

BatchSearch::BatchSearch(const Transformer& model, const ModelConfig& config,
                         const GenerationConfig& settings, bool scores,
                         std::vector<std::vector<int>> sentences,
                         std::vector<SentenceTarget> prefixes, const Shortlist* shortlist)
    : state_(std::make_unique<State>(model, config, settings, scores, std::move(sentences),
                                     std::move(prefixes), shortlist)) {}

BatchSearch::~BatchSearch() = default;
BatchSearch::BatchSearch(BatchSearch&&) noexcept = default;

bool BatchSearch::done() const { return state_->done(); }

bool BatchSearch::Step() {
  State& state = *state_;
  if (state.done()) return true;
  if (!state.encoded) {
    state.Encode();
  } else if (state.IsGreedy()) {
    state.StepGreedy();
  } else {
    state.StepBeam();
  }
  return state.done();
}

std::span<const int> BatchSearch::BestSoFar(std::size_t target) const {
  // The rows of a beam stand best first.
  for (const Running& row : state_->rows) {
    if (static_cast<std::size_t>(row.target) == target) return std::span(row.ids).subspan(1);
  }
  if (!state_->encoded) return {};
  const std::vector<Hypothesis>& finished =
      state_->IsGreedy() ? state_->results[target] : state_->beams[target].finished();
  return finished.front().ids;
}

std::vector<std::vector<Hypothesis>> BatchSearch::Take(int nbest) {
  for (Beam& beam : state_->beams) state_->results.push_back(std::move(beam.finished()));
  for (auto& result : state_->results) {
    result.resize(std::min<std::size_t>(result.size(), nbest));
  }
  return std::move(state_->results);
}

std::vector<SentenceTarget> OnePerSentence(std::size_t sentences) {
  std::vector<SentenceTarget> targets(sentences);
  for (std::size_t i = 0; i < sentences; ++i) targets[i].sentence = static_cast<int>(i);
  return targets;
}

std::vector<std::vector<Hypothesis>> Search(const Transformer& model, const ModelConfig& config,
                                            const GenerationConfig& settings, int nbest,
                                            bool scores,
                                            std::span<const std::vector<int>> sentences,
                                            const Shortlist* shortlist) {
  BatchSearch search(model, config, settings, scores, {sentences.begin(), sentences.end()},
                     OnePerSentence(sentences.size()), shortlist);
  while (!search.Step()) {
  }
  return search.Take(nbest);
}

}  // namespace translucent
