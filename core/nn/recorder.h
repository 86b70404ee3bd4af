// For those who want to look inside: layers hand what they compute to a Recorder where their
// Workspace has one, and compute some things otherwise where its Variant says so. Nothing of this
// is set while translating; then it costs a comparison or two for each layer.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tensor/matrix.h"

namespace translucent {

/// What a model may be made to do without, to see what it is for.
struct Variant {
  bool positions = true;  // positional encodings are added to the embeddings
  bool scaled = true;     // scores are divided by sqrt(d_k)
  bool causal = true;     // the decoder's mask of later positions
  bool padding = true;    // the mask of padding

  bool operator==(const Variant&) const = default;
};

/// One matrix that a layer computed. Names are paths, "encoder.layers.1.self_attention.queries".
struct RecordedMatrix {
  std::string name;
  int rows = 0;
  int cols = 0;
  std::vector<float> values;  // [rows, cols]
};

/// Keeps what the first sentence of a batch goes through: embeddings, every layer's output, and all
/// steps of the layers and heads asked for. Of the others it keeps nothing.
class Recorder {
 public:
  struct Choice {
    int layer = 0;
    int head = 0;
  };
  Recorder(Choice encoder, Choice decoder) : encoder_(encoder), decoder_(decoder) {}

  /// A stack ("encoder", "decoder") begins, whose sentences have `length` positions each.
  void BeginStack(std::string_view stack, int length);
  /// Its layer `layer` begins; -1: what lies outside of its layers.
  void BeginLayer(int layer);
  /// A part of the layer begins: "self_attention", "embedding".
  void BeginPart(std::string_view part) { part_ = part; }
  /// Keeps the layer's output, or the stack's: of all of them.
  void EndLayer(MatrixView output);
  void EndStack(MatrixView output);

  /// The layer at work is one of those asked for.
  bool detailed() const { return detailed_; }
  int head() const { return head_; }
  int length() const { return length_; }

  /// Appends rows to matrix `name` of the part at work, as many as the first sentence still lacks.
  void Append(std::string_view name, const float* values, int rows, int cols);
  void Append(std::string_view name, MatrixView m) {
    Append(name, m.data(), static_cast<int>(m.rows()), static_cast<int>(m.cols()));
  }

  /// The same for rows that are not the stack's positions: as many as there are.
  void AppendAll(std::string_view name, const float* values, int rows, int cols);

  const std::vector<RecordedMatrix>& matrices() const { return matrices_; }
  std::vector<RecordedMatrix> TakeMatrices() && { return std::move(matrices_); }
  /// Null when nothing has that name.
  const RecordedMatrix* Find(std::string_view name) const;

 private:
  /// Matrix `name` of the part at work, which may be a new one.
  RecordedMatrix& Matrix(std::string_view name, int cols);

  Choice encoder_;
  Choice decoder_;
  std::string stack_;
  std::string layer_;  // "" or "layers.1"
  std::string part_;
  int length_ = 0;
  int head_ = 0;
  bool detailed_ = false;
  std::vector<RecordedMatrix> matrices_;  // in the order in which they were begun
};

}  // namespace translucent
