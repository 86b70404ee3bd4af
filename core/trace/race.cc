#include "trace/race.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <string>

#include "base/error.h"
#include "base/parallel.h"
#include "trace/random.h"

namespace translucent {
namespace {

constexpr int kBlock = 32;          // tokens at a time
constexpr int kMostReadings = 200;  // of a short sentence
constexpr double kWorthwhile = 15;  // milliseconds of readings altogether

float Sigmoid(float x) { return 1.f / (1.f + std::exp(-x)); }

}  // namespace

RandomLinear::RandomLinear(int outputs, int inputs, Random& random)
    : outputs_(outputs), inputs_(inputs) {
  const float scale = 1.f / std::sqrt(static_cast<float>(inputs));
  weight_ = random.Normals(static_cast<std::size_t>(outputs) * inputs, scale);
  bias_ = random.Normals(outputs, scale);
}

Linear RandomLinear::View() const {
  return Linear({.rows = outputs_, .cols = inputs_, .f32 = weight_.data()},
                {.size = outputs_, .data = bias_.data()});
}

Race::Race(Racer racer, int tokens, int width, int heads, int threads)
    : racer_(racer), tokens_(tokens), width_(width), threads_(std::max(1, threads)) {
  if (tokens < 1) throw Error("tokens", "must be at least 1");
  if (width < 1) throw Error("width", "must be at least 1");
  if (heads < 1 || width % heads != 0) {
    throw Error("heads", std::to_string(heads) + " do not divide " + std::to_string(width));
  }
  Random random(kRaceSeed);
  if (racer == Racer::kRecurrent) {
    // Of the input and of the state; in each the reset gate, the update gate and the new state.
    for (int i = 0; i < 2; ++i) weights_.emplace_back(3 * width, width, random);
  } else {
    for (int i = 0; i < 4; ++i) weights_.emplace_back(width, width, random);  // q, k, v, output
    attention_.emplace(weights_[0].View(), weights_[1].View(), weights_[2].View(),
                       weights_[3].View(), heads);
    index_ = KeyIndex::OfBatch(1, tokens);
    workspaces_.resize(threads_);
  }
  Random input(kRaceSeed + 1);
  const std::vector<float> values = input.Normals(static_cast<std::size_t>(tokens) * width);
  input_ = Eigen::Map<const Matrix>(values.data(), tokens, width);
  output_ = Matrix::Zero(tokens, width);
  Begin();
}

void Race::Begin() {
  done_ = 0;
  spent_ = 0;
  remembered_ = false;
  state_.assign(width_, 0.f);
  const std::size_t size = static_cast<std::size_t>(tokens_) * width_;
  memory_.keys.resize(racer_ == Racer::kAttention ? size : 0);
  memory_.values.resize(memory_.keys.size());
}

bool Race::Run(double milliseconds) {
  using Clock = std::chrono::steady_clock;
  const auto began = Clock::now();
  const auto elapsed = [](Clock::time_point since) {
    return std::chrono::duration<double, std::milli>(Clock::now() - since).count();
  };
  do {
    const auto start = Clock::now();
    Advance();
    spent_ += elapsed(start);
    if (done_ < tokens_) continue;
    best_ = readings_ == 0 ? spent_ : std::min(best_, spent_);
    total_ += spent_;
    if (++readings_ >= kMostReadings || total_ >= kWorthwhile) return true;
    Begin();
  } while (elapsed(began) < milliseconds);
  return false;
}

void Race::Advance() {
  if (racer_ == Racer::kRecurrent) {
    AdvanceRecurrent();
  } else {
    AdvanceAttention();
  }
}

// What the input adds is known for many tokens at once; what the state adds is not.
void Race::AdvanceRecurrent() {
  const int count = std::min(kBlock, tokens_ - done_);
  std::vector<float> from_input(static_cast<std::size_t>(count) * 3 * width_);
  std::vector<float> from_state(3 * width_);
  QuantizedBuffer unused;  // f32
  LinearInput input(input_.row(done_).data(), count, width_, unused);
  weights_[0].View().Forward(input, from_input.data(), 3 * width_);
  for (int t = 0; t < count; ++t) {
    LinearInput state(state_.data(), 1, width_, unused);
    weights_[1].View().Forward(state, from_state.data(), 3 * width_);
    const float* const x = &from_input[static_cast<std::size_t>(t) * 3 * width_];
    const float* const h = from_state.data();
    for (int i = 0; i < width_; ++i) {
      const float reset = Sigmoid(x[i] + h[i]);
      const float update = Sigmoid(x[width_ + i] + h[width_ + i]);
      const float next = std::tanh(x[2 * width_ + i] + reset * h[2 * width_ + i]);
      state_[i] = (1.f - update) * next + update * state_[i];
    }
    std::copy(state_.begin(), state_.end(), output_.row(done_ + t).data());
  }
  done_ += count;
}

// A block of tokens for each thread; first all keys and values, then what the queries make of them.
void Race::AdvanceAttention() {
  const int blocks = std::min(threads_, (tokens_ - done_ + kBlock - 1) / kBlock);
  ParallelFor(threads_, blocks, [&](std::size_t b) {
    const int first = done_ + static_cast<int>(b) * kBlock;
    const int count = std::min(kBlock, tokens_ - first);
    const std::size_t at = static_cast<std::size_t>(first) * width_;
    Workspace& workspace = workspaces_[b];
    LinearInput input(input_.row(first).data(), count, width_, workspace.quantized);
    if (!remembered_) {
      weights_[1].View().Forward(input, &memory_.keys[at], width_);
      weights_[2].View().Forward(input, &memory_.values[at], width_);
    } else {
      attention_->Attend(input, count, memory_, {index_, {}, {}}, nullptr, workspace,
                         MatrixView(output_.row(first).data(), count, width_));
    }
  });
  done_ = std::min(tokens_, done_ + blocks * kBlock);
  if (done_ == tokens_ && !remembered_) {
    remembered_ = true;
    done_ = 0;
  }
}

}  // namespace translucent
