// Attention maps as one self-contained SVG picture.
#pragma once

#include <string>

#include "translator.h"

namespace translucent::cli {

/// Heatmaps of every layer and head of encoder, decoder and cross-attention; the exact weight is in
/// each cell's tooltip. Throws Error where the sentence is too long for a picture.
std::string AttentionSvg(const Explanation& explanation);

}  // namespace translucent::cli
