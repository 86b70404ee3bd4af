// JSON output: strings and numbers appended to a text.
#pragma once

#include <string>
#include <string_view>

namespace translucent::cli {

/// `"text"` with escapes. Bytes that are not UTF-8 become U+FFFD.
void AppendString(std::string_view text, std::string* json);

/// The shortest decimal number that reads back as the same float; null for what JSON cannot say.
void AppendNumber(float value, std::string* json);

}  // namespace translucent::cli
