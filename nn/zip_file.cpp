#include "nn/zip_file.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "tensor/error.h"
#include "tensor/write_file.h"

namespace limber {
namespace {

constexpr uint32_t kLocal = 0x04034b50, kCentral = 0x02014b50, kEnd = 0x06054b50,
                   kEnd64 = 0x06064b50, kLocator64 = 0x07064b50;
constexpr uint64_t kBig16 = 0xFFFF, kBig32 = 0xFFFFFFFF;

// Little-endian numbers out of the file, checked against its end.
class Reader {
 public:
  Reader(std::span<const std::byte> file, const std::string& name) : file_(file), name_(name) {}

  uint64_t number(uint64_t offset, size_t bytes) const {
    need(offset, bytes);
    uint64_t v = 0;
    for (size_t i = 0; i < bytes; ++i) v |= uint64_t(file_[offset + i]) << (8 * i);
    return v;
  }
  void need(uint64_t offset, uint64_t bytes) const {
    check_input(offset <= file_.size() && bytes <= file_.size() - offset, name_,
                ": zip archive is cut off: ", bytes, " bytes wanted at offset ", offset, " of ",
                file_.size());
  }
  std::string text(uint64_t offset, uint64_t bytes) const {
    need(offset, bytes);
    return std::string(reinterpret_cast<const char*>(file_.data() + offset), size_t(bytes));
  }
  uint64_t size() const { return file_.size(); }

 private:
  std::span<const std::byte> file_;
  const std::string& name_;
};

struct Directory {
  uint64_t offset = 0, entries = 0;
};

Directory find_directory(const Reader& r, const std::string& name) {
  check_input(r.size() >= 22, name, ": no zip archive");
  const uint64_t stop = r.size() > 22 + kBig16 ? r.size() - 22 - kBig16 : 0;
  uint64_t end = r.size() - 22;
  while (r.number(end, 4) != kEnd) {
    check_input(end > stop, name, ": zip archive is cut off: its end record is missing");
    --end;
  }
  Directory out{r.number(end + 16, 4), r.number(end + 10, 2)};
  if (out.offset != kBig32 && out.entries != kBig16) return out;
  if (end < 20 || r.number(end - 20, 4) != kLocator64) return out;
  const uint64_t end64 = r.number(end - 20 + 8, 8);
  check_input(r.number(end64, 4) == kEnd64, name, ": zip64 end record is damaged");
  return {r.number(end64 + 48, 8), r.number(end64 + 32, 8)};
}

// Takes the 64-bit values of those fields that are all ones, in the order that zip64 has them.
void read_zip64(const Reader& r, uint64_t extra, uint64_t length, std::array<uint64_t*, 3> fields) {
  for (uint64_t at = extra; at + 4 <= extra + length;) {
    const uint64_t id = r.number(at, 2), size = r.number(at + 2, 2);
    uint64_t value = at + 4;
    at = value + size;
    if (id != 1) continue;
    for (uint64_t* field : fields) {
      if (*field != kBig32 || value + 8 > at) continue;
      *field = r.number(value, 8);
      value += 8;
    }
  }
}

class Bytes {
 public:
  Bytes& put(uint64_t v, size_t bytes) {
    for (size_t i = 0; i < bytes; ++i) data_.push_back(std::byte(v >> (8 * i)));
    return *this;
  }
  Bytes& text(const std::string& s) {
    for (const char c : s) data_.push_back(std::byte(c));
    return *this;
  }
  std::span<const std::byte> span() const { return data_; }

 private:
  std::vector<std::byte> data_;
};

}  // namespace

bool is_zip(std::span<const std::byte> file) {
  return file.size() >= 4 && std::memcmp(file.data(), "PK\x03\x04", 4) == 0;
}

std::vector<ZipEntry> read_zip(std::span<const std::byte> file, const std::string& name) {
  const Reader r(file, name);
  const Directory directory = find_directory(r, name);
  std::vector<ZipEntry> out;
  uint64_t at = directory.offset;
  for (uint64_t i = 0; i < directory.entries; ++i) {
    check_input(r.number(at, 4) == kCentral, name, ": zip directory is damaged at offset ", at);
    const uint64_t flags = r.number(at + 8, 2), method = r.number(at + 10, 2);
    const uint64_t name_length = r.number(at + 28, 2), extra_length = r.number(at + 30, 2);
    uint64_t packed = r.number(at + 20, 4), size = r.number(at + 24, 4),
             local = r.number(at + 42, 4);
    ZipEntry entry;
    entry.name = r.text(at + 46, name_length);
    read_zip64(r, at + 46 + name_length, extra_length, {&size, &packed, &local});
    check_input(method == 0 && packed == size && (flags & 1) == 0, name, ": entry ", entry.name,
                " is compressed or encrypted");
    check_input(r.number(local, 4) == kLocal, name, ": entry ", entry.name, " is damaged");
    entry.offset = local + 30 + r.number(local + 26, 2) + r.number(local + 28, 2);
    entry.size = size;
    r.need(entry.offset, entry.size);
    out.push_back(std::move(entry));
    at += 46 + name_length + extra_length + r.number(at + 32, 2);
  }
  return out;
}

uint32_t crc32(std::span<const std::byte> bytes) {
  // Eight tables, eight bytes a step (Kounavis and Berry 2005, "slicing by 8").
  static const auto tables = [] {
    std::array<std::array<uint32_t, 256>, 8> t{};
    for (uint32_t i = 0; i < 256; ++i) {
      uint32_t c = i;
      for (int bit = 0; bit < 8; ++bit) c = c & 1 ? 0xEDB88320 ^ (c >> 1) : c >> 1;
      t[0][i] = c;
    }
    for (size_t k = 1; k < 8; ++k)
      for (size_t i = 0; i < 256; ++i) t[k][i] = t[0][t[k - 1][i] & 0xFF] ^ (t[k - 1][i] >> 8);
    return t;
  }();
  uint32_t crc = 0xFFFFFFFF;
  size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    uint32_t low, high;
    std::memcpy(&low, bytes.data() + i, 4);
    std::memcpy(&high, bytes.data() + i + 4, 4);
    low ^= crc;
    crc = 0;
    for (size_t b = 0; b < 4; ++b) {
      crc ^= tables[7 - b][(low >> (8 * b)) & 0xFF];
      crc ^= tables[3 - b][(high >> (8 * b)) & 0xFF];
    }
  }
  for (; i < bytes.size(); ++i) crc = tables[0][(crc ^ uint32_t(bytes[i])) & 0xFF] ^ (crc >> 8);
  return ~crc;
}

void ZipWriter::add(const std::string& name, std::span<const std::byte> data) {
  const uint64_t offset = file_.size(), size = data.size();
  const bool big = size >= kBig32;
  const uint32_t crc = crc32(data);
  // An extra field of the id "FB", as PyTorch has it, pads the data to a multiple of 64.
  const uint64_t before = offset + 30 + name.size() + (big ? 20 : 0) + 4;
  const uint64_t padding = (64 - before % 64) % 64;
  Bytes header;
  header.put(kLocal, 4).put(big ? 45 : 20, 2).put(0, 2).put(0, 2).put(0, 2).put(0x21, 2);
  header.put(crc, 4).put(big ? kBig32 : size, 4).put(big ? kBig32 : size, 4);
  header.put(name.size(), 2).put((big ? 20 : 0) + 4 + padding, 2).text(name);
  if (big) header.put(1, 2).put(16, 2).put(size, 8).put(size, 8);
  header.put(0x4246, 2).put(padding, 2).text(std::string(padding, '\0'));
  file_.write(header.span());
  file_.write(data);
  entries_.push_back({name, offset, size, crc});
}

void ZipWriter::finish() {
  const uint64_t start = file_.size();
  for (const Written& e : entries_) {
    const bool big = e.size >= kBig32 || e.offset >= kBig32;
    Bytes record;
    record.put(kCentral, 4).put(big ? 45 : 20, 2).put(big ? 45 : 20, 2).put(0, 2).put(0, 2);
    record.put(0, 2).put(0x21, 2).put(e.crc, 4);
    record.put(big ? kBig32 : e.size, 4).put(big ? kBig32 : e.size, 4);
    record.put(e.name.size(), 2).put(big ? 28 : 0, 2).put(0, 2).put(0, 2).put(0, 2).put(0, 4);
    record.put(big ? kBig32 : e.offset, 4).text(e.name);
    if (big) record.put(1, 2).put(24, 2).put(e.size, 8).put(e.size, 8).put(e.offset, 8);
    file_.write(record.span());
  }
  const uint64_t end = file_.size(), n = entries_.size();
  const bool big = end >= kBig32 || n >= kBig16;
  Bytes tail;
  if (big) {
    tail.put(kEnd64, 4).put(44, 8).put(45, 2).put(45, 2).put(0, 4).put(0, 4);
    tail.put(n, 8).put(n, 8).put(end - start, 8).put(start, 8);
    tail.put(kLocator64, 4).put(0, 4).put(end, 8).put(1, 4);
  }
  tail.put(kEnd, 4).put(0, 2).put(0, 2).put(std::min(n, kBig16), 2).put(std::min(n, kBig16), 2);
  tail.put(std::min(end - start, kBig32), 4).put(big ? kBig32 : start, 4).put(0, 2);
  file_.write(tail.span());
}

}  // namespace limber
