#include "data/numpy_file.h"

#include <bit>
#include <cstring>

#include "data/json_reader.h"
#include "nn/pickle.h"

namespace limber {
namespace {

using Kind = PickleValue::Kind;

// The value of a key in the header, {'descr': '<f8', 'fortran_order': False, 'shape': (4, 17), }.
std::string header_value(const std::string& header, const char* key, const std::string& name) {
  const size_t at = header.find(str("'", key, "'"));
  const size_t colon = at == std::string::npos ? at : header.find(':', at);
  check_input(colon != std::string::npos, name, ": its header has no ", key);
  size_t begin = header.find_first_not_of(' ', colon + 1);
  check_input(begin != std::string::npos, name, ": its header ends behind ", key);
  const char first = header[begin];
  const size_t end = first == '\''  ? header.find('\'', begin + 1)
                     : first == '(' ? header.find(')', begin)
                                    : header.find_first_of(",}", begin);
  check_input(end != std::string::npos, name, ": its header is cut off");
  if (first == '\'' || first == '(') ++begin;
  return header.substr(begin, end - begin);
}

std::vector<int64_t> read_extents(const std::string& text, const std::string& name) {
  std::vector<int64_t> shape;
  int64_t total = 1;
  for (size_t i = 0; i < text.size();) {
    if (text[i] == ' ' || text[i] == ',') {
      ++i;
      continue;
    }
    int64_t extent = 0;
    const size_t begin = i;
    for (; i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i)
      check_input(!__builtin_mul_overflow(extent, 10, &extent) &&
                      !__builtin_add_overflow(extent, text[i] - '0', &extent),
                  name, ": extents (", text, ") are too large");
    check_input(i > begin && !__builtin_mul_overflow(total, std::max<int64_t>(extent, 1), &total),
                name, ": extents (", text, ")");
    shape.push_back(extent);
  }
  return shape;
}

size_t element_size(const std::string& type, const std::string& name) {
  if (type == "|O" || type == "O") return 0;
  check_input(type.size() >= 3 && type[0] != '>', name, ": type ", type,
              "; little-endian numbers and texts can be read");
  size_t size = 0;
  for (char c : type.substr(2)) {
    check_input(c >= '0' && c <= '9' && size < 100000, name, ": type ", type);
    size = size * 10 + size_t(c - '0');
  }
  return type[1] == 'U' ? 4 * size : size;
}

template <class T>
void widen(std::span<const std::byte> data, float* out, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    T v;
    std::memcpy(&v, data.data() + size_t(i) * sizeof(T), sizeof v);
    out[i] = float(v);
  }
}

}  // namespace

NumpyArray::NumpyArray(std::shared_ptr<const MappedFile> file, std::span<const std::byte> bytes,
                       std::string name)
    : file_(std::move(file)), name_(std::move(name)) {
  check_input(bytes.size() >= 10 && std::memcmp(bytes.data(), "\x93NUMPY", 6) == 0, name_,
              ": no NumPy array");
  const auto byte = [&](size_t i) { return size_t(std::to_integer<uint8_t>(bytes[i])); };
  const size_t major = byte(6), begin = major == 1 ? 10 : 12;
  check_input(major >= 1 && major <= 3 && bytes.size() >= begin, name_, ": NumPy format ", major);
  size_t length = byte(8) | byte(9) << 8;
  if (major > 1) length |= byte(10) << 16 | byte(11) << 24;
  check_input(length <= bytes.size() - begin, name_, ": its header is cut off");
  const std::string header(reinterpret_cast<const char*>(bytes.data()) + begin, length);
  data_ = bytes.subspan(begin + length);
  type_ = header_value(header, "descr", name_);
  column_major_ = header_value(header, "fortran_order", name_) == "True";
  shape_ = read_extents(header_value(header, "shape", name_), name_);
  const size_t size = element_size(type_, name_);
  check_input(size == 0 || uint64_t(numel()) <= data_.size() / size, name_, ": ", numel(),
              " elements of type ", type_, " in ", data_.size(), " bytes");
}

int64_t NumpyArray::numel() const {
  int64_t total = 1;
  for (int64_t extent : shape_) total *= extent;
  return total;
}

Tensor NumpyArray::numbers() const {
  check_input(!column_major_ || shape_.size() < 2, name_,
              ": stored by columns; save it in C order");
  check_input(shape_.size() <= size_t(Shape::kMaxRank), name_, ": ", shape_.size(), " dimensions");
  const Tensor out = Tensor::empty(Shape(std::span<const int64_t>(shape_)));
  float* to = out.data<float>();
  const int64_t n = numel();
  const std::string code = type_.substr(1);
  if (code == "f8") {
    widen<double>(data_, to, n);
  } else if (code == "f4") {
    widen<float>(data_, to, n);
  } else if (code == "i8") {
    widen<int64_t>(data_, to, n);
  } else if (code == "i4") {
    widen<int32_t>(data_, to, n);
  } else if (code == "u1" || code == "b1") {
    widen<uint8_t>(data_, to, n);
  } else {
    fail_input(name_, ": type ", type_, " where numbers are wanted");
  }
  return out;
}

std::vector<std::string> NumpyArray::texts() const {
  check_input(type_[1] == 'U' || type_[1] == 'S', name_, ": type ", type_,
              " where texts are wanted");
  const bool wide = type_[1] == 'U';
  const size_t size = element_size(type_, name_);
  std::vector<std::string> out{size_t(numel())};
  for (size_t i = 0; i < out.size(); ++i) {
    for (size_t at = i * size; at < (i + 1) * size; at += wide ? 4 : 1) {
      uint32_t c = 0;
      std::memcpy(&c, data_.data() + at, wide ? 4 : 1);
      if (c == 0) break;
      check_input(c < 0x110000, name_, ": a text with the character ", c);
      append_utf8(out[i], c);
    }
  }
  return out;
}

PickleValue NumpyArray::object() const {
  check_input(type_ == "|O" && numel() == 1, name_, ": type ", type_,
              " where one Python object is wanted");
  PickleSource source;
  source.bytes = data_;
  source.name = name_;
  PickleValue value = read_pickle(source).first;
  // The array of one element is pickled as a list of it.
  if (value.is(Kind::list) && value.size() == 1) return value.at(size_t(0));
  return value;
}

NumpyArray read_numpy_array(const std::string& path) {
  const auto file = std::make_shared<const MappedFile>(path);
  return {file, file->bytes(), path};
}

std::map<std::string, NumpyArray, std::less<>> read_numpy_archive(const std::string& path) {
  const auto file = std::make_shared<const MappedFile>(path);
  std::map<std::string, NumpyArray, std::less<>> arrays;
  for (const ZipEntry& entry : read_zip(file->bytes(), path)) {
    std::string name = entry.name;
    if (name.ends_with(".npy")) name.resize(name.size() - 4);
    arrays.emplace(name,
                   NumpyArray(file, file->bytes().subspan(size_t(entry.offset), size_t(entry.size)),
                              path + ": " + entry.name));
  }
  return arrays;
}

PickleValue read_pickle_file(const std::string& path) {
  const auto file = std::make_shared<const MappedFile>(path);
  PickleSource source;
  source.bytes = file->bytes();
  source.name = path;
  return read_pickle(source).first;
}

void NumpyArchiveWriter::add(const std::string& name, const std::string& type, const Shape& shape,
                             std::string_view data) {
  std::string extents;
  for (int d = 0; d < shape.rank(); ++d) extents += std::to_string(shape[d]) + ",";
  std::string header =
      "{'descr': '" + type + "', 'fortran_order': False, 'shape': (" + extents + "), }";
  // The data begin at a multiple of 64 bytes, behind a line break.
  header.resize((10 + header.size() + 1 + 63) / 64 * 64 - 10 - 1, ' ');
  header += '\n';
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += char(header.size() & 0xFF);
  bytes += char(header.size() >> 8);
  bytes += header;
  bytes += data;
  zip_.add(name + ".npy", std::as_bytes(std::span(bytes)));
}

void NumpyArchiveWriter::add(const std::string& name, const Tensor& numbers) {
  check(numbers.dtype() == DType::f32, "numpy: an array of type ", numbers.dtype());
  add(name, "<f4", numbers.shape(), {static_cast<const char*>(numbers.raw()), numbers.bytes()});
}

void NumpyArchiveWriter::add(const std::string& name, const std::vector<std::string>& texts) {
  size_t longest = 1;
  for (const std::string& text : texts) longest = std::max(longest, text.size());
  std::string data(texts.size() * longest * 4, '\0');  // UTF-32
  for (size_t i = 0; i < texts.size(); ++i)
    for (size_t c = 0; c < texts[i].size(); ++c) data[(i * longest + c) * 4] = texts[i][c];
  add(name, "<U" + std::to_string(longest), {int64_t(texts.size())}, data);
}

void NumpyArchiveWriter::finish() {
  zip_.finish();
  file_.commit();
}

namespace {

void append_number(std::string& out, char op, uint64_t bits, int bytes, bool big_endian) {
  out += op;
  for (int i = 0; i < bytes; ++i)
    out += char((bits >> (8 * (big_endian ? bytes - 1 - i : i))) & 0xFF);
}

void append_pickle(std::string& out, const PickleValue& v) {
  const auto all = [&](const char* begin, const char* end) {
    out += begin;
    for (size_t i = 0; i < v.size(); ++i) append_pickle(out, v.at(i));
    out += end;
  };
  if (v.is(Kind::dict)) {
    out += "}(";
    for (const auto& [key, value] : v.items()) {
      append_pickle(out, key);
      append_pickle(out, value);
    }
    out += 'u';
  } else if (v.is(Kind::list)) {
    all("](", "e");
  } else if (v.is(Kind::tuple)) {
    all("(", "t");
  } else if (v.is(Kind::string)) {
    append_number(out, 'X', v.text().size(), 4, false);
    out += v.text();
  } else if (v.is(Kind::integer)) {
    check(v.integer() == int32_t(v.integer()), "pickle: ", v.integer(), " is too large");
    append_number(out, 'J', uint32_t(v.integer()), 4, false);
  } else {
    check(v.is(Kind::real), "pickle: a ", name_of(v.kind()), " cannot be written here");
    append_number(out, 'G', std::bit_cast<uint64_t>(v.real()), 8, true);
  }
}

}  // namespace

void write_pickle_file(const std::string& path, const PickleValue& tree) {
  std::string bytes("\x80\x02", 2);
  append_pickle(bytes, tree);
  write_file_atomically(path, bytes + ".");
}

Tensor numbers_of(const PickleValue& value, const std::string& where) {
  if (value.is(Kind::tensor)) return value.tensor().to(DType::f32);
  if (value.is(Kind::list) || value.is(Kind::tuple)) {
    std::vector<float> numbers;
    for (size_t i = 0; i < value.size(); ++i) numbers.push_back(float(value.at(i).real()));
    return Tensor::from(numbers, {int64_t(numbers.size())});
  }
  check_input(value.is(Kind::integer) || value.is(Kind::real), where, ": ", name_of(value.kind()),
              " where numbers are wanted");
  return Tensor::full({}, value.real());
}

}  // namespace limber
