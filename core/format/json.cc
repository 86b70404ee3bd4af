#include "format/json.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace translucent {
namespace {

constexpr std::size_t kMaxDepth = 16;  // the deepest file, a safetensors header, needs 3

// Builds a Json tree from parser events. nlohmann's own tree would keep only the last of several
// members of one name.
class TreeBuilder {
 public:
  bool null() { return Add({nullptr}); }
  bool boolean(bool value) { return Add({value}); }
  bool number_integer(std::int64_t value) { return Add({value}); }
  bool number_unsigned(std::uint64_t value) {
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      return Add({static_cast<double>(value)});
    }
    return Add({static_cast<std::int64_t>(value)});
  }
  bool number_float(double value, const std::string&) { return Add({value}); }
  bool string(std::string& value) { return Add({std::move(value)}); }
  bool binary(std::vector<std::uint8_t>&) { return false; }  // not in JSON text
  bool key(std::string& value) {
    key_ = std::move(value);
    return true;
  }
  bool start_object(std::size_t) { return Open({Json::Object()}); }
  bool end_object() {
    const auto& members = *std::get_if<Json::Object>(&open_.back()->value);
    std::vector<std::string_view> names;
    names.reserve(members.size());
    for (const auto& [name, value] : members) names.push_back(name);
    std::sort(names.begin(), names.end());
    const auto twice = std::adjacent_find(names.begin(), names.end());
    if (twice != names.end()) return Fail("the name " + Quoted(*twice) + " is there twice");
    open_.pop_back();
    return true;
  }
  bool start_array(std::size_t) { return Open({Json::Array()}); }
  bool end_array() {
    open_.pop_back();
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) {
    return Fail("not valid JSON at byte " + std::to_string(position));
  }

  bool Fail(std::string why) {
    why_ = std::move(why);
    return false;
  }

  Json root_;
  std::string why_;

 private:
  bool Add(Json value) { return Place(std::move(value)) != nullptr; }

  bool Open(Json value) {
    if (open_.size() == kMaxDepth) {
      return Fail("nested deeper than " + std::to_string(kMaxDepth) + " levels");
    }
    open_.push_back(Place(std::move(value)));
    return true;
  }

  // The parents of open_.back() do not grow while it is open, so the pointers stay valid.
  Json* Place(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    if (auto* object = std::get_if<Json::Object>(&open_.back()->value)) {
      return &object->emplace_back(std::move(key_), std::move(value)).second;
    }
    return &std::get_if<Json::Array>(&open_.back()->value)->emplace_back(std::move(value));
  }

  std::vector<Json*> open_;
  std::string key_;
};

}  // namespace

const Json* Find(const Json::Object& object, std::string_view name) {
  for (const auto& [key, value] : object) {
    if (key == name) return &value;
  }
  return nullptr;
}

Json::Object ParseJsonObject(std::string_view text, std::string_view what) {
  // The parser takes a zero byte for the end of the text.
  const std::size_t zero = text.find('\0');
  if (zero != text.npos) {
    throw Error(what, "not valid JSON at byte " + std::to_string(zero + 1));
  }
  TreeBuilder builder;
  if (!nlohmann::json::sax_parse(text.begin(), text.end(), &builder)) {
    throw Error(what, builder.why_);
  }
  auto* object = std::get_if<Json::Object>(&builder.root_.value);
  if (object == nullptr) throw Error(what, "not a JSON object");
  return std::move(*object);
}

std::string Quoted(std::string_view name) {
  constexpr std::size_t kMaxLength = 100;
  std::string quoted = "'";
  const std::size_t length = std::min(name.size(), kMaxLength);
  for (std::size_t i = 0; i < length; ++i) {
    const unsigned char c = static_cast<unsigned char>(name[i]);
    if (c < 0x20 || c == 0x7F) {
      char escape[5];
      std::snprintf(escape, sizeof escape, "\\x%02x", static_cast<unsigned>(c));
      quoted += escape;
    } else {
      quoted += static_cast<char>(c);
    }
  }
  // A cut inside a character would leave broken UTF-8.
  if (length < name.size()) {
    while ((static_cast<unsigned char>(quoted.back()) & 0xC0) == 0x80) quoted.pop_back();
    if (static_cast<unsigned char>(quoted.back()) >= 0xC0) quoted.pop_back();
    quoted += "...";
  }
  return quoted + "'";
}

std::string Describe(const Json& value) {
  if (const auto* boolean = value.As<bool>()) return *boolean ? "true" : "false";
  if (const auto* integer = value.As<std::int64_t>()) return std::to_string(*integer);
  if (const auto* number = value.As<double>()) {
    char text[32];
    std::snprintf(text, sizeof text, "%.9g", *number);
    return text;
  }
  if (const auto* string = value.As<std::string>()) return Quoted(*string);
  if (value.As<Json::Array>()) return "a list";
  if (value.As<Json::Object>()) return "an object";
  return "null";
}

}  // namespace translucent
