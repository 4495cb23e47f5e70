#include "data/mat_file.h"

#include <zlib.h>

#include <cstring>
#include <optional>
#include <span>

#include "data/image.h"
#include "tensor/error.h"

namespace limber {
namespace {

using Bytes = std::span<const uint8_t>;

enum Type : uint32_t {
  kInt8 = 1,
  kUint8 = 2,
  kInt16 = 3,
  kUint16 = 4,
  kInt32 = 5,
  kUint32 = 6,
  kSingle = 7,
  kDouble = 9,
  kMatrix = 14,
  kCompressed = 15
};

struct Element {
  uint32_t type;
  Bytes data;
};

template <class T>
T load(Bytes at) {
  T value;
  std::memcpy(&value, at.data(), sizeof value);
  return value;
}

// Takes the first element off `rest`. Elements fill multiples of 8 bytes, compressed ones do not;
// up to 4 bytes of data may stand within the tag itself.
Element take(Bytes& rest, const std::string& path) {
  check_input(rest.size() >= 8, path, ": MATLAB file is cut short");
  const uint32_t first = load<uint32_t>(rest);
  if (first >> 16 != 0) {
    check_input(first >> 16 <= 4, path, ": damaged MATLAB file");
    const Element small{first & 0xFFFF, rest.subspan(4, first >> 16)};
    rest = rest.subspan(8);
    return small;
  }
  const size_t bytes = load<uint32_t>(rest.subspan(4));
  check_input(bytes <= rest.size() - 8, path, ": MATLAB file is cut short");
  const Element element{first, rest.subspan(8, bytes)};
  const size_t padded = first == kCompressed ? bytes : (bytes + 7) / 8 * 8;
  rest = rest.subspan(std::min(rest.size(), 8 + padded));
  return element;
}

std::vector<uint8_t> inflated(Bytes data, const std::string& path) {
  z_stream stream{};
  check(inflateInit(&stream) == Z_OK, "zlib: cannot start");
  stream.next_in = const_cast<Bytef*>(data.data());
  stream.avail_in = uInt(data.size());
  std::vector<uint8_t> out;
  int state = Z_OK;
  while (state == Z_OK && out.size() < (size_t(1) << 30)) {
    const size_t before = out.size();
    out.resize(before + (1 << 16));
    stream.next_out = out.data() + before;
    stream.avail_out = 1 << 16;
    state = inflate(&stream, Z_NO_FLUSH);
    out.resize(out.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  check_input(state == Z_STREAM_END, path, ": damaged MATLAB file: cannot decompress");
  return out;
}

template <class T>
void append(Bytes data, std::vector<double>& out) {
  for (size_t at = 0; at + sizeof(T) <= data.size(); at += sizeof(T))
    out.push_back(double(load<T>(data.subspan(at))));
}

std::vector<double> numbers(const Element& e, const std::string& path) {
  std::vector<double> out;
  switch (e.type) {
    case kInt8:
      append<int8_t>(e.data, out);
      break;
    case kUint8:
      append<uint8_t>(e.data, out);
      break;
    case kInt16:
      append<int16_t>(e.data, out);
      break;
    case kUint16:
      append<uint16_t>(e.data, out);
      break;
    case kInt32:
      append<int32_t>(e.data, out);
      break;
    case kUint32:
      append<uint32_t>(e.data, out);
      break;
    case kSingle:
      append<float>(e.data, out);
      break;
    case kDouble:
      append<double>(e.data, out);
      break;
    default:
      fail_input(path, ": MATLAB file holds numbers of unknown type ", e.type);
  }
  return out;
}

// The array of a matrix element when it has this name and holds numbers.
std::optional<MatArray> named_array(Bytes body, const std::string& name, const std::string& path) {
  const Element flags = take(body, path), dims = take(body, path), label = take(body, path);
  if (std::string(label.data.begin(), label.data.end()) != name || flags.data.empty())
    return std::nullopt;
  const int array_class = flags.data[0];
  check_input(array_class >= 6 && array_class <= 15, path, ": \"", name,
              "\" is not an array of numbers");
  MatArray out;
  int64_t count = 1;
  for (double d : numbers(dims, path)) {
    out.dims.push_back(int64_t(d));
    check_input(d >= 0 && count <= (int64_t(1) << 32), path, ": \"", name, "\" has absurd extents");
    count *= int64_t(d);
  }
  out.values = numbers(take(body, path), path);
  check_input(int64_t(out.values.size()) == count, path, ": \"", name, "\" has ", out.values.size(),
              " numbers for ", count);
  return out;
}

}  // namespace

MatArray read_mat_array(const std::string& path, const std::string& name) {
  const std::vector<uint8_t> bytes = read_bytes(path);
  check_input(bytes.size() >= 128 && bytes[126] == 'I' && bytes[127] == 'M', path,
              ": not a MATLAB level 5 file");
  Bytes rest = Bytes(bytes).subspan(128);
  while (rest.size() >= 8) {
    Element element = take(rest, path);
    std::vector<uint8_t> unpacked;
    if (element.type == kCompressed) {
      unpacked = inflated(element.data, path);
      Bytes inner = unpacked;
      element = take(inner, path);
    }
    if (element.type != kMatrix) continue;
    if (auto found = named_array(element.data, name, path)) return *found;
  }
  fail_input(path, ": no array \"", name, "\"");
}

}  // namespace limber
