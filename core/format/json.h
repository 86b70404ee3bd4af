// JSON text as a value tree, for the files of a model directory: strict and bounded.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace translucent {

/// One JSON value. Whole numbers within int64 are kept exactly; all other numbers are doubles.
struct Json {
  using Array = std::vector<Json>;
  using Object = std::vector<std::pair<std::string, Json>>;  // in the order of the text
  std::variant<std::nullptr_t, bool, std::int64_t, double, std::string, Array, Object> value;

  /// The value as one of the types above, or nullptr when it is another.
  template <typename T>
  const T* As() const {
    return std::get_if<T>(&value);
  }
  bool IsNull() const { return As<std::nullptr_t>() != nullptr; }
};

/// The member of that name, or nullptr.
const Json* Find(const Json::Object& object, std::string_view name);

/// Parses a text that must hold one JSON object and nothing else. Refuses duplicate names (most
/// parsers keep one of them silently) and nesting deeper than a model's files need. Throws Error
/// with `what`.
Json::Object ParseJsonObject(std::string_view text, std::string_view what);

/// A name from a file, quoted for an error message: one line, printable, not too long.
std::string Quoted(std::string_view name);

/// A value for an error message: `"text"`, `12`, `[...]`, ...
std::string Describe(const Json& value);

}  // namespace translucent
