// The little of protobuf's wire format that writing an ONNX model takes.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace limber {

class ProtoMessage {
 public:
  ProtoMessage& number(int field, int64_t value) {
    key(field, 0);
    varint(uint64_t(value));
    return *this;
  }
  ProtoMessage& real(int field, float value) {
    key(field, 5);
    char bytes[4];
    std::memcpy(bytes, &value, 4);
    bytes_.append(bytes, 4);
    return *this;
  }
  ProtoMessage& bytes(int field, std::string_view value) {
    key(field, 2);
    varint(value.size());
    bytes_ += value;
    return *this;
  }
  ProtoMessage& message(int field, const ProtoMessage& value) { return bytes(field, value.bytes_); }
  const std::string& encoded() const { return bytes_; }

 private:
  void key(int field, int wire) { varint(uint64_t(field) << 3 | uint64_t(wire)); }
  void varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_ += char(value | 0x80);
    bytes_ += char(value);
  }
  std::string bytes_;
};

}  // namespace limber
