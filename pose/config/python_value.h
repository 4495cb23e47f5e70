// The values that a Python config can compute with: Python's None, bool, int, float, str, list,
// tuple, range, dict, and names imported from a package, which stand for themselves. Containers
// are shared by reference, as in Python. Integers have 64 bits; leaving them is an error.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "pose/config/config.h"

namespace limber::python {

class Value;
struct Sequence;
class Dict;

// "SGD" of "from torch.optim import SGD", or a package of "import torch".
struct Imported {
  std::string name;
};

// What went wrong with values, without a place; the evaluator adds file, line and column.
class ValueError : public Error {
 public:
  using Error::Error;
};

template <class... Parts>
[[noreturn]] void fail_value(const Parts&... parts) {
  throw ValueError(str(parts...));
}

class Value {
 public:
  Value() = default;  // None
  Value(bool v) : data_(v) {}
  Value(int64_t v) : data_(v) {}
  Value(double v) : data_(v) {}
  Value(const char*) = delete;  // would be taken for a bool
  Value(std::string v) : data_(std::move(v)) {}
  Value(Imported v) : data_(std::move(v)) {}
  Value(std::shared_ptr<Sequence> v) : data_(std::move(v)) {}
  Value(std::shared_ptr<Dict> v) : data_(std::move(v)) {}
  static Value list(std::vector<Value> items = {});
  static Value tuple(std::vector<Value> items = {});

  bool is_none() const { return std::holds_alternative<std::monostate>(data_); }
  template <class T>
  bool is() const {
    return std::holds_alternative<T>(data_);
  }
  template <class T>
  const T& get() const {
    return std::get<T>(data_);
  }
  // bool counts as int, both as number.
  bool is_int() const { return is<int64_t>() || is<bool>(); }
  bool is_number() const { return is_int() || is<double>(); }
  int64_t integer() const;     // of an int or bool, else ValueError
  double number() const;       // of a number, else ValueError
  Sequence* sequence() const;  // null when this is none
  Dict* dict() const;          // null when this is none

  bool truthy() const;
  const char* type() const;  // Python's name of the type
  std::string repr() const;
  std::string text() const;  // str()

 private:
  std::variant<std::monostate, bool, int64_t, double, std::string, Imported,
               std::shared_ptr<Sequence>, std::shared_ptr<Dict>>
      data_;
};

struct Sequence {
  enum class Kind { list, tuple, range };
  Kind kind = Kind::list;
  std::vector<Value> items;

  Sequence(Kind k, std::vector<Value> v) : kind(k), items(std::move(v)) {}
  ~Sequence();
};

// Keeps the order of insertion; 1, 1.0 and True are one key, as in Python.
class Dict {
 public:
  Dict() = default;
  ~Dict();
  const std::vector<std::pair<Value, Value>>& items() const { return items_; }
  const Value* find(const Value& key) const;
  const Value* find(const std::string& key) const { return find(Value(key)); }
  const Value* find(const char* key) const { return find(std::string(key)); }
  void set(const Value& key, Value value);
  bool erase(const Value& key);

 private:
  std::vector<std::pair<Value, Value>> items_;
  std::unordered_map<std::string, size_t> index_;
};

// Throws ValueError when `container` is `v` or lies in it, so that putting `v` into it would make a
// circle.
void refuse_circle(const Value& container, const Value& v);

bool equal(const Value& a, const Value& b);
// -1, 0, 1; of two numbers, strings, or sequences of one kind.
int compare(const Value& a, const Value& b);
std::vector<Value> iterate(const Value& v);  // elements, keys, or characters
// `op` is one of + - * / // % **.
Value arithmetic(const std::string& op, const Value& a, const Value& b);
// str() for an empty spec, else format() with Python's mini-language.
std::string format(const Value& v, const std::string& spec);
std::string float_repr(double v);
std::vector<std::string> characters(const std::string& utf8);  // code points

Config to_config(const Value& v);
Value from_config(const Config& c);

}  // namespace limber::python
