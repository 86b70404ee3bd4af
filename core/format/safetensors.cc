#include "format/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <utility>

#include "base/error.h"
#include "format/json.h"

namespace translucent {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors are read in place");

constexpr std::uint64_t kLengthBytes = 8;
constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;  // the reference implementation's limit

constexpr DType kDTypes[] = {DType::kF32, DType::kF16, DType::kBF16, DType::kI8};

DType ParseDType(const Json* field, const std::string& what) {
  const auto* name = field ? field->As<std::string>() : nullptr;
  if (name == nullptr) throw Error(what, "dtype is not a string");
  for (DType dtype : kDTypes) {
    if (*name == DTypeName(dtype)) return dtype;
  }
  throw Error(what, "dtype " + Quoted(*name) + " is not supported (F32, F16, BF16 and I8 are)");
}

// A list of whole numbers from 0 to 2^63-1.
std::vector<std::int64_t> ParseSizes(const Json* field, std::string_view name,
                                     const std::string& what) {
  const auto* list = field ? field->As<Json::Array>() : nullptr;
  if (list == nullptr) throw Error(what, std::string(name) + " is not a list");
  std::vector<std::int64_t> sizes;
  for (const Json& item : *list) {
    const auto* size = item.As<std::int64_t>();
    if (size == nullptr || *size < 0) {
      throw Error(what, std::string(name) + ": " + Describe(item) +
                            " is not a whole number from 0 to 2^63-1");
    }
    sizes.push_back(*size);
  }
  return sizes;
}

// Product of the sizes and the element size.
std::int64_t ByteCount(const std::vector<std::int64_t>& shape, DType dtype,
                       const std::string& what) {
  // A zero makes the tensor empty, however large the other sizes are.
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return 0;
  std::int64_t bytes = static_cast<std::int64_t>(DTypeSize(dtype));
  for (std::int64_t size : shape) {
    if (bytes > std::numeric_limits<std::int64_t>::max() / size) {
      throw Error(what, "shape " + ShapeName(shape) + " is too large");
    }
    bytes *= size;
  }
  return bytes;
}

TensorView ParseTensor(const Json& entry, std::span<const std::byte> data,
                       const std::string& what) {
  const auto* fields = entry.As<Json::Object>();
  if (fields == nullptr) throw Error(what, "its header entry is not an object");
  TensorView tensor;
  tensor.dtype = ParseDType(Find(*fields, "dtype"), what);
  tensor.shape = ParseSizes(Find(*fields, "shape"), "shape", what);
  const auto offsets = ParseSizes(Find(*fields, "data_offsets"), "data_offsets", what);
  if (offsets.size() != 2) throw Error(what, "data_offsets does not hold two numbers");
  const auto begin = static_cast<std::uint64_t>(offsets[0]);
  const auto end = static_cast<std::uint64_t>(offsets[1]);
  if (begin > end)
    throw Error(what, "data_offsets " + ShapeName(offsets) + " end before they begin");
  if (end > data.size()) {
    throw Error(what, "data_offsets " + ShapeName(offsets) + " go past the end of the data (" +
                          std::to_string(data.size()) + " bytes)");
  }
  const auto bytes = static_cast<std::uint64_t>(ByteCount(tensor.shape, tensor.dtype, what));
  if (end - begin != bytes) {
    throw Error(what, "data_offsets " + ShapeName(offsets) + " hold " +
                          std::to_string(end - begin) + " bytes, " +
                          std::string(DTypeName(tensor.dtype)) + " " + ShapeName(tensor.shape) +
                          " needs " + std::to_string(bytes));
  }
  tensor.bytes = data.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(bytes));
  return tensor;
}

// Every byte of the data belongs to exactly one tensor.
void CheckCoverage(const SafeTensors& file, std::span<const std::byte> data,
                   std::string_view name) {
  struct Range {
    std::size_t begin, end;
    std::string_view tensor;
    auto operator<=>(const Range&) const = default;
  };
  std::vector<Range> ranges;
  for (const auto& [tensor, view] : file.tensors) {
    const auto begin = static_cast<std::size_t>(view.bytes.data() - data.data());
    ranges.push_back({begin, begin + view.bytes.size(), tensor});
  }
  std::sort(ranges.begin(), ranges.end());
  std::size_t covered = 0;
  std::string_view previous;
  for (const Range& range : ranges) {
    if (range.begin < covered) {
      throw Error(std::string(name) + ": tensor " + Quoted(range.tensor),
                  "overlaps tensor " + Quoted(previous));
    }
    if (range.begin > covered) {
      throw Error(std::string(name) + ": tensor " + Quoted(range.tensor),
                  "the " + std::to_string(range.begin - covered) +
                      " data bytes before it belong to no tensor");
    }
    covered = range.end;
    previous = range.tensor;
  }
  if (covered != data.size()) {
    throw Error(name,
                "the last " + std::to_string(data.size() - covered) + " bytes belong to no tensor");
  }
}

float HalfToFloat(std::uint16_t half) {
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000) << 16;
  const std::uint32_t exponent = (half >> 10) & 0x1F;
  const std::uint32_t mantissa = half & 0x3FF;
  if (exponent == 0) {  // zero or subnormal: mantissa * 2^-24, exact in f32
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
    return sign ? -magnitude : magnitude;
  }
  const std::uint32_t wide = exponent == 0x1F ? 0xFF : exponent + (127 - 15);
  return std::bit_cast<float>(sign | wide << 23 | mantissa << 13);
}

float BFloat16ToFloat(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

}  // namespace

std::string_view DTypeName(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return "F32";
    case DType::kF16:
      return "F16";
    case DType::kBF16:
      return "BF16";
    case DType::kI8:
      return "I8";
  }
  return "?";
}

std::size_t DTypeSize(DType dtype) {
  return dtype == DType::kF32 ? 4 : dtype == DType::kI8 ? 1 : 2;
}

std::string ShapeName(const std::vector<std::int64_t>& shape) {
  std::string name = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i == 8) return name + ", ...]";  // no weight has more; a broken file may
    if (i > 0) name += ", ";
    name += std::to_string(shape[i]);
  }
  return name + "]";
}

SafeTensors ParseSafeTensors(std::span<const std::byte> bytes, std::string_view file) {
  if (bytes.size() < kLengthBytes) {
    throw Error(file, "truncated: " + std::to_string(bytes.size()) +
                          " bytes, the header length alone takes 8");
  }
  std::uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, bytes.data(), sizeof header_bytes);
  if (header_bytes > kMaxHeaderBytes) {
    throw Error(file, "header length " + std::to_string(header_bytes) + " is over the limit of " +
                          std::to_string(kMaxHeaderBytes) + " bytes");
  }
  if (header_bytes > bytes.size() - kLengthBytes) {
    throw Error(file, "truncated: a header of " + std::to_string(header_bytes) +
                          " bytes in a file of " + std::to_string(bytes.size()));
  }
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + kLengthBytes,
                              static_cast<std::size_t>(header_bytes));
  const auto data = bytes.subspan(static_cast<std::size_t>(kLengthBytes + header_bytes));
  const std::string header = std::string(file) + ": header";
  if (!text.starts_with('{')) throw Error(header, "does not start with '{'");

  SafeTensors result;
  for (const auto& [name, entry] : ParseJsonObject(text, header)) {
    if (name == "__metadata__") {
      const auto* metadata = entry.As<Json::Object>();
      if (metadata == nullptr) throw Error(header, "__metadata__ is not an object");
      for (const auto& [key, value] : *metadata) {
        const auto* string = value.As<std::string>();
        if (string == nullptr) {
          throw Error(header, "__metadata__: " + Quoted(key) + " is not a string");
        }
        result.metadata.emplace(key, *string);
      }
      continue;
    }
    const std::string what = std::string(file) + ": tensor " + Quoted(name);
    result.tensors.emplace(name, ParseTensor(entry, data, what));
  }
  CheckCoverage(result, data, file);
  return result;
}

std::vector<float> ToFloats(const TensorView& tensor) {
  if (tensor.dtype == DType::kI8) throw Error("ToFloats", "I8 values need their scales");
  std::vector<float> floats(tensor.bytes.size() / DTypeSize(tensor.dtype));
  if (floats.empty()) return floats;
  if (tensor.dtype == DType::kF32) {
    std::memcpy(floats.data(), tensor.bytes.data(), tensor.bytes.size());
    return floats;
  }
  for (std::size_t i = 0; i < floats.size(); ++i) {
    std::uint16_t bits;
    std::memcpy(&bits, tensor.bytes.data() + 2 * i, sizeof bits);
    floats[i] = tensor.dtype == DType::kF16 ? HalfToFloat(bits) : BFloat16ToFloat(bits);
  }
  return floats;
}

}  // namespace translucent
