// A model directory in memory: settings, weights and vocabularies, whatever the source format.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "format/config.h"
#include "format/safetensors.h"
#include "tensor/weights.h"

namespace translucent {

/// One file of a model directory: its name ("config.json") and content.
struct ModelFile {
  std::string name;
  std::vector<std::byte> bytes;
};

/// Token strings of one side; the position is the id.
struct Vocabulary {
  std::vector<std::string> tokens;
  std::map<std::string, int, std::less<>> ids;
  /// Id of a token, or of "<unk>".
  int IdOf(std::string_view token) const;
  int unknown_id = 0;
};

/// Owns the weights of a model. Tensors are used where they lie in the file when they are F32
/// (aligned) or I8, and converted to f32 once otherwise. Immutable after construction.
class Checkpoint {
 public:
  /// Takes the files of a model directory (DESIGN: config.json, model.safetensors, source.spm,
  /// target.spm, vocab.json, ...; target_vocab.json where vocabularies are separate). Checks that
  /// every tensor the config needs is there with the right shape and dtype and that nothing
  /// contradicts. Throws Error naming file and tensor or field; `directory` is a prefix for names.
  explicit Checkpoint(std::vector<ModelFile> files, std::string_view directory = "");

  const ModelConfig& config() const { return config_; }
  const GenerationConfig& generation() const { return generation_; }
  const Vocabulary& source_vocabulary() const { return source_vocabulary_; }
  const Vocabulary& target_vocabulary() const { return target_vocabulary_; }
  /// BCP 47 tags from tokenizer_config.json (source_lang, target_lang); empty when not told.
  const std::string& source_language() const { return source_language_; }
  const std::string& target_language() const { return target_language_; }

  /// Weight by transformers' name, e.g. "model.encoder.layers.0.fc1.weight". Shapes were checked in
  /// the constructor. Throws Error when it is missing.
  WeightMatrix Matrix(std::string_view name) const;
  WeightVector Vector(std::string_view name) const;
  bool Has(std::string_view name) const;

  /// Bytes of a file by name ("source.spm"); throws Error when it is missing.
  std::span<const std::byte> File(std::string_view name) const;
  /// All tensors as stored, for `inspect`.
  const SafeTensors& tensors() const { return tensors_; }
  /// `directory`/`name`, for errors.
  std::string PathOf(std::string_view name) const;

 private:
  std::string directory_;
  std::vector<ModelFile> files_;
  ModelConfig config_;
  GenerationConfig generation_;
  Vocabulary source_vocabulary_;
  Vocabulary target_vocabulary_;
  std::string source_language_;
  std::string target_language_;
  SafeTensors tensors_;
  std::map<std::string, std::vector<float>, std::less<>> converted_;  // F16, BF16, unaligned F32
};

}  // namespace translucent
