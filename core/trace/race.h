// A recurrent encoder and a self-attention layer over the same random sentence, to be timed against
// each other: one reads token after token, the other all of them at once.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "nn/attention.h"
#include "nn/layers.h"
#include "nn/workspace.h"

namespace translucent {

inline constexpr std::uint64_t kRaceSeed = 1706;

/// A layer in f32 with random weights: normal variates scaled by 1 / sqrt(width), each matrix
/// followed by its bias.
class RandomLinear {
 public:
  RandomLinear(int outputs, int inputs, class Random& random);
  Linear View() const;

 private:
  int outputs_;
  int inputs_;
  std::vector<float> weight_;
  std::vector<float> bias_;
};

enum class Racer {
  kRecurrent,  // a gated recurrent unit (Cho et al. 2014), as torch.nn.GRU: width -> width
  kAttention,  // multi-head self-attention, as torch.nn.MultiheadAttention
};

/// One racer and its sentence [tokens, width], worked on some tokens at a time.
class Race {
 public:
  /// heads: of attention, a divisor of width. Throws Error for sizes there cannot be.
  Race(Racer racer, int tokens, int width, int heads, int threads);

  /// Works for about `milliseconds`, at least on some tokens; true when the sentence has been read
  /// once, or again and again until it was worth measuring. Attention shares the tokens among
  /// `threads`; a recurrent layer cannot.
  bool Run(double milliseconds);

  /// Time of one reading, so far: the quickest one that was finished.
  double milliseconds() const { return best_; }
  int readings() const { return readings_; }
  /// Steps of which each waits for the one before it, and how far a token's influence has to go to
  /// the farthest other one.
  int sequential_steps() const { return racer_ == Racer::kRecurrent ? tokens_ : 1; }
  int path_length() const { return racer_ == Racer::kRecurrent ? tokens_ - 1 : 1; }

  const Matrix& input() const { return input_; }    // [tokens, width]
  const Matrix& output() const { return output_; }  // of the last reading

 private:
  void Begin();
  void Advance();
  void AdvanceRecurrent();
  void AdvanceAttention();

  Racer racer_;
  int tokens_;
  int width_;
  int threads_;
  std::vector<RandomLinear> weights_;
  Matrix input_;
  Matrix output_;

  int done_ = 0;              // tokens read
  std::vector<float> state_;  // recurrent: h [width]
  KeyValues memory_;          // attention
  bool remembered_ = false;   // attention: keys and values are there
  std::optional<MultiHeadAttention> attention_;
  KeyIndex index_;
  std::vector<Workspace> workspaces_;  // [threads]

  double spent_ = 0;  // milliseconds of this reading
  double total_ = 0;  // of all
  double best_ = 0;
  int readings_ = 0;
};

}  // namespace translucent
