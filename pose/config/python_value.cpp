#include "pose/config/python_value.h"

#include <charconv>
#include <cmath>
#include <unordered_set>

namespace limber::python {
namespace {

constexpr int kMaxDepth = 200;

void check_depth(int depth) {
  if (depth > kMaxDepth)
    fail_value("a value is nested deeper than ", kMaxDepth, " or holds itself");
}

// Deep structures are taken apart in a loop, not by recursion.
void release(std::vector<Value>&& values) {
  static thread_local std::vector<Value>* pending = nullptr;
  if (pending) {
    for (Value& v : values)
      if (v.sequence() || v.dict()) pending->push_back(std::move(v));
    return;
  }
  std::vector<Value> work = std::move(values);
  pending = &work;
  while (!work.empty()) {
    Value last = std::move(work.back());
    work.pop_back();
  }
  pending = nullptr;
}

// One text per set of keys that Python takes for equal.
std::string hash_text(const Value& key) {
  if (key.is_none()) return "none";
  if (key.is_int()) return "n" + std::to_string(key.integer());
  if (key.is<double>()) {
    const double v = key.get<double>();
    const bool whole = v == std::floor(v) && std::abs(v) < 9e18;
    return whole ? "n" + std::to_string(int64_t(v)) : "f" + float_repr(v);
  }
  if (key.is<std::string>()) return "s" + key.get<std::string>();
  if (key.is<Imported>()) return "i" + key.get<Imported>().name;
  const Sequence* sequence = key.sequence();
  if (!sequence || sequence->kind == Sequence::Kind::list)
    fail_value("a ", key.type(), " cannot be a key");
  std::string text = "t";
  for (const Value& item : sequence->items) {
    const std::string part = hash_text(item);
    text += std::to_string(part.size()) + ":" + part;
  }
  return text;
}

std::string quote(const std::string& text) {
  const bool has_single = text.find('\'') != std::string::npos;
  const char mark = has_single && text.find('"') == std::string::npos ? '"' : '\'';
  std::string out(1, mark);
  for (const char c : text) {
    if (c == mark || c == '\\') {
      out += {'\\', c};
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\r') {
      out += "\\r";
    } else {
      out += c;
    }
  }
  return out + mark;
}

std::string repr_at(const Value& v, int depth) {
  check_depth(depth);
  if (v.is_none()) return "None";
  if (v.is<bool>()) return v.get<bool>() ? "True" : "False";
  if (v.is<int64_t>()) return std::to_string(v.get<int64_t>());
  if (v.is<double>()) return float_repr(v.get<double>());
  if (v.is<std::string>()) return quote(v.get<std::string>());
  if (v.is<Imported>()) return v.get<Imported>().name;
  std::string out;
  if (const Sequence* s = v.sequence()) {
    const bool list = s->kind == Sequence::Kind::list;
    for (const Value& item : s->items) out += (out.empty() ? "" : ", ") + repr_at(item, depth + 1);
    if (!list && s->items.size() == 1) out += ",";
    return list ? "[" + out + "]" : "(" + out + ")";
  }
  for (const auto& [key, value] : v.dict()->items())
    out += (out.empty() ? "" : ", ") + repr_at(key, depth + 1) + ": " + repr_at(value, depth + 1);
  return "{" + out + "}";
}

bool equal_at(const Value& a, const Value& b, int depth) {
  check_depth(depth);
  if (a.is_int() && b.is_int()) return a.integer() == b.integer();
  if (a.is_number() && b.is_number()) return a.number() == b.number();
  if (a.is<std::string>() && b.is<std::string>())
    return a.get<std::string>() == b.get<std::string>();
  if (a.is<Imported>() && b.is<Imported>()) return a.get<Imported>().name == b.get<Imported>().name;
  if (const Sequence* x = a.sequence(), *y = b.sequence(); x && y) {
    if (x->kind != y->kind || x->items.size() != y->items.size()) return false;
    for (size_t i = 0; i < x->items.size(); ++i)
      if (!equal_at(x->items[i], y->items[i], depth + 1)) return false;
    return true;
  }
  if (const Dict* x = a.dict(), *y = b.dict(); x && y) {
    if (x->items().size() != y->items().size()) return false;
    for (const auto& [key, value] : x->items()) {
      const Value* other = y->find(key);
      if (!other || !equal_at(value, *other, depth + 1)) return false;
    }
    return true;
  }
  return a.is_none() && b.is_none();
}

int compare_at(const Value& a, const Value& b, int depth) {
  check_depth(depth);
  if (a.is_int() && b.is_int())
    return a.integer() < b.integer() ? -1 : int(a.integer() > b.integer());
  if (a.is_number() && b.is_number()) return a.number() < b.number() ? -1 : a.number() > b.number();
  if (a.is<std::string>() && b.is<std::string>()) {
    const int order = a.get<std::string>().compare(b.get<std::string>());
    return (order > 0) - (order < 0);
  }
  const Sequence *x = a.sequence(), *y = b.sequence();
  if (!x || !y || x->kind != y->kind)
    fail_value("a ", a.type(), " and a ", b.type(), " have no order");
  for (size_t i = 0; i < std::min(x->items.size(), y->items.size()); ++i)
    if (const int order = compare_at(x->items[i], y->items[i], depth + 1)) return order;
  return (x->items.size() > y->items.size()) - (x->items.size() < y->items.size());
}

Config config_at(const Value& v, int depth) {
  check_depth(depth);
  if (v.is_none()) return Config();
  if (v.is<bool>()) return Config::value(v.get<bool>());
  if (v.is<int64_t>()) return Config::value(v.get<int64_t>());
  if (v.is<double>()) return Config::value(v.get<double>());
  if (v.is<std::string>()) return Config::value(std::string_view(v.get<std::string>()));
  if (v.is<Imported>()) return Config::value(std::string_view(v.get<Imported>().name));
  if (const Sequence* s = v.sequence()) {
    Config list = s->kind == Sequence::Kind::list ? Config::list() : Config::tuple();
    for (const Value& item : s->items) list.push_back(config_at(item, depth + 1));
    return list;
  }
  Config object = Config::object();
  for (const auto& [key, value] : v.dict()->items())
    object.set(key.text(), config_at(value, depth + 1));
  return object;
}

}  // namespace

Sequence::~Sequence() { release(std::move(items)); }

Dict::~Dict() {
  std::vector<Value> values;
  for (auto& item : items_) values.push_back(std::move(item.second));
  release(std::move(values));
}

const Value* Dict::find(const Value& key) const {
  const auto it = index_.find(hash_text(key));
  return it == index_.end() ? nullptr : &items_[it->second].second;
}

void Dict::set(const Value& key, Value value) {
  const auto [it, fresh] = index_.try_emplace(hash_text(key), items_.size());
  if (fresh) {
    items_.emplace_back(key, std::move(value));
  } else {
    items_[it->second].second = std::move(value);
  }
}

bool Dict::erase(const Value& key) {
  const auto it = index_.find(hash_text(key));
  if (it == index_.end()) return false;
  const size_t gone = it->second;
  items_.erase(items_.begin() + std::ptrdiff_t(gone));
  index_.erase(it);
  for (auto& entry : index_) entry.second -= entry.second > gone;
  return true;
}

Value Value::list(std::vector<Value> items) {
  return std::make_shared<Sequence>(Sequence::Kind::list, std::move(items));
}

Value Value::tuple(std::vector<Value> items) {
  return std::make_shared<Sequence>(Sequence::Kind::tuple, std::move(items));
}

int64_t Value::integer() const {
  if (is<bool>()) return get<bool>();
  if (!is<int64_t>()) fail_value("expected int, got ", type());
  return get<int64_t>();
}

double Value::number() const {
  if (is<double>()) return get<double>();
  if (!is_int()) fail_value("expected a number, got ", type());
  return double(integer());
}

Sequence* Value::sequence() const {
  const auto* p = std::get_if<std::shared_ptr<Sequence>>(&data_);
  return p ? p->get() : nullptr;
}

Dict* Value::dict() const {
  const auto* p = std::get_if<std::shared_ptr<Dict>>(&data_);
  return p ? p->get() : nullptr;
}

bool Value::truthy() const {
  if (is_none()) return false;
  if (is_number()) return number() != 0;
  if (is<std::string>()) return !get<std::string>().empty();
  if (sequence()) return !sequence()->items.empty();
  if (dict()) return !dict()->items().empty();
  return true;
}

const char* Value::type() const {
  if (const Sequence* s = sequence())
    return s->kind == Sequence::Kind::list    ? "list"
           : s->kind == Sequence::Kind::tuple ? "tuple"
                                              : "range";
  constexpr const char* names[] = {"None", "bool",          "int", "float",
                                   "str",  "imported name", "",    "dict"};
  return names[data_.index()];
}

std::string Value::repr() const { return repr_at(*this, 0); }
std::string Value::text() const { return is<std::string>() ? get<std::string>() : repr(); }

void refuse_circle(const Value& container, const Value& v) {
  std::vector<const Value*> open = {&v};
  std::unordered_set<const void*> seen;
  while (!open.empty()) {
    const Value& next = *open.back();
    open.pop_back();
    const Sequence* s = next.sequence();
    const Dict* d = next.dict();
    if ((s && s == container.sequence()) || (d && d == container.dict()))
      fail_value("a ", container.type(), " that would hold itself");
    if (!seen.insert(s ? static_cast<const void*>(s) : d).second) continue;
    if (s)
      for (const Value& item : s->items) open.push_back(&item);
    if (d)
      for (const auto& item : d->items()) open.push_back(&item.second);
  }
}

bool equal(const Value& a, const Value& b) { return equal_at(a, b, 0); }
int compare(const Value& a, const Value& b) { return compare_at(a, b, 0); }

// Shortest digits that read back, laid out as Python does: plain for exponents -4 to 15.
std::string float_repr(double v) {
  if (std::isnan(v)) return "nan";
  if (std::isinf(v)) return v > 0 ? "inf" : "-inf";
  char buffer[400];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, v, std::chars_format::scientific);
  const std::string scientific(buffer, end.ptr);
  const int exponent = std::stoi(scientific.substr(scientific.find('e') + 1));
  if (exponent < -4 || exponent >= 16) return scientific;
  const auto plain = std::to_chars(buffer, buffer + sizeof buffer, v, std::chars_format::fixed);
  const std::string text(buffer, plain.ptr);
  return text.find('.') == std::string::npos ? text + ".0" : text;
}

std::vector<std::string> characters(const std::string& utf8) {
  std::vector<std::string> out;
  for (const char c : utf8) {
    if ((static_cast<unsigned char>(c) & 0xC0) == 0x80 && !out.empty()) {
      out.back() += c;
    } else {
      out.emplace_back(1, c);
    }
  }
  return out;
}

std::vector<Value> iterate(const Value& v) {
  std::vector<Value> out;
  if (const Sequence* s = v.sequence()) return s->items;
  if (const Dict* d = v.dict()) {
    for (const auto& item : d->items()) out.push_back(item.first);
  } else if (v.is<std::string>()) {
    for (std::string& c : characters(v.get<std::string>())) out.emplace_back(std::move(c));
  } else {
    fail_value("a ", v.type(), " has no elements");
  }
  return out;
}

Config to_config(const Value& v) { return config_at(v, 0); }

Value from_config(const Config& c) {
  switch (c.kind()) {
    case Config::Kind::null:
      return Value();
    case Config::Kind::boolean:
      return c.as<bool>();
    case Config::Kind::integer:
      return c.as<int64_t>();
    case Config::Kind::real:
      return c.as<double>();
    case Config::Kind::string:
      return c.as<std::string>();
    case Config::Kind::list: {
      std::vector<Value> items;
      for (size_t i = 0; i < c.size(); ++i) items.push_back(from_config(c.at(i)));
      return c.is_tuple() ? Value::tuple(std::move(items)) : Value::list(std::move(items));
    }
    case Config::Kind::object:
      break;
  }
  auto dict = std::make_shared<Dict>();
  for (const std::string& key : c.keys()) dict->set(Value(key), from_config(c.at(key)));
  return dict;
}

}  // namespace limber::python
