#include "pose/engine/event_file.h"

#include <unistd.h>

#include <array>
#include <cstring>

#include "tensor/error.h"

namespace limber {
namespace {

std::array<uint32_t, 256> crc_table() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t c = i;
    for (int bit = 0; bit < 8; ++bit) c = (c >> 1) ^ ((c & 1) ? 0x82F63B78u : 0);
    table[i] = c;
  }
  return table;
}

// Protocol buffers: a key is (field << 3 | wire type), then the value.
enum Wire : uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

void put_varint(std::string& out, uint64_t v) {
  for (; v >= 0x80; v >>= 7) out.push_back(char(v | 0x80));
  out.push_back(char(v));
}

void put_key(std::string& out, int field, Wire wire) {
  put_varint(out, uint64_t(field) << 3 | wire);
}

template <class T>
void put_raw(std::string& out, T value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}

void put_bytes(std::string& out, int field, const std::string& value) {
  put_key(out, field, kBytes);
  put_varint(out, value.size());
  out += value;
}

// Event { double wall_time = 1; int64 step = 2; string file_version = 3; Summary summary = 5; }
std::string event_header(double wall_time, int64_t step) {
  std::string event;
  put_key(event, 1, kFixed64);
  put_raw(event, wall_time);
  put_key(event, 2, kVarint);
  put_varint(event, uint64_t(step));
  return event;
}

}  // namespace

uint32_t masked_crc32c(const std::string& bytes) {
  static const std::array<uint32_t, 256> table = crc_table();
  uint32_t crc = ~0u;
  for (unsigned char b : bytes) crc = table[(crc ^ b) & 0xff] ^ (crc >> 8);
  crc = ~crc;
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

EventFile::EventFile(const std::string& folder, int64_t seconds) {
  char host[256] = "localhost";
  gethostname(host, sizeof host - 1);
  const std::string path = folder + "/events.out.tfevents." + std::to_string(seconds) + "." + host;
  file_ = std::fopen(path.c_str(), "wb");
  check_input(file_ != nullptr, path, ": cannot create: ", std::strerror(errno));
  std::string event = event_header(double(seconds), 0);
  put_bytes(event, 3, "brain.Event:2");
  record(event);
  flush();
}

EventFile::~EventFile() { std::fclose(file_); }

void EventFile::scalar(const std::string& tag, double value, int64_t step, double wall_time) {
  // Summary { repeated Value value = 1; }  Value { string tag = 1; float simple_value = 2; }
  std::string entry;
  put_bytes(entry, 1, tag);
  put_key(entry, 2, kFixed32);
  put_raw(entry, float(value));
  std::string summary;
  put_bytes(summary, 1, entry);
  std::string event = event_header(wall_time, step);
  put_bytes(event, 5, summary);
  record(event);
}

void EventFile::record(const std::string& message) {
  std::string length;
  put_raw(length, uint64_t(message.size()));
  std::string framed = length;
  put_raw(framed, masked_crc32c(length));
  framed += message;
  put_raw(framed, masked_crc32c(message));
  std::fwrite(framed.data(), 1, framed.size(), file_);
}

void EventFile::flush() { std::fflush(file_); }

}  // namespace limber
