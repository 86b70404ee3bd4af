// Embind bindings: JavaScript values in and out of the Translator, nothing else. Offsets into texts
// are UTF-16 code units here, as JavaScript counts, and bytes in the core.
#include <emscripten/bind.h>
#include <emscripten/val.h>

#include <chrono>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "convert.h"
#include "inside_bindings.h"
#include "kernels/kernels.h"
#include "text/sentence_splitter.h"
#include "translator.h"

namespace translucent {
namespace {

using emscripten::val;

// Shapes of the plain JavaScript values, for the generated types.
EMSCRIPTEN_DECLARE_VAL_TYPE(ModelFilesValue);
EMSCRIPTEN_DECLARE_VAL_TYPE(OptionsValue);
EMSCRIPTEN_DECLARE_VAL_TYPE(StringsValue);
EMSCRIPTEN_DECLARE_VAL_TYPE(OptionalStringValue);
EMSCRIPTEN_DECLARE_VAL_TYPE(CandidatesValue);
EMSCRIPTEN_DECLARE_VAL_TYPE(ExplanationValue);
EMSCRIPTEN_DECLARE_VAL_TYPE(ExplainOptionsValue);
EMSCRIPTEN_DECLARE_VAL_TYPE(IdsValue);
EMSCRIPTEN_DECLARE_VAL_TYPE(IdListsValue);
EMSCRIPTEN_DECLARE_VAL_TYPE(ContinuationsValue);
EMSCRIPTEN_DECLARE_VAL_TYPE(ProbabilitiesValue);
EMSCRIPTEN_DECLARE_VAL_TYPE(RangesValue);

std::vector<ModelFile> ToModelFiles(const val& files) {
  std::vector<ModelFile> result;
  const auto count = files["length"].as<unsigned>();
  for (unsigned i = 0; i < count; ++i) {
    const val bytes = files[i]["bytes"];
    ModelFile file = {files[i]["name"].as<std::string>(), {}};
    file.bytes.resize(bytes["byteLength"].as<unsigned>());
    const val memory(emscripten::typed_memory_view(
        file.bytes.size(), reinterpret_cast<unsigned char*>(file.bytes.data())));
    memory.call<void>("set", bytes);
    result.push_back(std::move(file));
  }
  return result;
}

TranslateOptions ToOptions(const val& value) {
  TranslateOptions options;
  if (value.isUndefined() || value.isNull()) return options;
  Read(value, "beamSize", options.beam_size);
  Read(value, "nbest", options.nbest);
  Read(value, "maxLength", options.max_length);
  Read(value, "lengthPenalty", options.length_penalty);
  Read(value, "scores", options.scores);
  Read(value, "threads", options.threads);
  return options;
}

/// A whole number; anything else is an Error that names what it was to be.
int ToInt(const val& value, const std::string& name) {
  const double number = value.isNumber() ? value.as<double>() : 0.5;
  if (std::nearbyint(number) != number || std::abs(number) > std::numeric_limits<int>::max()) {
    throw Error(name, "not a whole number");
  }
  return static_cast<int>(number);
}

std::vector<int> ToIds(const val& ids, const std::string& name) {
  if (!ids.isArray()) throw Error(name, "not an array of token ids");
  const auto count = ids["length"].as<unsigned>();
  std::vector<int> result;
  for (unsigned i = 0; i < count; ++i) {
    result.push_back(ToInt(ids[i], name + ": the id at position " + std::to_string(i)));
  }
  return result;
}

ExplainOptions ToExplainOptions(const val& value) {
  ExplainOptions options;
  if (value.isUndefined() || value.isNull()) return options;
  const val candidates = value["candidates"];
  if (!candidates.isUndefined() && !candidates.isNull()) {
    options.candidates = ToInt(candidates, "candidates");
  }
  const val prefix = value["prefix"];
  if (!prefix.isUndefined() && !prefix.isNull()) options.prefix = ToIds(prefix, "prefix");
  return options;
}

/// A Float32Array of its own, since a view dies with the next growth of the memory.
val ToFloat32Array(const std::vector<float>& values) {
  return val(emscripten::typed_memory_view(values.size(), values.data())).call<val>("slice");
}

val ToTokens(const std::string& text, const std::vector<Token>& tokens,
             const std::vector<float>* probabilities) {
  const std::vector<unsigned> offsets = Utf16Offsets(text);
  val array = val::array();
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    val token = val::object();
    token.set("piece", tokens[i].piece);
    token.set("id", tokens[i].id);
    token.set("begin", offsets[tokens[i].begin]);
    token.set("end", offsets[tokens[i].end]);
    if (probabilities != nullptr) token.set("probability", (*probabilities)[i]);
    array.set(i, token);
  }
  return array;
}

val ToSide(const std::string& text, const std::vector<Token>& tokens,
           const std::vector<float>* probabilities) {
  val side = val::object();
  side.set("text", text);
  side.set("tokens", ToTokens(text, tokens, probabilities));
  return side;
}

val ToMaps(const AttentionMaps& maps) {
  val shape = val::array();
  shape.set(0, maps.layers);
  shape.set(1, maps.heads);
  shape.set(2, maps.queries);
  shape.set(3, maps.keys);
  val result = val::object();
  result.set("shape", shape);
  result.set("weights", ToFloat32Array(maps.weights));
  return result;
}

Translator* MakeTranslator(ModelFilesValue files) {
  return Guarded([&] { return new Translator(ToModelFiles(files)); });
}

val ToCandidates(const std::vector<std::vector<Candidate>>& translated) {
  val results = val::array();
  for (std::size_t i = 0; i < translated.size(); ++i) {
    val candidates = val::array();
    for (std::size_t j = 0; j < translated[i].size(); ++j) {
      val candidate = val::object();
      candidate.set("text", translated[i][j].text);
      candidate.set("score", translated[i][j].score);
      candidates.set(j, candidate);
    }
    results.set(i, candidates);
  }
  return results;
}

/// One step for each target token: the pieces of its candidates are the target vocabulary's.
val ToSteps(const std::vector<Distribution>& steps, const Vocabulary& vocabulary) {
  val array = val::array();
  for (std::size_t i = 0; i < steps.size(); ++i) {
    val candidates = val::array();
    for (std::size_t j = 0; j < steps[i].candidates.size(); ++j) {
      const Prediction& prediction = steps[i].candidates[j];
      val candidate = val::object();
      candidate.set("id", prediction.id);
      candidate.set("piece", vocabulary.tokens[prediction.id]);
      candidate.set("probability", prediction.probability);
      candidates.set(j, candidate);
    }
    val step = val::object();
    step.set("entropy", steps[i].entropy);
    step.set("candidates", candidates);
    array.set(i, step);
  }
  return array;
}

CandidatesValue Translate(const Translator& translator, StringsValue texts, OptionsValue options) {
  return Guarded([&] {
    return CandidatesValue(ToCandidates(
        translator.Translate(emscripten::vecFromJSArray<std::string>(texts), ToOptions(options))));
  });
}

/// Whoever calls owns it.
TranslationJob* Start(const Translator& translator, StringsValue texts, OptionsValue options) {
  return Guarded([&] {
    return new TranslationJob(
        translator.Start(emscripten::vecFromJSArray<std::string>(texts), ToOptions(options)));
  });
}

bool RunJob(TranslationJob& job, double milliseconds) {
  return Guarded([&] { return job.Run(std::chrono::duration<double, std::milli>(milliseconds)); });
}

std::string PartialOf(TranslationJob& job, double text) {
  return Guarded([&] {
    return job.Partial(text >= 0 && text < 1e9 ? static_cast<std::size_t>(text)
                                               : std::numeric_limits<std::size_t>::max());
  });
}

CandidatesValue ResultOf(const TranslationJob& job) {
  return Guarded([&] { return CandidatesValue(ToCandidates(job.Result())); });
}

ContinuationsValue Continue(const Translator& translator, const std::string& text,
                            IdListsValue prefixes, OptionsValue options) {
  return Guarded([&] {
    if (!prefixes.isArray()) throw Error("prefixes", "not an array of arrays of token ids");
    std::vector<std::vector<int>> ids;
    const auto count = prefixes["length"].as<unsigned>();
    for (unsigned i = 0; i < count; ++i) {
      ids.push_back(ToIds(prefixes[i], "prefix " + std::to_string(i)));
    }
    val results = val::array();
    const std::vector<Continuation> found = translator.Continuations(text, ids, ToOptions(options));
    for (std::size_t i = 0; i < found.size(); ++i) {
      val result = ToSide(found[i].text, found[i].tokens, &found[i].probabilities);
      result.set("score", found[i].score);
      results.set(i, result);
    }
    return ContinuationsValue(results);
  });
}

ProbabilitiesValue Score(const Translator& translator, StringsValue texts, IdsValue target) {
  return Guarded([&] {
    val results = val::array();
    const std::vector<std::vector<float>> found =
        translator.Score(emscripten::vecFromJSArray<std::string>(texts), ToIds(target, "target"));
    for (std::size_t i = 0; i < found.size(); ++i) results.set(i, ToFloat32Array(found[i]));
    return ProbabilitiesValue(results);
  });
}

ExplanationValue Explain(const Translator& translator, const std::string& text,
                         ExplainOptionsValue options, OptionalStringValue target) {
  return Guarded([&] {
    std::optional<std::string> given;
    if (!target.isUndefined() && !target.isNull()) given = target.as<std::string>();
    const Explanation explanation = translator.Explain(
        text, ToOptions(options), given ? &*given : nullptr, ToExplainOptions(options));
    val alignment = val::array();
    for (std::size_t i = 0; i < explanation.alignment.size(); ++i) {
      val link = val::object();
      link.set("source", explanation.alignment[i].source);
      link.set("target", explanation.alignment[i].target);
      link.set("weight", explanation.alignment[i].weight);
      alignment.set(i, link);
    }
    val result = val::object();
    result.set("source", ToSide(explanation.source_text, explanation.source, nullptr));
    result.set("target",
               ToSide(explanation.target_text, explanation.target, &explanation.probabilities));
    result.set("encoder", ToMaps(explanation.encoder));
    result.set("decoder", ToMaps(explanation.decoder));
    result.set("cross", ToMaps(explanation.cross));
    result.set("alignment", alignment);
    result.set("steps", ToSteps(explanation.steps, translator.checkpoint().target_vocabulary()));
    return ExplanationValue(result);
  });
}

RangesValue Split(const std::string& text) {
  return Guarded([&] {
    const std::vector<unsigned> offsets = Utf16Offsets(text);
    val ranges = val::array();
    const std::vector<SentenceRange> sentences = SplitSentences(text);
    for (std::size_t i = 0; i < sentences.size(); ++i) {
      val range = val::object();
      range.set("begin", offsets[sentences[i].begin]);
      range.set("end", offsets[sentences[i].end]);
      ranges.set(i, range);
    }
    return RangesValue(ranges);
  });
}

std::string Separator(const std::string& before, const std::string& source,
                      const std::string& after) {
  return std::string(SentenceSeparator(before, source, after));
}

std::string InstructionSet() { return ActiveKernels().name; }

}  // namespace

EMSCRIPTEN_BINDINGS(translucent) {
  emscripten::register_type<ModelFilesValue>("{name: string, bytes: Uint8Array}[]");
  emscripten::register_type<OptionsValue>(
      "{beamSize?: number, nbest?: number, maxLength?: number, lengthPenalty?: number, "
      "scores?: boolean, threads?: number}|undefined");
  emscripten::register_type<ExplainOptionsValue>(
      "{beamSize?: number, nbest?: number, maxLength?: number, lengthPenalty?: number, "
      "scores?: boolean, threads?: number, candidates?: number, prefix?: number[]}|undefined");
  emscripten::register_type<StringsValue>("string[]");
  emscripten::register_type<IdsValue>("number[]");
  emscripten::register_type<IdListsValue>("number[][]");
  emscripten::register_type<ContinuationsValue>(
      "{text: string, tokens: {piece: string, id: number, begin: number, end: number, "
      "probability: number}[], score: number}[]");
  emscripten::register_type<ProbabilitiesValue>("Float32Array[]");
  emscripten::register_type<OptionalStringValue>("string|undefined");
  emscripten::register_type<CandidatesValue>("{text: string, score: number}[][]");
  emscripten::register_type<RangesValue>("{begin: number, end: number}[]");
  emscripten::register_type<ExplanationValue>(
      "{source: {text: string, tokens: {piece: string, id: number, begin: number, end: number}[]}, "
      "target: {text: string, tokens: {piece: string, id: number, begin: number, end: number, "
      "probability: number}[]}, "
      "encoder: {shape: [number, number, number, number], weights: Float32Array}, "
      "decoder: {shape: [number, number, number, number], weights: Float32Array}, "
      "cross: {shape: [number, number, number, number], weights: Float32Array}, "
      "alignment: {source: number, target: number, weight: number}[], "
      "steps: {entropy: number, candidates: {id: number, piece: string, probability: "
      "number}[]}[]}");

  emscripten::class_<Translator> translator("Translator");
  translator.constructor(&MakeTranslator, emscripten::allow_raw_pointers())
      .function("translate(texts, options)", &Translate)
      .function("start(texts, options)", &Start, emscripten::allow_raw_pointers(),
                emscripten::nonnull<emscripten::ret_val>())
      .function("explain(text, options, target)", &Explain)
      .function("continuations(text, prefixes, options)", &Continue)
      .function("score(texts, target)", &Score);
  BindInside(translator);
  emscripten::class_<TranslationJob>("TranslationJob")
      .function("run(milliseconds)", &RunJob)
      .function("partial(index)", &PartialOf)
      .function("result", &ResultOf);
  emscripten::function("splitSentences(text)", &Split);
  emscripten::function("sentenceSeparator(before, source, after)", &Separator);
  emscripten::function("instructionSet", &InstructionSet);
}

}  // namespace translucent
