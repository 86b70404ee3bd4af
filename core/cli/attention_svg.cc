#include "cli/attention_svg.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cli/json_text.h"
#include "text/utf8.h"

namespace translucent::cli {
namespace {

// Pixels.
constexpr int kCell = 14;
constexpr int kFont = 11;
constexpr int kGap = 18;      // between heatmaps, and around everything
constexpr int kHeading = 26;  // height of a line of text above heatmaps
constexpr int kLegendWidth = 160;

constexpr std::size_t kMaxCells = 400'000;  // about 40 MB of picture
constexpr std::size_t kMaxLabel = 14;       // characters

struct Colour {
  int red, green, blue;
};

// Viridis at 0, 0.1, ... 1.
constexpr std::array<Colour, 11> kViridis = {{{0x44, 0x01, 0x54},
                                              {0x48, 0x25, 0x76},
                                              {0x41, 0x44, 0x87},
                                              {0x35, 0x60, 0x8D},
                                              {0x2A, 0x78, 0x8E},
                                              {0x21, 0x90, 0x8D},
                                              {0x22, 0xA8, 0x84},
                                              {0x43, 0xBF, 0x71},
                                              {0x7A, 0xD1, 0x51},
                                              {0xBB, 0xDF, 0x27},
                                              {0xFD, 0xE7, 0x25}}};

std::string Viridis(float weight) {
  const float place = std::clamp(weight, 0.0f, 1.0f) * (kViridis.size() - 1);
  const std::size_t below = std::min(static_cast<std::size_t>(place), kViridis.size() - 2);
  const float part = place - static_cast<float>(below);
  const Colour& a = kViridis[below];
  const Colour& b = kViridis[below + 1];
  const auto mix = [part](int from, int to) {
    return from + static_cast<int>(std::lround(part * static_cast<float>(to - from)));
  };
  char text[8];
  std::snprintf(text, sizeof text, "#%02x%02x%02x", mix(a.red, b.red) & 0xFF,
                mix(a.green, b.green) & 0xFF, mix(a.blue, b.blue) & 0xFF);
  return text;
}

// Text for XML: markup escaped, characters XML does not allow replaced.
std::string Escaped(std::string_view text) {
  std::string escaped;
  while (!text.empty()) {
    const Utf8Character character = DecodeUtf8(text);
    const char32_t c = character.code_point;
    if (c == '&') {
      escaped += "&amp;";
    } else if (c == '<') {
      escaped += "&lt;";
    } else if (c == '>') {
      escaped += "&gt;";
    } else if ((c < 0x20 && c != '\t' && c != '\n') || c == 0xFFFE || c == 0xFFFF) {
      escaped += kReplacementCharacterUtf8;
    } else {
      AppendUtf8(c, &escaped);
    }
    text.remove_prefix(character.length);
  }
  return escaped;
}

struct Label {
  std::string text;  // escaped
  int width = 0;     // pixels, estimated
};

Label MakeLabel(const Token& token) {
  Label label;
  std::string_view rest = token.piece;
  std::string shown;
  float width = 0;
  for (std::size_t i = 0; !rest.empty(); ++i) {
    const Utf8Character character = DecodeUtf8(rest);
    if (i == kMaxLabel) {
      shown += "…";
      break;
    }
    shown += rest.substr(0, character.length);
    rest.remove_prefix(character.length);
    width += character.code_point >= 0x1100 ? 1.0f : 0.62f;  // in font sizes
  }
  label.text = Escaped(shown);
  label.width = static_cast<int>(std::ceil(width * kFont)) + 4;
  return label;
}

std::vector<Label> MakeLabels(const std::vector<Token>& tokens) {
  std::vector<Label> labels;
  for (const Token& token : tokens) labels.push_back(MakeLabel(token));
  return labels;
}

int Widest(const std::vector<Label>& labels) {
  int widest = 0;
  for (const Label& label : labels) widest = std::max(widest, label.width);
  return widest;
}

class Picture {
 public:
  // A line of text at the left edge.
  void Heading(std::string_view text, std::string_view style) {
    y_ += kHeading;
    AppendText(kGap, y_ - 8, text, style);
    width_ = std::max(width_, 2 * kGap + static_cast<int>(text.size()) * kFont * 3 / 4);
  }

  void Legend() {
    y_ += kHeading;
    for (int i = 0; i < kLegendWidth; i += 4) {
      Rectangle(kGap + i, y_ - 18, 4, 10, Viridis(static_cast<float>(i) / (kLegendWidth - 4)));
      body_ += "/>\n";
    }
    AppendText(kGap + kLegendWidth + 8, y_ - 9,
               "weight 0 to 1; rows: the token that asks, columns: the token it looks at; "
               "masked places are empty",
               "note");
    width_ = std::max(width_, 2 * kGap + kLegendWidth + 700);
  }

  // Layers downwards, heads to the right.
  void Section(std::string_view title, const AttentionMaps& maps, const std::vector<Label>& queries,
               const std::vector<Label>& keys) {
    y_ += kGap;
    Heading(title, "title");
    const int left = Widest(queries);
    const int top = Widest(keys);
    const int map_width = left + maps.keys * kCell;
    const int map_height = kHeading + top + maps.queries * kCell;
    const float* weights = maps.weights.data();
    for (int layer = 0; layer < maps.layers; ++layer) {
      for (int head = 0; head < maps.heads; ++head) {
        const int x = kGap + head * (map_width + kGap);
        const std::string name =
            "layer " + std::to_string(layer + 1) + ", head " + std::to_string(head + 1);
        AppendText(x + left, y_ + kHeading - 10, name, "note");
        Map(x + left, y_ + kHeading + top, weights, queries, keys);
        weights += static_cast<std::size_t>(maps.queries) * maps.keys;
      }
      y_ += map_height + kGap;
    }
    width_ = std::max(width_, kGap + maps.heads * (map_width + kGap));
  }

  std::string Finish(std::string_view title) const {
    const std::string size =
        std::to_string(width_) + "\" height=\"" + std::to_string(y_ + kGap) + "\"";
    return "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + size + " viewBox=\"0 0 " +
           std::to_string(width_) + " " + std::to_string(y_ + kGap) + "\" role=\"img\">\n<title>" +
           Escaped(title) +
           "</title>\n<style>\n"
           "text { font: " +
           std::to_string(kFont) +
           "px system-ui, sans-serif; fill: #1b1b1b; }\n"
           ".title { font-size: 15px; font-weight: 600; }\n"
           ".note { fill: #555; }\n"
           ".query { text-anchor: end; }\n"
           ".ground { fill: #fff; }\n"
           ".frame { fill: none; stroke: #bbb; }\n"
           "@media (prefers-color-scheme: dark) {\n"
           "  text { fill: #eee; }\n"
           "  .note { fill: #aaa; }\n"
           "  .ground { fill: #16181c; }\n"
           "  .frame { stroke: #555; }\n"
           "}\n</style>\n<rect class=\"ground\" width=\"100%\" height=\"100%\"/>\n" +
           body_ + "</svg>\n";
  }

 private:
  void Map(int x, int y, const float* weights, const std::vector<Label>& queries,
           const std::vector<Label>& keys) {
    const int rows = static_cast<int>(queries.size());
    const int columns = static_cast<int>(keys.size());
    for (int q = 0; q < rows; ++q) {
      AppendText(x - 4, y + q * kCell + kCell - 3, queries[q].text, "query", true);
    }
    for (int k = 0; k < columns; ++k) {
      const std::string at =
          std::to_string(x + k * kCell + kCell - 3) + " " + std::to_string(y - 4);
      body_ +=
          "<text transform=\"translate(" + at + ") rotate(-90)\">" + keys[k].text + "</text>\n";
    }
    for (int q = 0; q < rows; ++q) {
      for (int k = 0; k < columns; ++k) {
        const float weight = weights[static_cast<std::size_t>(q) * columns + k];
        if (weight == 0) continue;
        Rectangle(x + k * kCell, y + q * kCell, kCell, kCell, Viridis(weight));
        body_ += "><title>" + queries[q].text + " → " + keys[k].text + ": ";
        AppendNumber(weight, &body_);
        body_ += "</title></rect>\n";
      }
    }
    body_ += "<rect class=\"frame\" x=\"" + std::to_string(x) + "\" y=\"" + std::to_string(y) +
             "\" width=\"" + std::to_string(columns * kCell) + "\" height=\"" +
             std::to_string(rows * kCell) + "\"/>\n";
  }

  // Without its end, so that it can hold a title.
  void Rectangle(int x, int y, int width, int height, const std::string& fill) {
    body_ += "<rect x=\"" + std::to_string(x) + "\" y=\"" + std::to_string(y) + "\" width=\"" +
             std::to_string(width) + "\" height=\"" + std::to_string(height) + "\" fill=\"" + fill +
             "\"";
  }

  void AppendText(int x, int y, std::string_view text, std::string_view style,
                  bool escaped = false) {
    body_ += "<text class=\"" + std::string(style) + "\" x=\"" + std::to_string(x) + "\" y=\"" +
             std::to_string(y) + "\">" + (escaped ? std::string(text) : Escaped(text)) +
             "</text>\n";
  }

  std::string body_;
  int y_ = kGap;
  int width_ = 0;
};

}  // namespace

std::string AttentionSvg(const Explanation& explanation) {
  const std::size_t cells = explanation.encoder.weights.size() +
                            explanation.decoder.weights.size() + explanation.cross.weights.size();
  if (cells > kMaxCells) {
    throw Error("svg", std::to_string(cells) + " attention weights are more than the " +
                           std::to_string(kMaxCells) + " of one picture, json holds any number");
  }
  const std::vector<Label> source = MakeLabels(explanation.source);
  const std::vector<Label> target = MakeLabels(explanation.target);
  // Step t of the decoder reads the token before the one it predicts, at first the start symbol.
  std::vector<Token> inputs = explanation.target;
  std::rotate(inputs.begin(), inputs.end() - (inputs.empty() ? 0 : 1), inputs.end());
  if (!inputs.empty()) inputs.front().piece = "<start>";
  const std::vector<Label> read = MakeLabels(inputs);

  Picture picture;
  picture.Heading(explanation.source_text, "title");
  picture.Heading(explanation.target_text, "title");
  picture.Legend();
  picture.Section("Encoder: source attends to source", explanation.encoder, source, source);
  picture.Section("Decoder: target attends to what is written so far", explanation.decoder, target,
                  read);
  picture.Section("Cross-attention: target attends to source", explanation.cross, target, source);
  return picture.Finish("Attention: " + explanation.source_text + " → " + explanation.target_text);
}

}  // namespace translucent::cli
