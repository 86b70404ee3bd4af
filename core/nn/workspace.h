// Memory that a stack of layers writes to on the way from its input to its output.
#pragma once

#include <vector>

#include "nn/key_values.h"
#include "nn/recorder.h"
#include "tensor/matrix.h"
#include "tensor/quantized.h"

namespace translucent {

/// One for each batch under way, used again from layer to layer and from step to step, so that a
/// decoding step allocates nothing. Not for two threads at once. n: positions computed together.
struct Workspace {
  MatrixBuffer x;             // [n, d_model]: the residual stream
  MatrixBuffer normed;        // [n, d_model]: its norm, which a pre-norm sub-layer reads
  MatrixBuffer update;        // [n, d_model]: what a sub-layer adds to it
  MatrixBuffer queries;       // [n, d_model]
  MatrixBuffer attended;      // [n, d_model]: the heads' results side by side
  MatrixBuffer scores;        // [heads, keys]: attention scores, then weights, of one query
  MatrixBuffer hidden;        // [n or some of them, ffn_dim]: between the two feed-forward layers
  MatrixBuffer logits;        // [rows, vocabulary]
  QuantizedBuffer quantized;  // what the next linear layers read, in int8

  std::vector<const float*> keys, values;  // [keys]: those one row of queries attends to
  KeyValues own;                           // those of the layer at work, in an encoder

  Variant variant;               // what the layers are to do without
  Recorder* recorder = nullptr;  // who wants to see what they compute; null: nobody

  /// The recorder, where it wants all the steps of the layer at work; else null.
  Recorder* DetailRecorder() const {
    return recorder != nullptr && recorder->detailed() ? recorder : nullptr;
  }
};

}  // namespace translucent
