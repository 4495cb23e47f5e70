#include "nn/pth_writer.h"

#include <bit>
#include <cstring>
#include <unordered_map>

#include "nn/zip_file.h"
#include "tensor/write_file.h"

namespace limber {
namespace {

using Kind = PickleValue::Kind;

constexpr int kMaxDepth = 200;

const char* storage_name(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return "FloatStorage";
    case DType::f64:
      return "DoubleStorage";
    case DType::f16:
      return "HalfStorage";
    case DType::bf16:
      return "BFloat16Storage";
    case DType::i64:
      return "LongStorage";
    case DType::i32:
      return "IntStorage";
    case DType::u8:
      return "ByteStorage";
    case DType::boolean:
      return "BoolStorage";
  }
  return "";
}

// Pickle protocol 2 of a tree; collects the tensors it refers to.
class Pickler {
 public:
  std::string run(const PickleValue& tree) {
    out_ = "\x80\x02";
    value(tree, 0);
    return out_ + ".";
  }
  const std::vector<Tensor>& tensors() const { return tensors_; }

 private:
  void number(uint64_t v, size_t bytes) {
    for (size_t i = 0; i < bytes; ++i) out_ += char(v >> (8 * i));
  }
  void global(const std::string& module, const std::string& name) {
    out_ += "c" + module + "\n" + name + "\n";
  }
  void text(const std::string& s) {
    check(s.size() < (uint64_t(1) << 32), "save_pth: a text of ", s.size(), " bytes");
    out_ += 'X';
    number(s.size(), 4);
    out_ += s;
  }
  void integer(int64_t v) {
    if (v >= 0 && v < 256) {
      out_ += 'K';
      number(uint64_t(v), 1);
    } else if (v >= INT32_MIN && v <= INT32_MAX) {
      out_ += 'J';
      number(uint64_t(v), 4);
    } else {
      out_ += "\x8a\x08";
      number(uint64_t(v), 8);
    }
  }

  void value(const PickleValue& v, int depth) {
    check(depth < kMaxDepth, "save_pth: values nested deeper than ", kMaxDepth);
    switch (v.kind()) {
      case Kind::none:
        out_ += 'N';
        return;
      case Kind::boolean:
        out_ += v.boolean() ? '\x88' : '\x89';
        return;
      case Kind::integer:
        integer(v.integer());
        return;
      case Kind::real:
        out_ += 'G';
        number(__builtin_bswap64(std::bit_cast<uint64_t>(v.real())), 8);
        return;
      case Kind::string:
        text(v.text());
        return;
      case Kind::bytes:
        bytes(v.text());
        return;
      case Kind::name: {
        const size_t dot = v.text().rfind('.');
        check(dot != std::string::npos, "save_pth: the name ", v.text());
        global(v.text().substr(0, dot), v.text().substr(dot + 1));
        return;
      }
      case Kind::tensor:
        tensor(v.tensor());
        return;
      case Kind::object:
        fail("save_pth: an object of class ", v.text(), " cannot be written");
      default:
        container(v, depth);
    }
  }

  void bytes(const std::string& s) {
    global("_codecs", "encode");
    std::string latin;
    for (const char c : s) {
      if (!(c & 0x80)) {
        latin += c;
      } else {
        latin += char(0xC0 | ((c >> 6) & 3));
        latin += char(0x80 | (c & 0x3F));
      }
    }
    text(latin);
    text("latin1");
    out_ += "\x86R";
  }

  // A container that was written before is taken from the memo.
  void container(const PickleValue& v, int depth) {
    const auto [it, fresh] = memo_.try_emplace(v.container(), memo_.size());
    const uint64_t id = it->second;
    if (!fresh) {
      out_ += 'j';
      number(id, 4);
      return;
    }
    const auto remember = [&] {
      out_ += 'r';
      number(id, 4);
    };
    if (v.is(Kind::dict)) {
      out_ += '}';
      remember();
      out_ += '(';
      for (const auto& [key, item] : v.items()) {
        value(key, depth + 1);
        value(item, depth + 1);
      }
      out_ += 'u';
      return;
    }
    if (v.is(Kind::set)) global("__builtin__", "set");
    if (!v.is(Kind::tuple)) out_ += ']';
    if (v.is(Kind::list)) remember();
    out_ += '(';
    for (size_t i = 0; i < v.size(); ++i) value(v.at(i), depth + 1);
    out_ += v.is(Kind::tuple) ? 't' : 'e';
    if (v.is(Kind::set)) out_ += "\x85R";
    if (!v.is(Kind::list)) remember();
  }

  void tensor(const Tensor& t) {
    check(t.defined(), "save_pth: an undefined tensor");
    auto [it, fresh] = keys_.try_emplace(t.id(), tensors_.size());
    if (fresh) tensors_.push_back(t);
    global("torch._utils", "_rebuild_tensor_v2");
    out_ += "((";
    text("storage");
    global("torch", storage_name(t.dtype()));
    text(std::to_string(it->second));
    text("cpu");
    integer(t.numel());
    out_ += "tQK";
    out_ += '\0';
    out_ += '(';
    for (const int64_t extent : t.shape().dims()) integer(extent);
    out_ += "t(";
    for (int d = 0; d < t.rank(); ++d) integer(t.shape().inner(d));
    out_ += "t\x89";
    global("collections", "OrderedDict");
    out_ += ")RtR";
  }

  std::string out_;
  std::unordered_map<const void*, uint64_t> memo_;
  std::unordered_map<const void*, size_t> keys_;
  std::vector<Tensor> tensors_;  // keeps the identities in keys_ alive
};

std::span<const std::byte> bytes_of(const std::string& s) {
  return std::as_bytes(std::span<const char>(s));
}

}  // namespace

void save_pth(const std::string& path, const PickleValue& tree) {
  Pickler pickler;
  const std::string pickle = pickler.run(tree);
  AtomicFile file(path);
  ZipWriter zip(file);
  zip.add("archive/data.pkl", bytes_of(pickle));
  zip.add("archive/byteorder", bytes_of("little"));
  for (size_t i = 0; i < pickler.tensors().size(); ++i) {
    const Tensor t = pickler.tensors()[i].to(Device{});
    zip.add("archive/data/" + std::to_string(i),
            {static_cast<const std::byte*>(t.raw()), t.bytes()});
  }
  zip.add("archive/version", bytes_of("3\n"));
  zip.finish();
  file.commit();
}

}  // namespace limber
