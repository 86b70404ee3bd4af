// Embind bindings: JavaScript values in and out of the Translator, nothing else. Offsets into texts
// are UTF-16 code units here, as JavaScript counts, and bytes in the core.
#include <emscripten/bind.h>
#include <emscripten/val.h>

#include <exception>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kernels/kernels.h"
#include "text/sentence_splitter.h"
#include "text/utf8.h"
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
EMSCRIPTEN_DECLARE_VAL_TYPE(RangesValue);

/// Runs `work`; a C++ exception becomes a JavaScript Error with its message.
template <class Work>
auto Guarded(Work&& work) -> decltype(work()) {
  std::string message;
  try {
    return work();
  } catch (const std::bad_alloc&) {
    message = "memory: not enough";
  } catch (const std::exception& error) {
    message = error.what();
  }
  val::global("Error").new_(message).throw_();
}

/// Where each byte of a UTF-8 text lies in UTF-16; `offsets[size]` is the whole length.
std::vector<unsigned> Utf16Offsets(std::string_view text) {
  std::vector<unsigned> offsets(text.size() + 1);
  unsigned units = 0;
  for (std::size_t i = 0; i < text.size();) {
    const Utf8Character character = DecodeUtf8(text.substr(i));
    for (std::size_t b = 0; b < character.length; ++b) offsets[i + b] = units;
    units += character.code_point >= 0x10000 ? 2 : 1;
    i += character.length;
  }
  offsets[text.size()] = units;
  return offsets;
}

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

template <class Number>
void Read(const val& options, const char* name, Number& number) {
  const val value = options[name];
  if (!value.isUndefined() && !value.isNull()) number = value.as<Number>();
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
  // slice: a copy of its own, since the view dies with the next growth of the memory.
  result.set("weights", val(emscripten::typed_memory_view(maps.weights.size(), maps.weights.data()))
                            .call<val>("slice"));
  return result;
}

Translator* MakeTranslator(ModelFilesValue files) {
  return Guarded([&] { return new Translator(ToModelFiles(files)); });
}

CandidatesValue Translate(const Translator& translator, StringsValue texts, OptionsValue options) {
  return Guarded([&] {
    val results = val::array();
    const auto translated =
        translator.Translate(emscripten::vecFromJSArray<std::string>(texts), ToOptions(options));
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
    return CandidatesValue(results);
  });
}

ExplanationValue Explain(const Translator& translator, const std::string& text,
                         OptionsValue options, OptionalStringValue target) {
  return Guarded([&] {
    std::optional<std::string> given;
    if (!target.isUndefined() && !target.isNull()) given = target.as<std::string>();
    const Explanation explanation =
        translator.Explain(text, ToOptions(options), given ? &*given : nullptr);
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
  emscripten::register_type<StringsValue>("string[]");
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
      "alignment: {source: number, target: number, weight: number}[]}");

  emscripten::class_<Translator>("Translator")
      .constructor(&MakeTranslator, emscripten::allow_raw_pointers())
      .function("translate(texts, options)", &Translate)
      .function("explain(text, options, target)", &Explain);
  emscripten::function("splitSentences(text)", &Split);
  emscripten::function("sentenceSeparator(before, source, after)", &Separator);
  emscripten::function("instructionSet", &InstructionSet);
}

}  // namespace translucent
