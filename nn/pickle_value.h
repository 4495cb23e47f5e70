// The tree that a PyTorch checkpoint holds, without anything that could run: numbers, text, lists,
// dicts, tensors, and the names of classes. Copies share containers.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "nn/stored_tensor.h"

namespace limber {

class PickleValue {
 public:
  enum class Kind {
    none,
    boolean,
    integer,
    real,
    string,
    bytes,
    list,
    tuple,
    set,
    dict,
    tensor,
    name,    // a class or a dtype: "torch.float32"
    object,  // an instance of a known class, kept as its name and its state
  };
  struct Container;

  PickleValue() = default;  // None
  PickleValue(bool v) : data_(v) {}
  PickleValue(int v) : data_(int64_t(v)) {}
  PickleValue(int64_t v) : data_(v) {}
  PickleValue(double v) : data_(v) {}
  PickleValue(const char* v) : PickleValue(std::string(v)) {}
  PickleValue(std::string v) : PickleValue(Kind::string, std::move(v)) {}
  PickleValue(const Tensor& v) : data_(v) {}
  PickleValue(std::shared_ptr<StoredTensor> v) : data_(std::move(v)) {}
  PickleValue(Kind text_kind, std::string text);  // string, bytes, name
  static PickleValue list() { return PickleValue(Kind::list); }
  static PickleValue tuple(std::vector<PickleValue> items = {});
  static PickleValue set() { return PickleValue(Kind::set); }
  static PickleValue dict() { return PickleValue(Kind::dict); }
  static PickleValue object(std::string class_name, PickleValue state);

  Kind kind() const;
  bool is(Kind k) const { return kind() == k; }
  // Values; each throws InputError naming both kinds where it does not fit. An integer is a real.
  bool boolean() const;
  int64_t integer() const;
  double real() const;
  const std::string& text() const;  // of a string, bytes or a name; an object's class
  // A tensor in PyTorch's layout, see StoredTensor::load. The numbers of 0-dimensional and of all
  // other tensors alike.
  Tensor tensor(bool widen = false) const;
  const StoredTensor* stored() const;  // of a tensor that was read from a file, else null

  // Containers.
  size_t size() const;
  const PickleValue& at(size_t i) const;  // of a list, tuple or set
  void push_back(PickleValue v);
  // Dicts keep their order. Keys are None, bool, int, float, str or tuples of these.
  const PickleValue* find(std::string_view key) const;  // null when absent or no dict
  const PickleValue& at(std::string_view key) const;    // throws when absent
  const std::vector<std::pair<PickleValue, PickleValue>>& items() const;
  void set(const PickleValue& key, PickleValue v);
  const PickleValue& state() const;  // of an object

  Container* container() const;  // null when none

 private:
  explicit PickleValue(Kind container_kind);
  void expect(Kind k) const;
  struct Text {
    Kind kind;
    std::shared_ptr<const std::string> text;
  };
  std::variant<std::monostate, bool, int64_t, double, Text, std::shared_ptr<Container>, Tensor,
               std::shared_ptr<StoredTensor>>
      data_;
};

struct PickleValue::Container {
  Kind kind = Kind::list;
  std::string name;                // of an object's class
  std::vector<PickleValue> items;  // of a list, tuple or set; an object's state
  std::vector<std::pair<PickleValue, PickleValue>> pairs;
  std::unordered_map<std::string, size_t> index;

  void clear();
};

const char* name_of(PickleValue::Kind kind);

}  // namespace limber
