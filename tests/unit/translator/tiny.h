// The tiny trained model of tests/fixtures/format.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "../fixtures.h"
#include "translator.h"

namespace translucent::test {

/// It knows sentences of both languages, so that it is told neither unless asked for: what is not
/// Chinese would be left as it is.
inline Translator LoadTiny(bool languages = false) {
  std::vector<ModelFile> files;
  for (const char* name : {"config.json", "generation_config.json", "model.safetensors",
                           "source.spm", "target.spm", "tokenizer_config.json", "vocab.json"}) {
    if (!languages && std::string(name) == "tokenizer_config.json") continue;
    files.push_back({name, ReadFixture(std::string("format/tiny/") + name)});
  }
  return Translator(std::move(files), "tiny");
}

inline const Translator& Tiny() {
  static const Translator translator = LoadTiny();
  return translator;
}

inline nlohmann::json ReadJson(const std::string& name) {
  const auto bytes = ReadFixture(name);
  const char* begin = reinterpret_cast<const char*>(bytes.data());
  return nlohmann::json::parse(begin, begin + bytes.size());
}

}  // namespace translucent::test
