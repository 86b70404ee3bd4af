#include "trace/similarity.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <string>

#include "base/error.h"
#include "kernels/kernels.h"
#include "trace/random.h"
#include "trace/trace.h"

namespace translucent {
namespace {

constexpr std::string_view kNames[] = {"dot",    "scaled", "cosine", "additive",
                                       "concat", "mlp",    "naive"};

/// out [rows, outputs] = x [rows, inputs] W^T + bias, by the kernel every layer uses.
void Multiply(const float* x, int rows, const std::vector<float>& weight, int outputs, int inputs,
              const float* bias, float* out) {
  ActiveKernels().linear(x, rows, {.rows = outputs, .cols = inputs, .f32 = weight.data()}, bias,
                         out, outputs);
}

float Dot(const float* a, const float* b, int d) {
  float sum;
  ActiveKernels().attention_scores(a, &b, 1, 1, d, 1.f, &sum, 1);
  return sum;
}

/// Softmax of each row of scores [rows, n], in place.
void SoftmaxRows(std::span<float> scores, int n) {
  for (std::size_t first = 0; first < scores.size(); first += n) {
    ActiveKernels().softmax(&scores[first], n);
  }
}

}  // namespace

std::string_view SimilarityName(Similarity similarity) {
  return kNames[static_cast<int>(similarity)];
}

Similarity ParseSimilarity(std::string_view name) {
  const auto found = std::ranges::find(kNames, name);
  if (found == std::end(kNames)) throw Error("similarity", "there is no " + std::string(name));
  return static_cast<Similarity>(found - std::begin(kNames));
}

SimilarityFunction::SimilarityFunction(Similarity similarity, int d)
    : similarity_(similarity), d_(d) {
  if (d < 1) throw Error("width", "must be at least 1");
  Random random(kSimilaritySeed);
  const std::size_t square = static_cast<std::size_t>(d) * d;
  const auto scale = [](int columns) { return 1.f / std::sqrt(static_cast<float>(columns)); };
  if (similarity == Similarity::kAdditive || similarity == Similarity::kConcat) {
    // The same numbers for both: as functions the two are one.
    query_weight_ = random.Normals(square, scale(d));
    key_weight_ = random.Normals(square, scale(d));
    output_ = random.Normals(d, scale(d));
  }
  if (similarity == Similarity::kConcat) {
    for (int row = 0; row < d; ++row) {
      for (const std::vector<float>* half : {&query_weight_, &key_weight_}) {
        const auto first = half->begin() + static_cast<std::ptrdiff_t>(row) * d;
        joint_weight_.insert(joint_weight_.end(), first, first + d);
      }
    }
  }
  if (similarity == Similarity::kMlp) {
    joint_weight_ = random.Normals(3 * square, scale(3 * d));
    bias_ = random.Normals(d, scale(3 * d));
    output_ = random.Normals(d, scale(d));
    offset_ = random.Normal();
  }
}

void SimilarityFunction::Scores(std::span<const float> queries, std::span<const float> keys,
                                std::span<float> scores) const {
  const int n = static_cast<int>(queries.size()) / d_, m = static_cast<int>(keys.size()) / d_;
  const auto query = [&](int i) { return &queries[static_cast<std::size_t>(i) * d_]; };
  const auto key = [&](int j) { return &keys[static_cast<std::size_t>(j) * d_]; };
  const auto score = [&](int i, int j) -> float& {
    return scores[static_cast<std::size_t>(i) * m + j];
  };

  switch (similarity_) {
    case Similarity::kDot:
    case Similarity::kNaive:
    case Similarity::kScaledDot:
    case Similarity::kCosine: {
      const float scale =
          similarity_ == Similarity::kScaledDot ? 1.f / std::sqrt(static_cast<float>(d_)) : 1.f;
      std::vector<const float*> rows(m);
      for (int j = 0; j < m; ++j) rows[j] = key(j);
      for (int i = 0; i < n; ++i) {
        ActiveKernels().attention_scores(query(i), rows.data(), m, 1, d_, scale, &score(i, 0), m);
      }
      if (similarity_ != Similarity::kCosine) return;
      constexpr float kSmallest = 1e-8f;  // as torch.nn.functional.cosine_similarity
      const auto length = [&](const float* x) {
        return std::max(std::sqrt(Dot(x, x, d_)), kSmallest);
      };
      std::vector<float> lengths(m);
      for (int j = 0; j < m; ++j) lengths[j] = length(key(j));
      for (int i = 0; i < n; ++i) {
        const float own = length(query(i));
        for (int j = 0; j < m; ++j) score(i, j) /= own * lengths[j];
      }
      return;
    }
    case Similarity::kAdditive: {
      std::vector<float> projected_queries(queries.size()), projected_keys(keys.size()), sum(d_);
      Multiply(queries.data(), n, query_weight_, d_, d_, nullptr, projected_queries.data());
      Multiply(keys.data(), m, key_weight_, d_, d_, nullptr, projected_keys.data());
      for (int i = 0; i < n; ++i) {
        const float* const q = &projected_queries[static_cast<std::size_t>(i) * d_];
        for (int j = 0; j < m; ++j) {
          const float* const k = &projected_keys[static_cast<std::size_t>(j) * d_];
          for (int c = 0; c < d_; ++c) sum[c] = std::tanh(q[c] + k[c]);
          score(i, j) = Dot(output_.data(), sum.data(), d_);
        }
      }
      return;
    }
    case Similarity::kConcat:
    case Similarity::kMlp: {
      const bool mlp = similarity_ == Similarity::kMlp;
      const int inputs = (mlp ? 3 : 2) * d_;
      std::vector<float> joint(static_cast<std::size_t>(m) * inputs);
      std::vector<float> hidden(static_cast<std::size_t>(m) * d_);
      for (int i = 0; i < n; ++i) {
        for (int j = 0; j < m; ++j) {
          float* const row = &joint[static_cast<std::size_t>(j) * inputs];
          std::copy_n(query(i), d_, row);
          std::copy_n(key(j), d_, row + d_);
          for (int c = 0; mlp && c < d_; ++c) row[2 * d_ + c] = query(i)[c] * key(j)[c];
        }
        Multiply(joint.data(), m, joint_weight_, d_, inputs, mlp ? bias_.data() : nullptr,
                 hidden.data());
        for (float& x : hidden) x = mlp ? std::max(x, 0.f) : std::tanh(x);
        for (int j = 0; j < m; ++j) {
          score(i, j) =
              Dot(output_.data(), &hidden[static_cast<std::size_t>(j) * d_], d_) + offset_;
        }
      }
      return;
    }
  }
}

SimilarityFunction::Cost SimilarityFunction::CostOf(int n, int m) const {
  const double pairs = static_cast<double>(n) * m, d = d_, tokens = n + m;
  switch (similarity_) {
    case Similarity::kDot:
    case Similarity::kNaive:
      return {pairs * d, 0};
    case Similarity::kScaledDot:
      return {pairs * d + pairs, 0};
    case Similarity::kCosine:
      return {pairs * d + tokens * d + pairs, tokens + pairs};
    case Similarity::kAdditive:
      return {tokens * d * d + pairs * d, pairs * d};
    case Similarity::kConcat:
      return {pairs * (2 * d * d + d), pairs * d};
    case Similarity::kMlp:
      return {pairs * (3 * d * d + 2 * d), pairs * d};
  }
  return {};
}

SimilarityComparison CompareSimilarities(const Translator& translator, std::string_view text,
                                         int layer, int head) {
  SimilarityComparison result;
  TraceOptions options;
  options.encoder = {layer, head};
  options.padding = 0;
  options.candidates = 0;
  SentenceTrace traced = TraceSentence(translator, text, nullptr, options);
  const auto find = [&](const char* name) -> const RecordedMatrix& {
    const std::string path = "encoder.layers." + std::to_string(layer) + ".self_attention." + name;
    const auto found = std::ranges::find(traced.trace.matrices, path, &RecordedMatrix::name);
    if (found == traced.trace.matrices.end()) throw Error(path, "was not recorded");
    return *found;
  };
  const RecordedMatrix& queries = find("queries");
  const RecordedMatrix& keys = find("keys");
  const RecordedMatrix& read = find(traced.pre_norm ? "normed" : "residual");
  const int n = queries.rows;
  result.tokens = std::move(traced.source);
  result.d_k = queries.cols;
  result.d_model = read.cols;
  for (const Similarity similarity : kSimilarities) {
    const bool naive = similarity == Similarity::kNaive;
    const SimilarityFunction function(similarity, naive ? read.cols : queries.cols);
    SimilarityComparison::Entry entry = {similarity, std::vector<float>(n * n), {}, {}};
    function.Scores(naive ? read.values : queries.values, naive ? read.values : keys.values,
                    entry.scores);
    entry.weights = entry.scores;
    SoftmaxRows(entry.weights, n);
    entry.cost = function.CostOf(n, n);
    result.entries.push_back(std::move(entry));
  }
  return result;
}

Measurement MeasureSimilarity(Similarity similarity, int d, int tokens, double milliseconds) {
  if (tokens < 1) throw Error("tokens", "must be at least 1");
  const SimilarityFunction function(similarity, d);
  Random random(kSimilaritySeed + 1);
  const std::size_t size = static_cast<std::size_t>(tokens) * d;
  const std::vector<float> queries = random.Normals(size), keys = random.Normals(size);
  std::vector<float> scores(static_cast<std::size_t>(tokens) * tokens);
  using Clock = std::chrono::steady_clock;
  using Milliseconds = std::chrono::duration<double, std::milli>;
  // Rounds of twice as many each, until the clock's own steps are small; the quickest round is the
  // one that was least disturbed.
  Measurement measurement;
  Milliseconds spent{0};
  for (int count = 1; measurement.repetitions == 0 || spent.count() * 3 < milliseconds;
       count *= 2) {
    const auto began = Clock::now();
    for (int i = 0; i < count; ++i) function.Scores(queries, keys, scores);
    const Milliseconds round = Clock::now() - began;
    const double each = round.count() / count;
    const bool first = measurement.repetitions == 0 || measurement.milliseconds == 0;
    measurement.milliseconds = first ? each : std::min(measurement.milliseconds, each);
    measurement.repetitions += count;
    spent += round;
  }
  return measurement;
}

ScoreStatistics SampleScores(int d, int queries, int keys, std::uint64_t seed) {
  if (d < 1 || queries < 1 || keys < 1) throw Error("sample", "must not be empty");
  Random random(seed);
  const std::vector<float> q = random.Normals(static_cast<std::size_t>(queries) * d);
  const std::vector<float> k = random.Normals(static_cast<std::size_t>(keys) * d);
  ScoreStatistics statistics;
  const auto examine = [&](Similarity similarity, float& variance, float& largest, float& entropy) {
    std::vector<float> scores(static_cast<std::size_t>(queries) * keys);
    SimilarityFunction(similarity, d).Scores(q, k, scores);
    const float deviation = Summarize(scores).deviation;
    variance = deviation * deviation;
    SoftmaxRows(scores, keys);
    double largest_sum = 0, entropy_sum = 0;
    for (int i = 0; i < queries; ++i) {
      const auto row = std::span(scores).subspan(static_cast<std::size_t>(i) * keys, keys);
      largest_sum += *std::ranges::max_element(row);
      for (const float p : row) entropy_sum -= p > 0 ? p * std::log2(p) : 0;
    }
    largest = static_cast<float>(largest_sum / queries);
    entropy = static_cast<float>(entropy_sum / queries);
  };
  examine(Similarity::kDot, statistics.variance, statistics.largest, statistics.entropy);
  examine(Similarity::kScaledDot, statistics.scaled_variance, statistics.scaled_largest,
          statistics.scaled_entropy);
  return statistics;
}

}  // namespace translucent
