// `translucent attention`: how one sentence was translated, as JSON or as a picture.

#include <string>
#include <string_view>
#include <vector>

#include "cli/attention_svg.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "cli/json_text.h"

namespace translucent::cli {
namespace {

// Appends "[a,b,...]" with `append(i)` for each of `count` items.
template <typename Append>
void AppendList(std::size_t count, std::string* json, Append append) {
  *json += '[';
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) *json += ',';
    append(i);
  }
  *json += ']';
}

void AppendSide(std::string_view text, const std::vector<Token>& tokens, std::string* json) {
  *json += "{\"text\":";
  AppendString(text, json);
  *json += ",\"tokens\":";
  AppendList(tokens.size(), json, [&](std::size_t i) { AppendString(tokens[i].piece, json); });
  *json += '}';
}

// [layer][head][query][key]
void AppendMaps(const AttentionMaps& maps, std::string* json) {
  const float* weight = maps.weights.data();
  AppendList(maps.layers, json, [&](std::size_t) {
    AppendList(maps.heads, json, [&](std::size_t) {
      AppendList(maps.queries, json, [&](std::size_t) {
        AppendList(maps.keys, json, [&](std::size_t) { AppendNumber(*weight++, json); });
      });
    });
  });
}

// [{"entropy":bits,"candidates":[{"piece":...,"id":...,"probability":...}]}] per target token
void AppendSteps(const std::vector<Distribution>& steps, const Vocabulary& vocabulary,
                 std::string* json) {
  AppendList(steps.size(), json, [&](std::size_t t) {
    *json += "{\"entropy\":";
    AppendNumber(steps[t].entropy, json);
    *json += ",\"candidates\":";
    AppendList(steps[t].candidates.size(), json, [&](std::size_t i) {
      const Prediction& candidate = steps[t].candidates[i];
      *json += "{\"piece\":";
      AppendString(vocabulary.tokens[candidate.id], json);
      *json += ",\"id\":" + std::to_string(candidate.id) + ",\"probability\":";
      AppendNumber(candidate.probability, json);
      *json += '}';
    });
    *json += '}';
  });
}

std::string ToJson(const Explanation& explanation, const Vocabulary& vocabulary,
                   std::string_view model) {
  std::string json = "{\"model\":";
  AppendString(model, &json);
  json += ",\n\"source\":";
  AppendSide(explanation.source_text, explanation.source, &json);
  json += ",\n\"target\":";
  AppendSide(explanation.target_text, explanation.target, &json);
  json += ",\n\"attention\":{\"encoder\":";
  AppendMaps(explanation.encoder, &json);
  json += ",\n\"decoder\":";
  AppendMaps(explanation.decoder, &json);
  json += ",\n\"cross\":";
  AppendMaps(explanation.cross, &json);
  json += "},\n\"alignment\":";
  AppendList(explanation.alignment.size(), &json, [&](std::size_t i) {
    const AlignmentLink& link = explanation.alignment[i];
    json += '[' + std::to_string(link.source) + ',' + std::to_string(link.target) + ',';
    AppendNumber(link.weight, &json);
    json += ']';
  });
  json += ",\n\"probabilities\":";
  AppendList(explanation.probabilities.size(), &json,
             [&](std::size_t i) { AppendNumber(explanation.probabilities[i], &json); });
  if (!explanation.steps.empty()) {
    json += ",\n\"steps\":";
    AppendSteps(explanation.steps, vocabulary, &json);
  }
  json += "}\n";
  return json;
}

void CheckUtf8(std::string_view name, std::string_view text) {
  const std::size_t invalid = FindInvalidUtf8(text);
  if (invalid != text.npos) {
    throw UsageError(std::string(name) + ": invalid UTF-8 at byte " + std::to_string(invalid + 1));
  }
}

}  // namespace

void Run(const AttentionCommand& command) {
  CheckUtf8("TEXT", command.text);
  if (command.target) CheckUtf8("--target", *command.target);
  const Translator translator(ReadModelDirectory(command.model), command.model);
  const Explanation explanation =
      translator.Explain(command.text, {}, command.target ? &*command.target : nullptr,
                         {.prefix = {}, .candidates = command.candidates});
  const std::string result =
      command.svg ? AttentionSvg(explanation)
                  : ToJson(explanation, translator.checkpoint().target_vocabulary(), command.model);
  if (command.output.empty()) {
    WriteOutput(result);
  } else {
    WriteFile(command.output, result);
  }
}

}  // namespace translucent::cli
