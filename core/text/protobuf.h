// Reads one message of the protocol-buffer wire format, every length checked.
// Format: https://protobuf.dev/programming-guides/encoding/
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace translucent {

/// Steps through the fields of one message. Unknown fields are passed over by not asking for their
/// value. Throws Error on bytes that are no message, and where a field has another wire type than
/// the caller asks for. Does not own the bytes.
class ProtobufReader {
 public:
  /// `what` names the message in errors ("source.spm: piece 17"); `offset` is where in the file the
  /// message begins.
  ProtobufReader(std::string_view message, std::string_view what, std::size_t offset = 0);

  /// Reads the next field, key and value; false at the end of the message.
  bool Next();

  /// Number of the field that Next() read.
  std::uint32_t field() const { return field_; }
  /// Where in the file its value begins; after a call to Bytes(), where those bytes do.
  std::size_t offset() const { return base_ + value_begin_; }

  // The value of the field. `name` is the field's name in errors.
  std::uint64_t Varint(std::string_view name) const;
  std::string_view Bytes(std::string_view name) const;
  float Float(std::string_view name) const;
  bool Bool(std::string_view name) const { return Varint(name) != 0; }
  /// An int32 or an enum.
  std::int32_t Int(std::string_view name) const;

 private:
  enum class WireType { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

  [[noreturn]] void Fail(std::size_t position, std::string_view why) const;
  void Require(WireType type, std::string_view name) const;
  std::uint64_t ReadVarint();

  std::string_view message_;
  std::string what_;
  std::size_t base_;
  std::size_t position_ = 0;

  std::uint32_t field_ = 0;
  WireType wire_type_ = WireType::kVarint;
  std::uint64_t number_ = 0;
  std::string_view bytes_;
  std::size_t value_begin_ = 0;
};

}  // namespace translucent
