// A model directory in memory: settings, weights and vocabularies, whatever the source format.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/aligned.h"
#include "format/config.h"
#include "format/safetensors.h"
#include "tensor/weights.h"

namespace translucent {

/// One file of a model directory: its name ("config.json") and content.
struct ModelFile {
  std::string name;
  FileBytes bytes;
};

/// The files of a model directory that are read.
inline constexpr std::string_view kModelFileNames[] = {
    "config.json", "generation_config.json", "tokenizer_config.json",
    "vocab.json",  "target_vocab.json",      "source.spm",
    "target.spm",  "model.safetensors",      "shortlist.bin"};

/// Weights in forms that are not read: where a directory has one of these instead of
/// model.safetensors, the error says what to do. Only their names matter.
inline constexpr std::string_view kUnreadWeightNames[] = {
    "pytorch_model.bin", "pytorch_model.bin.index.json", "model.safetensors.index.json"};

/// Token strings of one side; the position is the id.
struct Vocabulary {
  std::vector<std::string> tokens;
  std::map<std::string, int, std::less<>> ids;
  /// Id of a token, or of "<unk>".
  int IdOf(std::string_view token) const;
  int unknown_id = 0;
};

/// Owns the weights of a model. F32 tensors are used where they lie in the file, if aligned, and I8
/// matrices are packed there (tensor/packing.h; those with values beyond -63..63 lose a bit first);
/// only what cannot be treated so gets memory of its own: F16, BF16, the odd rows of a matrix whose
/// size is no multiple of a panel's. Products with packed matrices are fastest where tensors begin
/// at multiples of 64 bytes in the file, as scripts/train/export.py writes them. Immutable after
/// construction; views stay valid when it is moved.
class Checkpoint {
 public:
  /// Takes the files of a model directory (kModelFileNames; other names are ignored;
  /// target_vocab.json is for separate vocabularies, generation_config.json and
  /// tokenizer_config.json are optional). Checks that every tensor the config needs is there with
  /// the right shape and dtype and that nothing contradicts; the .spm files are left to their
  /// reader. Throws Error naming file and tensor or field; `directory` is a prefix for names.
  explicit Checkpoint(std::vector<ModelFile> files, std::string_view directory = "");
  Checkpoint(Checkpoint&&) = default;
  Checkpoint& operator=(Checkpoint&&) = default;

  const ModelConfig& config() const { return config_; }
  const GenerationConfig& generation() const { return generation_; }
  const Vocabulary& source_vocabulary() const { return source_vocabulary_; }
  const Vocabulary& target_vocabulary() const {
    return target_vocabulary_ ? *target_vocabulary_ : source_vocabulary_;
  }
  /// BCP 47 tags from tokenizer_config.json (source_lang, target_lang); empty when not told.
  const std::string& source_language() const { return source_language_; }
  const std::string& target_language() const { return target_language_; }

  /// Weight by transformers' name, e.g. "model.encoder.layers.0.fc1.weight". The embeddings
  /// "model.{encoder,decoder}.embed_tokens.weight" and the output matrix "lm_head.weight" are
  /// always found, under whichever of their names they are stored. Shapes were checked in the
  /// constructor. Throws Error when it is missing.
  WeightMatrix Matrix(std::string_view name) const;
  /// Likewise; "final_logits_bias", stored as [1, V], is a vector.
  WeightVector Vector(std::string_view name) const;
  /// Whether the model has this weight; only "final_logits_bias" is optional.
  bool Has(std::string_view name) const;

  /// Bytes of a file by name ("source.spm"); throws Error when it is missing.
  std::span<const std::byte> File(std::string_view name) const;
  bool HasFile(std::string_view name) const;
  /// The files as given, for `inspect`.
  const std::vector<ModelFile>& files() const { return files_; }
  /// All tensors as stored, for `inspect`; the bytes of I8 matrices in use are packed by now.
  const SafeTensors& tensors() const { return tensors_; }
  /// Names of stored tensors the model does not use, in order.
  std::vector<std::string> UnusedTensors() const;
  /// `directory`/`name`, for errors.
  std::string PathOf(std::string_view name) const;

 private:
  // A weight of the model, where it is stored and how it is read.
  struct Weight {
    std::string_view stored;  // key in tensors_
    WeightMatrix matrix;      // a vector is one row
  };

  const ModelFile* FindFile(std::string_view name) const;
  std::string_view Text(std::string_view name) const;
  [[noreturn]] void FailTensor(std::string_view name, std::string_view why) const;
  void ReadVocabularies();
  void ReadLanguages();
  void ReadWeights();
  // The stored tensor `stored` as the weight `name` of that shape; cols 0: a vector.
  void AddWeight(std::string_view name, std::string_view stored, int rows, int cols);
  void AddEmbeddings();
  const float* Floats(std::string_view stored);
  void PackMatrices();
  WeightMatrix Pack(std::string_view stored, WeightMatrix matrix);
  const float* Scales(std::string_view stored, int rows);
  bool SameWeights(std::string_view stored, std::string_view other) const;

  std::string directory_;
  std::vector<ModelFile> files_;
  ModelConfig config_;
  GenerationConfig generation_;
  Vocabulary source_vocabulary_;
  std::optional<Vocabulary> target_vocabulary_;  // where it is not the source's
  std::string source_language_;
  std::string target_language_;
  SafeTensors tensors_;
  std::map<std::string, std::vector<float>, std::less<>> converted_;  // what Floats() could not use
  std::vector<AlignedVector<std::uint8_t>> panels_;                   // packed outside the file
  std::map<std::string, Weight, std::less<>> weights_;                // by transformers' name
};

}  // namespace translucent
