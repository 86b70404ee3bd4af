// Safetensors files built in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "format/checkpoint.h"

namespace translucent::test {

inline FileBytes Bytes(std::string_view text) {
  const auto* begin = reinterpret_cast<const std::byte*>(text.data());
  return {begin, begin + text.size()};
}

struct Tensor {
  std::string dtype;
  std::vector<std::int64_t> shape;
  std::vector<std::byte> bytes;
};

inline Tensor FloatTensor(std::vector<std::int64_t> shape, const std::vector<float>& values) {
  Tensor tensor{"F32", std::move(shape), std::vector<std::byte>(values.size() * 4)};
  std::memcpy(tensor.bytes.data(), values.data(), tensor.bytes.size());
  return tensor;
}

/// The header's length (or `length` when given), the header, `data_bytes` zeros.
inline FileBytes SafeTensorsFile(std::string_view header, std::size_t data_bytes,
                                 const std::uint64_t* length = nullptr) {
  const std::uint64_t header_bytes = length ? *length : header.size();
  FileBytes file(8);
  std::memcpy(file.data(), &header_bytes, 8);
  const auto text = Bytes(header);
  file.insert(file.end(), text.begin(), text.end());
  file.resize(file.size() + data_bytes, std::byte{});
  return file;
}

/// All tensors, whose data begin `misalign` bytes behind a multiple of `alignment`.
inline FileBytes SafeTensorsFile(const std::map<std::string, Tensor>& tensors,
                                 std::size_t alignment, std::size_t misalign = 0) {
  std::string header = "{";
  std::size_t offset = 0;
  for (const auto& [name, tensor] : tensors) {
    const std::size_t end = offset + tensor.bytes.size();
    header += (header.size() > 1 ? ",\"" : "\"") + name + "\":{\"dtype\":\"" + tensor.dtype +
              "\",\"shape\":" + ShapeName(tensor.shape) + ",\"data_offsets\":[" +
              std::to_string(offset) + "," + std::to_string(end) + "]}";
    offset = end;
  }
  header += "}";
  while ((8 + header.size()) % alignment != misalign) header += ' ';
  FileBytes file = SafeTensorsFile(header, offset);
  std::byte* data = file.data() + 8 + header.size();
  for (const auto& [name, tensor] : tensors) {
    if (!tensor.bytes.empty()) std::memcpy(data, tensor.bytes.data(), tensor.bytes.size());
    data += tensor.bytes.size();
  }
  return file;
}

}  // namespace translucent::test
