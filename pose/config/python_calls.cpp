// The functions and methods that configs may call.
#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>

#include "pose/config/python_evaluator.h"

namespace limber::python {
namespace {

using Arguments = Evaluator::Arguments;

constexpr int64_t kMaxRange = 1 << 20;

struct Named {
  const char* name;
  size_t least, most;  // positional arguments
  bool keywords;
  Value (*run)(const Arguments& a);
};

struct Method {
  const char* type;  // of the object
  const char* name;
  size_t least, most;
  bool keywords;
  Value (*run)(const Value& object, const Arguments& a);
};

template <class Row>
void check_arguments(const Row& row, const Arguments& a) {
  const size_t n = a.values.size();
  if (n < row.least || n > row.most)
    fail_value(row.name, "() with ", n, " positional argument", n == 1 ? "" : "s");
  if (!row.keywords && !a.keywords.empty())
    fail_value(row.name, "() with the argument \"", a.keywords[0].first, "\"");
}

// The one keyword argument that a function knows.
Value keyword(const Arguments& a, const char* name, Value fallback) {
  for (const auto& [key, value] : a.keywords) {
    if (key != name) fail_value("unknown argument \"", key, "\"");
    fallback = value;
  }
  return fallback;
}

void update(Dict& dict, const Arguments& a) {
  for (const Value& value : a.values) {
    if (const Dict* other = value.dict()) {
      const auto items = other->items();  // a copy: `other` may be `dict`
      for (const auto& [k, v] : items) dict.set(k, v);
      continue;
    }
    for (const Value& pair : iterate(value)) {
      const std::vector<Value> parts = iterate(pair);
      if (parts.size() != 2) fail_value("a dict is made of pairs, got ", parts.size(), " elements");
      dict.set(parts[0], parts[1]);
    }
  }
  for (const auto& [key, value] : a.keywords) dict.set(Value(key), value);
}

Value make_dict(const Arguments& a) {
  auto dict = std::make_shared<Dict>();
  update(*dict, a);
  return dict;
}

Value range(const Arguments& a) {
  const size_t n = a.values.size();
  const int64_t start = n > 1 ? a.values[0].integer() : 0;
  const int64_t stop = a.values[n > 1 ? 1 : 0].integer();
  const int64_t step = n > 2 ? a.values[2].integer() : 1;
  if (step == 0) fail_value("range() with step 0");
  std::vector<Value> items;
  const __int128 wide_stop = stop;
  for (__int128 i = start; step > 0 ? i < wide_stop : i > wide_stop; i += step) {
    if (int64_t(items.size()) >= kMaxRange) fail_value("range() of more than ", kMaxRange);
    items.emplace_back(int64_t(i));
  }
  return std::make_shared<Sequence>(Sequence::Kind::range, std::move(items));
}

Value length(const Arguments& a) { return int64_t(iterate(a.values[0]).size()); }

Value extreme(const Arguments& a, int wanted) {
  const std::vector<Value> items = a.values.size() == 1 ? iterate(a.values[0]) : a.values;
  if (items.empty()) fail_value("the extreme of no elements");
  const Value* best = &items[0];
  for (const Value& v : items)
    if (compare(v, *best) == wanted) best = &v;
  return *best;
}

Value round_to(const Arguments& a) {
  const Value& v = a.values[0];
  const bool whole = a.values.size() == 1 || a.values[1].is_none();
  const int64_t digits = whole ? 0 : a.values[1].integer();
  if (v.is_int() && digits >= 0) return v.integer();
  if (digits < -300 || digits > 300) fail_value("round() to ", digits, " digits");
  double result = 0;
  if (digits >= 0 && !whole) {
    // Decimal rounding of the exact binary value, halves to even.
    char text[700];
    std::snprintf(text, sizeof text, "%.*f", int(digits), v.number());
    result = std::strtod(text, nullptr);
  } else {
    const double scale = std::pow(10.0, double(-digits));
    result = std::nearbyint(v.number() / scale) * scale;
  }
  if (!whole && v.is<double>()) return result;
  if (!(std::abs(result) < 9e18)) fail_value("round() of ", v.repr());
  return int64_t(result);
}

std::string stripped(const std::string& text) {
  const size_t first = text.find_first_not_of(" \t\r\n\f\v");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t\r\n\f\v") - first + 1);
}

Value to_int(const Arguments& a) {
  if (a.values.empty()) return int64_t(0);
  const Value& v = a.values[0];
  if (v.is_int()) return v.integer();
  if (v.is<double>()) {
    if (!(std::abs(v.get<double>()) < 9.2e18)) fail_value("int() of ", v.repr());
    return int64_t(v.get<double>());
  }
  if (!v.is<std::string>()) fail_value("int() of a ", v.type());
  const std::string text = stripped(v.get<std::string>());
  char* end = nullptr;
  errno = 0;
  const long long value = std::strtoll(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0' || errno) fail_value("int() of ", v.repr());
  return int64_t(value);
}

Value to_float(const Arguments& a) {
  if (a.values.empty()) return 0.0;
  const Value& v = a.values[0];
  if (!v.is<std::string>()) return v.number();
  const std::string text = stripped(v.get<std::string>());
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || text.find_first_of("xX(") != std::string::npos)
    fail_value("float() of ", v.repr());
  return value;
}

Value absolute(const Arguments& a) {
  const Value& v = a.values[0];
  if (v.is<double>()) return std::abs(v.get<double>());
  return v.integer() < 0 ? arithmetic("-", Value(int64_t(0)), v) : Value(v.integer());
}

Value sum(const Arguments& a) {
  Value total = keyword(a, "start", a.values.size() > 1 ? a.values[1] : Value(int64_t(0)));
  for (const Value& v : iterate(a.values[0])) total = arithmetic("+", total, v);
  return total;
}

Value sorted(const Arguments& a) {
  const bool reverse = keyword(a, "reverse", Value(false)).truthy();
  std::vector<Value> items = iterate(a.values[0]);
  std::stable_sort(items.begin(), items.end(), [&](const Value& x, const Value& y) {
    return reverse ? compare(y, x) < 0 : compare(x, y) < 0;
  });
  return Value::list(std::move(items));
}

Value zip(const Arguments& a) {
  std::vector<std::vector<Value>> columns;
  for (const Value& v : a.values) columns.push_back(iterate(v));
  std::vector<Value> rows;
  for (size_t i = 0; !columns.empty(); ++i) {
    std::vector<Value> row;
    for (const auto& column : columns)
      if (i < column.size()) row.push_back(column[i]);
    if (row.size() < columns.size()) break;
    rows.push_back(Value::tuple(std::move(row)));
  }
  return Value::tuple(std::move(rows));
}

Value enumerate(const Arguments& a) {
  Value start = keyword(a, "start", a.values.size() > 1 ? a.values[1] : Value(int64_t(0)));
  std::vector<Value> rows;
  for (const Value& v : iterate(a.values[0])) {
    rows.push_back(Value::tuple({start, v}));
    start = arithmetic("+", start, Value(int64_t(1)));
  }
  return Value::tuple(std::move(rows));
}

Value quantify(const Arguments& a, bool wanted) {
  for (const Value& v : iterate(a.values[0]))
    if (v.truthy() == wanted) return wanted;
  return !wanted;
}

std::vector<Value> elements(const Arguments& a) {
  return a.values.empty() ? std::vector<Value>() : iterate(a.values[0]);
}

constexpr size_t kAny = 1000;
const Named kBuiltins[] = {
    {"dict", 0, 1, true, make_dict},
    {"list", 0, 1, false, [](const Arguments& a) { return Value::list(elements(a)); }},
    {"tuple", 0, 1, false, [](const Arguments& a) { return Value::tuple(elements(a)); }},
    {"range", 1, 3, false, range},
    {"len", 1, 1, false, length},
    {"min", 1, kAny, false, [](const Arguments& a) { return extreme(a, -1); }},
    {"max", 1, kAny, false, [](const Arguments& a) { return extreme(a, 1); }},
    {"round", 1, 2, false, round_to},
    {"int", 0, 1, false, to_int},
    {"float", 0, 1, false, to_float},
    {"str", 1, 1, false, [](const Arguments& a) { return Value(a.values[0].text()); }},
    {"bool", 1, 1, false, [](const Arguments& a) { return Value(a.values[0].truthy()); }},
    {"abs", 1, 1, false, absolute},
    {"sum", 1, 2, true, sum},
    {"sorted", 1, 1, true, sorted},
    {"zip", 0, kAny, false, zip},
    {"enumerate", 1, 2, true, enumerate},
    {"any", 1, 1, false, [](const Arguments& a) { return quantify(a, true); }},
    {"all", 1, 1, false, [](const Arguments& a) { return quantify(a, false); }},
};

std::vector<Value>& items_of(const Value& list) { return list.sequence()->items; }

Value extend(const Value& list, const Arguments& a) {
  const std::vector<Value> more = iterate(a.values[0]);
  if (items_of(list).size() + more.size() > size_t(kMaxRange))
    fail_value("a list of more than ", kMaxRange, " elements");
  items_of(list).insert(items_of(list).end(), more.begin(), more.end());
  return Value();
}

Value insert(const Value& list, const Arguments& a) {
  const int64_t size = int64_t(items_of(list).size());
  const int64_t i = a.values[0].integer();
  const int64_t at = std::clamp<int64_t>(i < 0 ? std::max(i, -size) + size : i, 0, size);
  items_of(list).insert(items_of(list).begin() + at, a.values[1]);
  return Value();
}

Value pop_item(const Value& list, const Arguments& a) {
  const int64_t size = int64_t(items_of(list).size());
  int64_t i = a.values.empty() ? -1 : a.values[0].integer();
  if (i < 0) i += size;
  if (i < 0 || i >= size) fail_value("pop() from a list of ", size);
  const Value out = items_of(list)[size_t(i)];
  items_of(list).erase(items_of(list).begin() + i);
  return out;
}

Value pop_key(const Value& dict, const Arguments& a) {
  const Value* found = dict.dict()->find(a.values[0]);
  if (!found && a.values.size() < 2) fail_value("pop() of a missing key ", a.values[0].repr());
  const Value out = found ? *found : a.values[1];
  dict.dict()->erase(a.values[0]);
  return out;
}

Value get_key(const Value& dict, const Arguments& a) {
  const Value* found = dict.dict()->find(a.values[0]);
  return found ? *found : a.values.size() > 1 ? a.values[1] : Value();
}

// Merges as `_base_` does: MMEngine's ConfigDict.merge().
void merge(Dict& base, const Dict& over, int depth) {
  if (depth > 100) fail_value("merge() nested deeper than 100");
  const auto items = over.items();
  for (const auto& [key, value] : items) {
    if (key.is<std::string>() && key.get<std::string>() == "_delete_") continue;
    const Value* old = base.find(key);
    const Dict* above = value.dict();
    if (!above) {
      base.set(key, value);
      continue;
    }
    auto merged = std::make_shared<Dict>();
    const Value* flag = above->find("_delete_");
    if (old && old->dict() && !(flag && flag->truthy()))
      for (const auto& [k, v] : old->dict()->items()) merged->set(k, v);
    merge(*merged, *above, depth + 1);
    base.set(key, merged);
  }
}

Value pairs(const Value& dict, const Arguments&) {
  std::vector<Value> out;
  for (const auto& [key, value] : dict.dict()->items()) out.push_back(Value::tuple({key, value}));
  return Value::tuple(std::move(out));
}

Value dict_values(const Value& dict, const Arguments&) {
  std::vector<Value> out;
  for (const auto& item : dict.dict()->items()) out.push_back(item.second);
  return Value::tuple(std::move(out));
}

const std::string& string_argument(const Arguments& a, size_t i) {
  if (!a.values[i].is<std::string>()) fail_value("expected a str, got ", a.values[i].type());
  return a.values[i].get<std::string>();
}

Value join(const Value& text, const Arguments& a) {
  std::string out;
  bool first = true;
  for (const Value& part : iterate(a.values[0])) {
    if (!part.is<std::string>()) fail_value("join() of a ", part.type());
    if (!first) out += text.text();
    out += part.text();
    first = false;
  }
  return out;
}

Value split(const Value& text, const Arguments& a) {
  const std::string& s = text.get<std::string>();
  std::vector<Value> out;
  if (a.values.empty()) {
    constexpr const char* spaces = " \t\r\n\f\v";
    for (size_t i = s.find_first_not_of(spaces); i != std::string::npos;) {
      const size_t end = std::min(s.find_first_of(spaces, i), s.size());
      out.emplace_back(s.substr(i, end - i));
      i = s.find_first_not_of(spaces, end);
    }
    return Value::list(std::move(out));
  }
  const std::string& separator = string_argument(a, 0);
  if (separator.empty()) fail_value("split() at an empty str");
  size_t i = 0;
  for (size_t end; (end = s.find(separator, i)) != std::string::npos; i = end + separator.size())
    out.emplace_back(s.substr(i, end - i));
  out.emplace_back(s.substr(i));
  return Value::list(std::move(out));
}

Value replace(const Value& text, const Arguments& a) {
  std::string s = text.get<std::string>();
  const std::string &from = string_argument(a, 0), &to = string_argument(a, 1);
  if (from.empty()) fail_value("replace() of an empty str");
  for (size_t i = 0; (i = s.find(from, i)) != std::string::npos; i += to.size())
    s.replace(i, from.size(), to);
  return s;
}

const Method kMethods[] = {
    {"list", "append", 1, 1, false,
     [](const Value& v, const Arguments& a) {
       return extend(v, {{Value::list(a.values)}, {}});
     }},
    {"list", "extend", 1, 1, false, extend},
    {"list", "insert", 2, 2, false, insert},
    {"list", "pop", 0, 1, false, pop_item},
    {"list", "copy", 0, 0, false,
     [](const Value& v, const Arguments&) { return Value::list(items_of(v)); }},
    {"dict", "update", 0, 1, true,
     [](const Value& v, const Arguments& a) {
       update(*v.dict(), a);
       return Value();
     }},
    {"dict", "merge", 1, 1, false,
     [](const Value& v, const Arguments& a) {
       if (!a.values[0].dict()) fail_value("merge() of a ", a.values[0].type());
       merge(*v.dict(), *a.values[0].dict(), 0);
       return Value();
     }},
    {"dict", "get", 1, 2, false, get_key},
    {"dict", "pop", 1, 2, false, pop_key},
    {"dict", "keys", 0, 0, false,
     [](const Value& v, const Arguments&) { return Value::tuple(iterate(v)); }},
    {"dict", "values", 0, 0, false, dict_values},
    {"dict", "items", 0, 0, false, pairs},
    {"dict", "copy", 0, 0, false,
     [](const Value& v, const Arguments&) {
       return make_dict({{v}, {}});
     }},
    {"str", "join", 1, 1, false, join},
    {"str", "split", 0, 1, false, split},
    {"str", "replace", 2, 2, false, replace},
    {"str", "strip", 0, 0, false,
     [](const Value& v, const Arguments&) { return Value(stripped(v.text())); }},
    {"str", "startswith", 1, 1, false,
     [](const Value& v, const Arguments& a) {
       return Value(v.text().starts_with(string_argument(a, 0)));
     }},
    {"str", "endswith", 1, 1, false,
     [](const Value& v, const Arguments& a) {
       return Value(v.text().ends_with(string_argument(a, 0)));
     }},
};

// Methods put their arguments into the object, or, those of the second kind, what is in them.
void check_circles(const Value& object, const std::string& name, const Arguments& a) {
  if (!object.sequence() && !object.dict()) return;
  const bool elements_only = name == "extend" || name == "update" || name == "merge";
  for (const Value& v : a.values) {
    if (!elements_only) {
      refuse_circle(object, v);
    } else if (v.sequence()) {
      for (const Value& item : v.sequence()->items) refuse_circle(object, item);
    } else if (v.dict()) {
      for (const auto& item : v.dict()->items()) refuse_circle(object, item.second);
    }
  }
  for (const auto& keyword : a.keywords) refuse_circle(object, keyword.second);
}

}  // namespace

bool is_builtin(const std::string& name) {
  return std::any_of(std::begin(kBuiltins), std::end(kBuiltins),
                     [&](const Named& row) { return row.name == name; });
}

Value call_builtin(const std::string& name, const Arguments& arguments) {
  for (const Named& row : kBuiltins) {
    if (row.name != name) continue;
    check_arguments(row, arguments);
    return row.run(arguments);
  }
  fail_value("call of ", name, "()");
}

Value call_method(const Value& object, const std::string& name, const Arguments& arguments) {
  for (const Method& row : kMethods) {
    if (row.name != name || std::string(row.type) != object.type()) continue;
    check_arguments(row, arguments);
    check_circles(object, name, arguments);
    return row.run(object, arguments);
  }
  fail_value("method ", name, "() of a ", object.type(),
             " is outside of the Python subset that configs may use");
}

}  // namespace limber::python
