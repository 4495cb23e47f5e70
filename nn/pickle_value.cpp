#include "nn/pickle_value.h"

#include <bit>

namespace limber {
namespace {

constexpr size_t kMaxKey = 4096;  // bytes; a longer key is no parameter's name
constexpr int kMaxKeyDepth = 8;

// One text per key that Python takes for the same.
std::string key_text(const PickleValue& key, int depth = 0) {
  using Kind = PickleValue::Kind;
  std::string out;
  switch (key.kind()) {
    case Kind::none:
      return "none";
    case Kind::boolean:
    case Kind::integer:
      return "i" + std::to_string(key.integer());
    case Kind::real:
      return "r" + std::to_string(std::bit_cast<uint64_t>(key.real()));
    case Kind::string:
    case Kind::bytes:
    case Kind::name:
      check_input(key.text().size() <= kMaxKey, "dict key of ", key.text().size(), " bytes");
      return (key.is(Kind::string) ? "s" : key.is(Kind::bytes) ? "b" : "n") + key.text();
    case Kind::tuple:
      check_input(depth < kMaxKeyDepth, "dict key nested deeper than ", kMaxKeyDepth);
      out = "t";
      for (size_t i = 0; i < key.size(); ++i) {
        const std::string part = key_text(key.at(i), depth + 1);
        out += std::to_string(part.size()) + ":" + part;
        check_input(out.size() <= 2 * kMaxKey, "dict key of more than ", kMaxKey, " bytes");
      }
      return out;
    default:
      fail_input("a ", name_of(key.kind()), " as the key of a dict");
  }
}

}  // namespace

const char* name_of(PickleValue::Kind kind) {
  constexpr const char* names[] = {"None",  "bool", "int",  "float",  "str",  "bytes", "list",
                                   "tuple", "set",  "dict", "tensor", "name", "object"};
  return names[static_cast<int>(kind)];
}

void PickleValue::Container::clear() {
  items.clear();
  pairs.clear();
  index.clear();
}

PickleValue::PickleValue(Kind kind) : data_(std::make_shared<Container>()) {
  container()->kind = kind;
}

PickleValue::PickleValue(Kind kind, std::string text)
    : data_(Text{kind, std::make_shared<const std::string>(std::move(text))}) {}

PickleValue PickleValue::tuple(std::vector<PickleValue> items) {
  PickleValue out(Kind::tuple);
  out.container()->items = std::move(items);
  return out;
}

PickleValue PickleValue::object(std::string class_name, PickleValue state) {
  PickleValue out(Kind::object);
  out.container()->name = std::move(class_name);
  out.container()->items.push_back(std::move(state));
  return out;
}

PickleValue::Container* PickleValue::container() const {
  const auto* p = std::get_if<std::shared_ptr<Container>>(&data_);
  return p ? p->get() : nullptr;
}

PickleValue::Kind PickleValue::kind() const {
  switch (data_.index()) {
    case 0:
      return Kind::none;
    case 1:
      return Kind::boolean;
    case 2:
      return Kind::integer;
    case 3:
      return Kind::real;
    case 4:
      return std::get<Text>(data_).kind;
    case 5:
      return container()->kind;
    default:
      return Kind::tensor;
  }
}

void PickleValue::expect(Kind k) const {
  check_input(kind() == k, "checkpoint: expected ", name_of(k), ", got ", name_of(kind()));
}

bool PickleValue::boolean() const {
  expect(Kind::boolean);
  return std::get<bool>(data_);
}

int64_t PickleValue::integer() const {
  if (is(Kind::boolean)) return boolean();
  expect(Kind::integer);
  return std::get<int64_t>(data_);
}

double PickleValue::real() const {
  if (is(Kind::integer)) return double(integer());
  expect(Kind::real);
  return std::get<double>(data_);
}

const std::string& PickleValue::text() const {
  if (const auto* text = std::get_if<Text>(&data_)) return *text->text;
  if (is(Kind::object)) return container()->name;
  fail_input("checkpoint: expected str, got ", name_of(kind()));
}

Tensor PickleValue::tensor(bool widen) const {
  expect(Kind::tensor);
  if (const StoredTensor* s = stored()) return s->load(widen);
  return std::get<Tensor>(data_);
}

const StoredTensor* PickleValue::stored() const {
  const auto* p = std::get_if<std::shared_ptr<StoredTensor>>(&data_);
  return p ? p->get() : nullptr;
}

size_t PickleValue::size() const {
  check_input(container() != nullptr, "checkpoint: expected list, got ", name_of(kind()));
  return is(Kind::dict) ? container()->pairs.size() : container()->items.size();
}

const PickleValue& PickleValue::at(size_t i) const {
  check_input(i < size() && !is(Kind::dict), "checkpoint: no element ", i, " in a ",
              name_of(kind()), " of ", size());
  return container()->items[i];
}

void PickleValue::push_back(PickleValue v) {
  check_input(container() && !is(Kind::dict), "checkpoint: expected list, got ", name_of(kind()));
  container()->items.push_back(std::move(v));
}

const PickleValue* PickleValue::find(std::string_view key) const {
  if (!is(Kind::dict)) return nullptr;
  const auto it = container()->index.find("s" + std::string(key));
  return it == container()->index.end() ? nullptr : &container()->pairs[it->second].second;
}

const PickleValue& PickleValue::at(std::string_view key) const {
  expect(Kind::dict);
  const PickleValue* value = find(key);
  check_input(value != nullptr, "checkpoint: no key \"", key, "\"");
  return *value;
}

const std::vector<std::pair<PickleValue, PickleValue>>& PickleValue::items() const {
  expect(Kind::dict);
  return container()->pairs;
}

void PickleValue::set(const PickleValue& key, PickleValue v) {
  expect(Kind::dict);
  Container& dict = *container();
  const auto [it, fresh] = dict.index.try_emplace(key_text(key), dict.pairs.size());
  if (fresh) {
    dict.pairs.emplace_back(key, std::move(v));
  } else {
    dict.pairs[it->second].second = std::move(v);
  }
}

const PickleValue& PickleValue::state() const {
  expect(Kind::object);
  return container()->items[0];
}

}  // namespace limber
