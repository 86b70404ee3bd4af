#include "inside_bindings.h"

#include <emscripten/val.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "convert.h"
#include "trace/race.h"
#include "trace/similarity.h"
#include "trace/trace.h"

namespace translucent {
namespace {

using emscripten::val;

EMSCRIPTEN_DECLARE_VAL_TYPE(TraceOptionsValue);
EMSCRIPTEN_DECLARE_VAL_TYPE(TraceValue);
EMSCRIPTEN_DECLARE_VAL_TYPE(PairValue);
EMSCRIPTEN_DECLARE_VAL_TYPE(SimilaritiesValue);
EMSCRIPTEN_DECLARE_VAL_TYPE(MeasurementValue);
EMSCRIPTEN_DECLARE_VAL_TYPE(StatisticsValue);
EMSCRIPTEN_DECLARE_VAL_TYPE(NumbersValue);
EMSCRIPTEN_DECLARE_VAL_TYPE(FloatsValue);
EMSCRIPTEN_DECLARE_VAL_TYPE(RaceValue);
EMSCRIPTEN_DECLARE_VAL_TYPE(OptionalTextValue);

constexpr int kBins = 48;  // of histograms

// One function for each kind of value: val::set itself is compiled for every length of a name.
void Put(val& object, const char* name, const val& value) { object.set(name, value); }
void Put(val& object, const char* name, double value) { Put(object, name, val(value)); }
void Put(val& object, const char* name, int value) { Put(object, name, val(value)); }
void Put(val& object, const char* name, bool value) { Put(object, name, val(value)); }
void Put(val& object, const char* name, const std::string& value) { Put(object, name, val(value)); }

template <class Item, class Convert>
val ToArray(const std::vector<Item>& items, Convert convert) {
  val array = val::array();
  for (std::size_t i = 0; i < items.size(); ++i) array.set(static_cast<int>(i), convert(items[i]));
  return array;
}

val ToFloats(const std::vector<float>& values) {
  return ToTypedArray(std::span<const float>(values));
}

val ToWords(const std::string& text, const std::vector<Token>& tokens) {
  const std::vector<unsigned> offsets = Utf16Offsets(text);
  return ToArray(tokens, [&](const Token& token) {
    val result = val::object();
    Put(result, "piece", token.piece);
    Put(result, "id", token.id);
    Put(result, "begin", static_cast<int>(offsets[token.begin]));
    Put(result, "end", static_cast<int>(offsets[token.end]));
    return result;
  });
}

val ToTextSide(const std::string& text, const std::vector<Token>& tokens) {
  val result = val::object();
  Put(result, "text", text);
  Put(result, "tokens", ToWords(text, tokens));
  return result;
}

/// A matrix with what the page says about it: range, mean, deviation.
val ToMatrix(int rows, int cols, const std::vector<float>& values) {
  const Summary summary = Summarize(values);
  val result = val::object();
  Put(result, "rows", rows);
  Put(result, "cols", cols);
  Put(result, "values", ToFloats(values));
  Put(result, "min", summary.min);
  Put(result, "max", summary.max);
  Put(result, "mean", summary.mean);
  Put(result, "deviation", summary.deviation);
  return result;
}

std::span<const float> RowOf(const RecordedMatrix& matrix, int row) {
  return std::span(matrix.values).subspan(static_cast<std::size_t>(row) * matrix.cols, matrix.cols);
}

/// Mean and variance of each row, and how all values are spread over [-range, range].
void AddDistribution(const RecordedMatrix& matrix, float range, val& result) {
  std::vector<float> means, variances;
  for (int row = 0; row < matrix.rows; ++row) {
    const Summary summary = Summarize(RowOf(matrix, row));
    means.push_back(summary.mean);
    variances.push_back(summary.deviation * summary.deviation);
  }
  Put(result, "means", ToFloats(means));
  Put(result, "variances", ToFloats(variances));
  Put(result, "range", range);
  const std::vector<int> counts = Histogram(matrix.values, -range, range, kBins);
  Put(result, "histogram", ToTypedArray(std::span<const int>(counts)));
}

/// The largest value around one residual connection, so that its matrices share an axis.
float RangeAround(const std::vector<RecordedMatrix>& matrices, std::string_view part) {
  float range = 0;
  for (const RecordedMatrix& matrix : matrices) {
    const std::string_view name = matrix.name;
    if (!name.starts_with(part)) continue;
    const std::string_view last = name.substr(part.size());
    if (last != "residual" && last != "sum" && last != "normed") continue;
    const Summary summary = Summarize(matrix.values);
    range = std::max({range, -summary.min, summary.max});
  }
  return range;
}

val ToMatrices(const std::vector<RecordedMatrix>& matrices) {
  val result = val::object();
  for (const RecordedMatrix& matrix : matrices) {
    val converted = ToMatrix(matrix.rows, matrix.cols, matrix.values);
    const std::string_view part =
        std::string_view(matrix.name).substr(0, matrix.name.rfind('.') + 1);
    const std::string_view last = std::string_view(matrix.name).substr(part.size());
    if (last == "residual" || last == "sum" || last == "normed") {
      AddDistribution(matrix, RangeAround(matrices, part), converted);
    }
    Put(result, matrix.name.c_str(), converted);
  }
  return result;
}

int ToNumber(const val& value, const char* name) {
  const double number = value.isNumber() ? value.as<double>() : 0.5;
  if (std::trunc(number) != number || std::abs(number) > 1e6) {
    throw Error(name, "not a whole number, or too large");
  }
  return static_cast<int>(number);
}

TraceOptions ToTraceOptions(const val& value) {
  TraceOptions options;
  if (value.isUndefined() || value.isNull()) return options;
  const auto number = [&](const char* name, int& into) {
    const val given = value[name];
    if (!given.isUndefined() && !given.isNull()) into = ToNumber(given, name);
  };
  number("encoderLayer", options.encoder.layer);
  number("encoderHead", options.encoder.head);
  number("decoderLayer", options.decoder.layer);
  number("decoderHead", options.decoder.head);
  number("padding", options.padding);
  number("candidates", options.candidates);
  number("step", options.logits_step);
  Read(value, "positions", options.variant.positions);
  Read(value, "scaled", options.variant.scaled);
  Read(value, "causal", options.variant.causal);
  Read(value, "padded", options.variant.padding);
  return options;
}

TraceValue TraceText(const Translator& translator, const std::string& text,
                     OptionalTextValue target, TraceOptionsValue options_value) {
  return Guarded([&] {
    const TraceOptions options = ToTraceOptions(options_value);
    std::optional<std::string> given;
    if (!target.isUndefined() && !target.isNull()) given = target.as<std::string>();
    const SentenceTrace traced =
        TraceSentence(translator, text, given ? &*given : nullptr, options);
    const ModelConfig& config = translator.checkpoint().config();
    const std::vector<std::string>& names = translator.checkpoint().target_vocabulary().tokens;
    const auto candidate = [&](const TraceStep::Candidate& from) {
      val result = val::object();
      Put(result, "id", from.id);
      Put(result, "piece", names[from.id]);
      Put(result, "logit", from.logit);
      Put(result, "probability", from.probability);
      return result;
    };
    val result = val::object();
    Put(result, "source", ToTextSide(traced.source_text, traced.source));
    Put(result, "target", ToTextSide(traced.target_text, traced.target));
    Put(result, "length", traced.trace.length);
    Put(result, "padding", traced.padding);
    Put(result, "start", traced.start);
    Put(result, "rewritten", traced.rewritten);
    Put(result, "preNorm", traced.pre_norm);
    Put(result, "activation", std::string(ActivationName(traced.activation)));
    Put(result, "embeddingScale", traced.embedding_scale);
    Put(result, "encoderScale", traced.encoder_scale);
    Put(result, "decoderScale", traced.decoder_scale);
    Put(result, "dModel", config.d_model);
    Put(result, "encoderLayers", config.encoder_layers);
    Put(result, "encoderHeads", config.encoder_attention_heads);
    Put(result, "decoderLayers", config.decoder_layers);
    Put(result, "decoderHeads", config.decoder_attention_heads);
    Put(result, "matrices", ToMatrices(traced.trace.matrices));
    Put(result, "steps", ToArray(traced.trace.steps, [&](const TraceStep& from) {
          val step = val::object();
          Put(step, "input", from.input);
          Put(step, "inputPiece", names[from.input]);
          Put(step, "chosen", candidate(from.chosen));
          Put(step, "rank", from.rank);
          Put(step, "logSumExp", from.log_sum_exp);
          Put(step, "candidates", ToArray(from.candidates, candidate));
          return step;
        }));
    return TraceValue(result);
  });
}

PairValue CompareTexts(const Translator& translator, const std::string& first,
                       const std::string& second) {
  return Guarded([&] {
    const PairComparison pair = ComparePair(translator, first, second);
    const auto side = [](const PairComparison::Side& from) {
      val result = ToTextSide(from.text, from.tokens);
      Put(result, "translation", from.translation);
      Put(result, "without", from.without);
      return result;
    };
    const int n = static_cast<int>(pair.first.tokens.size());
    const int m = static_cast<int>(pair.second.tokens.size());
    const auto outputs = [&](const PairComparison::Outputs& from) {
      val result = val::object();
      Put(result, "first", ToMatrix(n, pair.d_model, from.first));
      Put(result, "second", ToMatrix(m, pair.d_model, from.second));
      Put(result, "differences", ToMatrix(m, n, from.differences));
      Put(result, "largest", from.largest);
      return result;
    };
    val result = val::object();
    Put(result, "first", side(pair.first));
    Put(result, "second", side(pair.second));
    Put(result, "same", ToArray(pair.same, [](int i) { return val(i); }));
    Put(result, "permuted", pair.permuted);
    Put(result, "withPositions", outputs(pair.with_positions));
    Put(result, "withoutPositions", outputs(pair.without_positions));
    return PairValue(result);
  });
}

SimilaritiesValue CompareHeads(const Translator& translator, const std::string& text, int layer,
                               int head) {
  return Guarded([&] {
    const SimilarityComparison comparison = CompareSimilarities(translator, text, layer, head);
    const int n = static_cast<int>(comparison.tokens.size());
    val result = val::object();
    Put(result, "tokens", ToWords(text, comparison.tokens));
    Put(result, "dK", comparison.d_k);
    Put(result, "dModel", comparison.d_model);
    Put(result, "seed", static_cast<double>(kSimilaritySeed));
    Put(result, "entries",
        ToArray(comparison.entries, [&](const SimilarityComparison::Entry& from) {
          val entry = val::object();
          Put(entry, "name", std::string(SimilarityName(from.similarity)));
          Put(entry, "scores", ToMatrix(n, n, from.scores));
          Put(entry, "weights", ToMatrix(n, n, from.weights));
          Put(entry, "multiplyAdds", from.cost.multiply_adds);
          Put(entry, "evaluations", from.cost.evaluations);
          return entry;
        }));
    return SimilaritiesValue(result);
  });
}

MeasurementValue Measure(const std::string& name, int d, int tokens, double milliseconds) {
  return Guarded([&] {
    const Similarity similarity = ParseSimilarity(name);
    const Measurement measurement = MeasureSimilarity(similarity, d, tokens, milliseconds);
    const auto cost = SimilarityFunction(similarity, d).CostOf(tokens, tokens);
    val result = val::object();
    Put(result, "milliseconds", measurement.milliseconds);
    Put(result, "repetitions", measurement.repetitions);
    Put(result, "multiplyAdds", cost.multiply_adds);
    Put(result, "evaluations", cost.evaluations);
    return MeasurementValue(result);
  });
}

StatisticsValue Sample(int d, int queries, int keys, int seed) {
  return Guarded([&] {
    const ScoreStatistics statistics = SampleScores(d, queries, keys, seed);
    val result = val::object();
    Put(result, "variance", statistics.variance);
    Put(result, "scaledVariance", statistics.scaled_variance);
    Put(result, "largest", statistics.largest);
    Put(result, "scaledLargest", statistics.scaled_largest);
    Put(result, "entropy", statistics.entropy);
    Put(result, "scaledEntropy", statistics.scaled_entropy);
    return StatisticsValue(result);
  });
}

FloatsValue Products(int d_model, NumbersValue positions, int distances) {
  return Guarded([&] {
    if (d_model < 1 || distances < 1) throw Error("positions", "must not be empty");
    return FloatsValue(
        ToFloats(PositionProducts(d_model, emscripten::vecFromJSArray<int>(positions), distances)));
  });
}

/// The race under way: one at a time, as the page shows it.
std::optional<Race>& CurrentRace() {
  static std::optional<Race> race;
  return race;
}

void StartRace(const std::string& racer, int tokens, int width, int heads, int threads) {
  Guarded([&] {
    if (racer != "recurrent" && racer != "attention") {
      throw Error("race", "there is no " + racer + " in it");
    }
    CurrentRace().reset();
    CurrentRace().emplace(racer == "recurrent" ? Racer::kRecurrent : Racer::kAttention, tokens,
                          width, heads, threads);
    return 0;
  });
}

RaceValue RunRace(double milliseconds) {
  return Guarded([&] {
    std::optional<Race>& race = CurrentRace();
    if (!race) throw Error("race", "none was started");
    val result = val::object();
    Put(result, "done", race->Run(milliseconds));
    Put(result, "milliseconds", race->milliseconds());
    Put(result, "readings", race->readings());
    Put(result, "sequentialSteps", race->sequential_steps());
    Put(result, "pathLength", race->path_length());
    return RaceValue(result);
  });
}

}  // namespace

void BindInside(emscripten::class_<Translator>& translator) {
  // The page's own types are in web/src/page/inside/types.ts.
  emscripten::register_type<TraceOptionsValue>("object|undefined");
  emscripten::register_type<OptionalTextValue>("string|undefined");
  emscripten::register_type<NumbersValue>("number[]");
  emscripten::register_type<FloatsValue>("Float32Array");
  emscripten::register_type<TraceValue>("object");
  emscripten::register_type<PairValue>("object");
  emscripten::register_type<SimilaritiesValue>("object");
  emscripten::register_type<MeasurementValue>(
      "{milliseconds: number, repetitions: number, multiplyAdds: number, evaluations: number}");
  emscripten::register_type<StatisticsValue>(
      "{variance: number, scaledVariance: number, largest: number, scaledLargest: number, "
      "entropy: number, scaledEntropy: number}");
  emscripten::register_type<RaceValue>(
      "{done: boolean, milliseconds: number, readings: number, sequentialSteps: number, "
      "pathLength: number}");
  translator.function("trace(text, target, options)", &TraceText)
      .function("comparePair(first, second)", &CompareTexts)
      .function("compareSimilarities(text, layer, head)", &CompareHeads);
  emscripten::function("measureSimilarity(name, width, tokens, milliseconds)", &Measure);
  emscripten::function("sampleScores(width, queries, keys, seed)", &Sample);
  emscripten::function("positionProducts(width, positions, distances)", &Products);
  emscripten::function("startRace(racer, tokens, width, heads, threads)", &StartRace);
  emscripten::function("runRace(milliseconds)", &RunRace);
}

}  // namespace translucent
