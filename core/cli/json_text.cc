#include "cli/json_text.h"

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

namespace translucent::cli {

void AppendString(std::string_view text, std::string* json) {
  *json += nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void AppendNumber(float value, std::string* json) {
  if (!std::isfinite(value)) {
    *json += "null";
    return;
  }
  char digits[32];
  const auto result = std::to_chars(digits, digits + sizeof digits, value);
  json->append(digits, result.ptr);
}

}  // namespace translucent::cli
