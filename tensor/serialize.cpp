#include "tensor/serialize.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>

#include "tensor/write_file.h"

namespace limber {
namespace {

using Json = nlohmann::ordered_json;
static_assert(std::endian::native == std::endian::little, "safetensors are little endian");

constexpr size_t kLengthBytes = 8;
constexpr size_t kLongestHeader = 100'000'000;  // what the reference implementation accepts
constexpr const char* kTypeNames[] = {"F32", "F64", "F16", "BF16", "I64", "I32", "U8", "BOOL"};

DType type_named(const std::string& name, const std::string& where) {
  for (size_t i = 0; i < std::size(kTypeNames); ++i)
    if (name == kTypeNames[i]) return DType(i);
  fail_input(where, ": elements of type ", name, " are not supported (F32, F64, F16, BF16, I64, ",
             "I32, U8, BOOL are)");
}

size_t size_at(const Json& list, size_t index, const std::string& where) {
  const Json& v = list[index];
  check_input(v.is_number_unsigned() && v.get<uint64_t>() <= uint64_t(INT64_MAX), where,
              ": a whole number expected, not ", v.dump());
  return v.get<uint64_t>();
}

Shape read_shape(const Json& list, DType dtype, const std::string& where) {
  check_input(list.is_array(), where, ": shape must be a list");
  check_input(list.size() <= size_t(Shape::kMaxRank), where, ": ", list.size(),
              " dimensions, at most ", Shape::kMaxRank, " are supported");
  std::vector<int64_t> dims;
  int64_t bytes = int64_t(size_of(dtype));
  for (size_t i = 0; i < list.size(); ++i) {
    dims.push_back(int64_t(size_at(list, i, where)));
    check_input(!__builtin_mul_overflow(bytes, dims.back(), &bytes), where, ": shape ", list.dump(),
                " is larger than memory");
  }
  return Shape(std::span<const int64_t>(dims));
}

// Parses the header, refusing keys that come twice: readers differ in which of them counts.
Json parse_unique(std::string_view text, const std::string& path) {
  std::vector<std::set<std::string>> keys;
  const auto watch = [&](int, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key) {
      const auto key = parsed.get<std::string>();
      check_input(keys.back().insert(key).second, path, ": header: ", key, " comes twice");
    }
    return true;
  };
  try {
    return Json::parse(text, watch);
  } catch (const Json::exception& error) {
    fail_input(path, ": header is not JSON: ", error.what());
  }
}

}  // namespace

SafetensorsFile::SafetensorsFile(const std::string& path)
    : path_(path), file_(path), data_(file_.bytes().data()), bytes_(file_.bytes().size()) {
  check_input(bytes_ > kLengthBytes, path_, ": ", bytes_, " bytes are no safetensors file");
  parse_header();
  check_ranges();
}

void SafetensorsFile::parse_header() {
  uint64_t length = 0;
  std::memcpy(&length, data_, kLengthBytes);
  check_input(length <= kLongestHeader && length <= bytes_ - kLengthBytes, path_,
              ": not a safetensors file, or cut off: a header of ", length, " bytes in a file of ",
              bytes_);
  const auto* text = reinterpret_cast<const char*>(data_ + kLengthBytes);
  const Json header = parse_unique({text, length}, path_);
  check_input(header.is_object(), path_, ": header is not a JSON object");
  for (const auto& [name, entry] : header.items()) {
    const std::string where = path_ + ": " + name;
    check_input(entry.is_object(), where, ": a JSON object expected");
    if (name == "__metadata__") {
      for (const auto& [key, value] : entry.items()) {
        check_input(value.is_string(), where, ".", key, ": a string expected");
        metadata_[key] = value.get<std::string>();
      }
      continue;
    }
    const Json dtype = entry.value("dtype", Json()), range = entry.value("data_offsets", Json());
    check_input(dtype.is_string(), where, ": dtype must be a string");
    check_input(range.is_array() && range.size() == 2, where, ": data_offsets must be two numbers");
    Entry e;
    e.name = name;
    e.dtype = type_named(dtype.get<std::string>(), where);
    e.shape = read_shape(entry.value("shape", Json()), e.dtype, where);
    const size_t begin = size_at(range, 0, where), end = size_at(range, 1, where);
    const size_t base = kLengthBytes + length, needed = size_t(e.shape.numel()) * size_of(e.dtype);
    check_input(begin <= end && end <= bytes_ - base, where, ": bytes ", begin, " to ", end,
                " lie outside the ", bytes_ - base, " bytes of data");
    check_input(end - begin == needed, where, ": ", end - begin, " bytes at offset ", begin,
                " for ", e.dtype, " ", e.shape, ", which needs ", needed);
    e.offset = base + begin;
    entries_.push_back(std::move(e));
  }
  // Empty tensors first where several begin at one place.
  std::ranges::stable_sort(entries_, [](const Entry& a, const Entry& b) {
    return a.offset != b.offset ? a.offset < b.offset : a.shape.numel() < b.shape.numel();
  });
}

// The tensors must cover the data without overlap and without gaps.
void SafetensorsFile::check_ranges() const {
  uint64_t length = 0;
  std::memcpy(&length, data_, kLengthBytes);
  size_t at = kLengthBytes + length;
  for (const Entry& e : entries_) {
    check_input(e.offset >= at, path_, ": ", e.name, ": overlaps another tensor at offset ",
                e.offset - kLengthBytes - length);
    check_input(e.offset == at, path_, ": ", e.name, ": ", e.offset - at,
                " unused bytes before offset ", e.offset - kLengthBytes - length);
    at += size_t(e.shape.numel()) * size_of(e.dtype);
  }
  check_input(at == bytes_, path_, ": ", bytes_ - at, " unused bytes at the end");
}

bool SafetensorsFile::contains(std::string_view name) const {
  return std::ranges::find(entries_, name, &Entry::name) != entries_.end();
}

Tensor SafetensorsFile::read(std::string_view name) const {
  const auto found = std::ranges::find(entries_, name, &Entry::name);
  check_input(found != entries_.end(), path_, ": holds no tensor ", name);
  return read(*found);
}

Tensor SafetensorsFile::read(const Entry& e) const {
  const Tensor t = Tensor::empty(e.shape, e.dtype);
  std::memcpy(t.raw(), data_ + e.offset, t.bytes());
  return t;
}

void write_safetensors(const std::string& path, const std::vector<NamedTensor>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  // Wide elements first, so that every tensor is aligned to its elements.
  std::vector<const NamedTensor*> order;
  for (const NamedTensor& t : tensors) order.push_back(&t);
  std::ranges::stable_sort(order, [](const NamedTensor* a, const NamedTensor* b) {
    return size_of(a->value.dtype()) > size_of(b->value.dtype());
  });
  Json header = Json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::set<std::string> names;
  size_t at = 0;
  for (const NamedTensor* t : order) {
    check(t->name != "__metadata__" && names.insert(t->name).second, path,
          ": two tensors are named ", t->name);
    const auto dims = t->value.shape().dims();
    header[t->name] = {{"dtype", kTypeNames[int(t->value.dtype())]},
                       {"shape", std::vector<int64_t>(dims.begin(), dims.end())},
                       {"data_offsets", {at, at + t->value.bytes()}}};
    at += t->value.bytes();
  }
  std::string text = header.dump(-1, ' ', false, Json::error_handler_t::replace);
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const uint64_t length = text.size();
  check(length <= kLongestHeader, path, ": a header of ", length, " bytes is too long");
  write_file_atomically(path, [&](const FileSink& sink) {
    sink({reinterpret_cast<const char*>(&length), kLengthBytes});
    sink(text);
    for (const NamedTensor* t : order) {
      const Tensor value = t->value.to(Device{});
      sink({static_cast<const char*>(value.raw()), value.bytes()});
    }
  });
}

}  // namespace limber
