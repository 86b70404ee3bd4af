#include "text/protobuf.h"

#include <bit>
#include <limits>

#include "base/error.h"

namespace translucent {

ProtobufReader::ProtobufReader(std::string_view message, std::string_view what, std::size_t offset)
    : message_(message), what_(what), base_(offset) {}

bool ProtobufReader::Next() {
  if (position_ == message_.size()) return false;
  const std::size_t key_begin = position_;
  const std::uint64_t key = ReadVarint();
  if (key >> 3 == 0 || key >> 3 > std::numeric_limits<std::uint32_t>::max()) {
    Fail(key_begin, "no protocol-buffer field");
  }
  field_ = static_cast<std::uint32_t>(key >> 3);
  wire_type_ = static_cast<WireType>(key & 7);
  value_begin_ = position_;

  std::size_t length = 0;
  switch (wire_type_) {
    case WireType::kVarint:
      number_ = ReadVarint();
      return true;
    case WireType::kFixed32:
      length = 4;
      break;
    case WireType::kFixed64:
      length = 8;
      break;
    case WireType::kBytes: {
      const std::uint64_t declared = ReadVarint();
      value_begin_ = position_;
      if (declared > message_.size() - position_) {
        Fail(key_begin, "field " + std::to_string(field_) + " says it has " +
                            std::to_string(declared) + " bytes, " +
                            std::to_string(message_.size() - position_) + " are left");
      }
      length = static_cast<std::size_t>(declared);
      break;
    }
    default:  // groups, long deprecated, or no wire type at all
      Fail(key_begin, "field " + std::to_string(field_) + " has wire type " +
                          std::to_string(key & 7) + ", which is not supported");
  }
  if (length > message_.size() - position_) Fail(key_begin, "truncated");
  bytes_ = message_.substr(position_, length);
  position_ += length;
  return true;
}

std::uint64_t ProtobufReader::Varint(std::string_view name) const {
  Require(WireType::kVarint, name);
  return number_;
}

std::string_view ProtobufReader::Bytes(std::string_view name) const {
  Require(WireType::kBytes, name);
  return bytes_;
}

float ProtobufReader::Float(std::string_view name) const {
  Require(WireType::kFixed32, name);
  std::uint32_t bits = 0;
  for (int i = 3; i >= 0; --i) bits = bits << 8 | static_cast<unsigned char>(bytes_[i]);
  return std::bit_cast<float>(bits);
}

std::int32_t ProtobufReader::Int(std::string_view name) const {
  // Negative values are written sign-extended to 64 bits.
  return static_cast<std::int32_t>(Varint(name));
}

void ProtobufReader::Fail(std::size_t position, std::string_view why) const {
  throw Error(what_, "byte " + std::to_string(base_ + position) + ": " + std::string(why));
}

void ProtobufReader::Require(WireType type, std::string_view name) const {
  if (wire_type_ == type) return;
  Fail(value_begin_, std::string(name) + " has wire type " +
                         std::to_string(static_cast<int>(wire_type_)) + ", not " +
                         std::to_string(static_cast<int>(type)));
}

std::uint64_t ProtobufReader::ReadVarint() {
  const std::size_t begin = position_;
  std::uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (position_ == message_.size()) Fail(begin, "truncated");
    const auto byte = static_cast<unsigned char>(message_[position_++]);
    value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
  Fail(begin, "a number of more than 10 bytes");
}

}  // namespace translucent
