#include "pose/config/python_evaluator.h"

#include <algorithm>

namespace limber::python {
namespace {

constexpr int64_t kMaxSteps = 4'000'000;

[[noreturn]] void missing_key(const Dict& dict, const std::string& key, const char* what) {
  std::vector<std::string> keys;
  for (const auto& item : dict.items()) keys.push_back(item.first.text());
  const std::string near = nearest_name(key, keys);
  fail_value("no ", what, " \"", key, "\"", near.empty() ? "" : ", did you mean \"" + near + "\"?");
}

size_t index_of(const Value& index, size_t size) {
  if (!index.is_int()) fail_value("an index must be an int, got ", index.type());
  const int64_t i = index.integer() < 0 ? index.integer() + int64_t(size) : index.integer();
  if (i < 0 || i >= int64_t(size)) fail_value("index ", index.integer(), " of ", size, " elements");
  return size_t(i);
}

bool contains(const Value& container, const Value& item) {
  if (container.is<std::string>() && item.is<std::string>())
    return container.get<std::string>().find(item.get<std::string>()) != std::string::npos;
  if (const Dict* dict = container.dict()) return dict->find(item) != nullptr;
  if (container.is<std::string>()) fail_value("\"in\" a str asks for a str, got ", item.type());
  for (const Value& element : iterate(container))
    if (equal(element, item)) return true;
  return false;
}

bool identical(const Value& a, const Value& b) {
  if (a.sequence() || b.sequence()) return a.sequence() == b.sequence();
  if (a.dict() || b.dict()) return a.dict() == b.dict();
  return std::string(a.type()) == b.type() && equal(a, b);
}

bool holds(const std::string& op, const Value& a, const Value& b) {
  if (op == "==") return equal(a, b);
  if (op == "!=") return !equal(a, b);
  if (op == "is") return identical(a, b);
  if (op == "is not") return !identical(a, b);
  if (op == "in") return contains(b, a);
  if (op == "not in") return !contains(b, a);
  const int order = compare(a, b);
  return op == "<" ? order < 0 : op == ">" ? order > 0 : op == "<=" ? order <= 0 : order >= 0;
}

}  // namespace

Evaluator::Evaluator(const std::string& file) : file_(file) {}

void Evaluator::step(Place place) {
  if (++steps_ > kMaxSteps) fail_at(file_, place, "more than ", kMaxSteps, " steps of work");
}

Value Evaluator::evaluate(const Expr& expr) {
  step(expr.place);
  try {
    return compute(expr);
  } catch (const ValueError& error) {
    fail_at(file_, expr.place, error.what());
  }
}

Value Evaluator::compute(const Expr& expr) {
  using Kind = Expr::Kind;
  switch (expr.kind) {
    case Kind::literal:
      return expr.value;
    case Kind::name:
      return lookup(expr);
    case Kind::format_string:
      return format_string(expr);
    case Kind::format_field: {
      const Value value = evaluate(*expr.parts[0]);
      const std::string spec = expr.parts.size() > 1 ? evaluate(*expr.parts[1]).text() : "";
      if (expr.text == "r") return format(Value(value.repr()), spec);
      return format(expr.text == "s" ? Value(value.text()) : value, spec);
    }
    case Kind::tuple:
      return Value::tuple(elements(expr, 0));
    case Kind::list:
      return Value::list(elements(expr, 0));
    case Kind::dict:
      return dict_display(expr);
    case Kind::call:
      return call(expr);
    case Kind::attribute:
      return attribute(evaluate(*expr.parts[0]), expr);
    case Kind::subscript:
      return subscript(expr);
    case Kind::unary:
      return unary(expr);
    case Kind::binary: {
      const Value left = evaluate(*expr.parts[0]);
      return arithmetic(expr.text, left, evaluate(*expr.parts[1]));
    }
    case Kind::compare:
      return compare(expr);
    case Kind::boolean:
      return boolean(expr);
    case Kind::conditional:
      return evaluate(*expr.parts[evaluate(*expr.parts[1]).truthy() ? 0 : 2]);
    case Kind::comprehension:
      return comprehension(expr);
    case Kind::starred:
    case Kind::keyword:
    case Kind::slice:
      break;
  }
  fail_value("this stands alone");
}

Value Evaluator::lookup(const Expr& name) {
  for (size_t i = scopes_.size(); i-- > 0;)
    if (const Value* value = scopes_[i]->find(name.text)) return *value;
  if (const Value* value = names_->find(name.text)) return *value;
  if (name.text == "_base_" && bases_) {
    used_bases_ = true;
    return *bases_;
  }
  if (is_builtin(name.text)) fail_value("function ", name.text, " as a value");
  missing_key(*names_, name.text, "name");
}

Value Evaluator::format_string(const Expr& expr) {
  std::string text;
  for (const ExprPtr& part : expr.parts) text += evaluate(*part).text();
  return text;
}

std::vector<Value> Evaluator::elements(const Expr& expr, size_t first) {
  std::vector<Value> out;
  for (size_t i = first; i < expr.parts.size(); ++i) {
    const Expr& part = *expr.parts[i];
    if (part.kind == Expr::Kind::starred) {
      for (Value& v : iterate(evaluate(*part.parts[0]))) {
        step(part.place);
        out.push_back(std::move(v));
      }
    } else {
      out.push_back(evaluate(part));
    }
  }
  return out;
}

Value Evaluator::dict_display(const Expr& expr) {
  auto dict = std::make_shared<Dict>();
  for (size_t i = 0; i < expr.parts.size(); i += 2) {
    const Value key = expr.parts[i] ? evaluate(*expr.parts[i]) : Value();
    const Value value = evaluate(*expr.parts[i + 1]);
    if (expr.parts[i]) {
      dict->set(key, value);
    } else if (const Dict* other = value.dict()) {
      for (const auto& [k, v] : other->items()) dict->set(k, v);
    } else {
      fail_value("** of a ", value.type());
    }
  }
  return dict;
}

Value Evaluator::unary(const Expr& expr) {
  const Value value = evaluate(*expr.parts[0]);
  if (expr.text == "not") return !value.truthy();
  if (!value.is_number()) fail_value("operator ", expr.text, " of a ", value.type());
  if (value.is<double>()) return expr.text == "-" ? -value.number() : value.number();
  return expr.text == "-" ? arithmetic("-", Value(int64_t(0)), value) : Value(value.integer());
}

Value Evaluator::compare(const Expr& expr) {
  Value left = evaluate(*expr.parts[0]);
  for (size_t i = 0; i < expr.operators.size(); ++i) {
    Value right = evaluate(*expr.parts[i + 1]);
    if (!holds(expr.operators[i], left, right)) return false;
    left = std::move(right);
  }
  return true;
}

Value Evaluator::boolean(const Expr& expr) {
  Value value;
  for (const ExprPtr& part : expr.parts) {
    value = evaluate(*part);
    if (value.truthy() == (expr.text == "or")) break;
  }
  return value;
}

Value Evaluator::attribute(const Value& object, const Expr& expr) {
  if (object.is<Imported>()) return Imported{expr.text};
  const Dict* dict = object.dict();
  if (!dict) fail_value("attribute \"", expr.text, "\" of a ", object.type());
  const Value* value = dict->find(expr.text);
  if (!value) missing_key(*dict, expr.text, "key");
  return *value;
}

Value Evaluator::subscript(const Expr& expr) {
  const Value object = evaluate(*expr.parts[0]);
  const Expr& index_expr = *expr.parts[1];
  if (index_expr.kind == Expr::Kind::slice) return slice(object, index_expr);
  const Value index = evaluate(index_expr);
  if (const Sequence* s = object.sequence()) return s->items[index_of(index, s->items.size())];
  if (object.is<std::string>()) {
    std::vector<std::string> chars = characters(object.get<std::string>());
    return chars[index_of(index, chars.size())];
  }
  const Dict* dict = object.dict();
  if (!dict) fail_value("a subscript of a ", object.type());
  const Value* value = dict->find(index);
  // The keys of a base are text, whatever they were in its file.
  if (!value && index.is<int64_t>()) value = dict->find(index.text());
  if (!value) missing_key(*dict, index.text(), "key");
  return *value;
}

Value Evaluator::slice(const Value& object, const Expr& bounds) {
  const auto bound = [&](size_t i) {
    return i < bounds.parts.size() && bounds.parts[i] ? evaluate(*bounds.parts[i]) : Value();
  };
  const Value start = bound(0), stop = bound(1), stride = bound(2);
  if (!object.sequence() && !object.is<std::string>()) fail_value("a slice of a ", object.type());
  const std::vector<Value> items = iterate(object);
  const int64_t size = int64_t(items.size());
  const int64_t step_size = stride.is_none() ? 1 : stride.integer();
  if (step_size == 0) fail_value("a slice with step 0");
  const auto clamp = [&](const Value& v, int64_t fallback) {
    if (v.is_none()) return fallback;
    const int64_t low = step_size > 0 ? 0 : -1, high = step_size > 0 ? size : size - 1;
    const int64_t i = v.integer() < 0 ? std::max(v.integer(), -size - 1) + size : v.integer();
    return std::clamp(i, low, high);
  };
  const int64_t from = clamp(start, step_size > 0 ? 0 : size - 1);
  const int64_t to = clamp(stop, step_size > 0 ? size : -1);
  std::vector<Value> out;
  if (step_size > 0) {
    for (int64_t i = from; i < to; i += std::min(step_size, size)) out.push_back(items[size_t(i)]);
  } else {
    for (int64_t i = from; i > to; i += std::max(step_size, -size)) out.push_back(items[size_t(i)]);
  }
  if (object.sequence()) return std::make_shared<Sequence>(object.sequence()->kind, std::move(out));
  std::string text;
  for (const Value& c : out) text += c.text();
  return text;
}

Value Evaluator::comprehension(const Expr& expr) {
  const std::vector<Value> source = iterate(evaluate(*expr.clauses[0].source));
  struct ScopeGuard {
    std::vector<std::unique_ptr<Dict>>& scopes;
    ~ScopeGuard() { scopes.pop_back(); }
  };
  scopes_.push_back(std::make_unique<Dict>());
  const ScopeGuard guard{scopes_};
  std::vector<Value> out;
  auto dict = std::make_shared<Dict>();
  run_clauses(expr, 0, source, out, *dict);
  if (expr.text == "dict") return dict;
  return expr.text == "list" ? Value::list(std::move(out)) : Value::tuple(std::move(out));
}

void Evaluator::run_clauses(const Expr& expr, size_t index, const std::vector<Value>& source,
                            std::vector<Value>& out, Dict& dict) {
  const Clause& clause = expr.clauses[index];
  for (const Value& element : source) {
    step(expr.place);
    assign(*clause.target, element);
    const bool wanted = std::all_of(clause.conditions.begin(), clause.conditions.end(),
                                    [&](const ExprPtr& c) { return evaluate(*c).truthy(); });
    if (!wanted) continue;
    if (index + 1 < expr.clauses.size()) {
      run_clauses(expr, index + 1, iterate(evaluate(*expr.clauses[index + 1].source)), out, dict);
    } else if (expr.text == "dict") {
      const Value key = evaluate(*expr.parts[0]);
      dict.set(key, evaluate(*expr.parts[1]));
    } else {
      out.push_back(evaluate(*expr.parts[0]));
    }
  }
}

Evaluator::Arguments Evaluator::arguments(const Expr& expr) {
  Arguments out;
  const auto add = [&](const std::string& name, const Value& value) {
    for (const auto& keyword : out.keywords)
      if (keyword.first == name) fail_value("argument \"", name, "\" is given twice");
    out.keywords.emplace_back(name, value);
  };
  for (size_t i = 1; i < expr.parts.size(); ++i) {
    const Expr& part = *expr.parts[i];
    if (part.kind == Expr::Kind::starred) {
      for (Value& v : iterate(evaluate(*part.parts[0]))) out.values.push_back(std::move(v));
    } else if (part.kind != Expr::Kind::keyword) {
      if (!out.keywords.empty()) fail_value("a positional argument behind a named one");
      out.values.push_back(evaluate(part));
    } else if (!part.text.empty()) {
      add(part.text, evaluate(*part.parts[0]));
    } else {
      const Value value = evaluate(*part.parts[0]);
      if (!value.dict()) fail_value("** of a ", value.type());
      for (const auto& [key, v] : value.dict()->items()) {
        if (!key.is<std::string>()) fail_value("** with a key that is no str: ", key.repr());
        add(key.get<std::string>(), v);
      }
    }
  }
  return out;
}

Value Evaluator::call(const Expr& expr) {
  const Expr& callee = *expr.parts[0];
  if (callee.kind == Expr::Kind::attribute) {
    const Value object = evaluate(*callee.parts[0]);
    if (object.is<Imported>())
      fail_value("call of ", object.get<Imported>().name, ".", callee.text,
                 "(): nothing is imported or executed in a config");
    return call_method(object, callee.text, arguments(expr));
  }
  if (callee.kind == Expr::Kind::name) {
    const bool bound = names_->find(callee.text) ||
                       std::any_of(scopes_.begin(), scopes_.end(),
                                   [&](const auto& scope) { return scope->find(callee.text); });
    if (!bound && is_builtin(callee.text)) return call_builtin(callee.text, arguments(expr));
    if (!bound || names_->find(callee.text))
      fail_value("call of ", callee.text, "(): nothing is imported or executed in a config");
  }
  fail_value("call of something that is no known function");
}

void Evaluator::assign(const Expr& target, const Value& value) {
  try {
    switch (target.kind) {
      case Expr::Kind::name:
        (scopes_.empty() ? *names_ : *scopes_.back()).set(Value(target.text), value);
        return;
      case Expr::Kind::tuple:
      case Expr::Kind::list: {
        const std::vector<Value> items = iterate(value);
        if (items.size() != target.parts.size())
          fail_value(items.size(), " values for ", target.parts.size(), " names");
        for (size_t i = 0; i < items.size(); ++i) assign(*target.parts[i], items[i]);
        return;
      }
      default:
        break;
    }
    const Value object = evaluate(*target.parts[0]);
    refuse_circle(object, value);
    if (target.kind == Expr::Kind::attribute) {
      if (!object.dict()) fail_value("assignment to an attribute of a ", object.type());
      object.dict()->set(Value(target.text), value);
      return;
    }
    const Value index = evaluate(*target.parts[1]);
    if (Dict* dict = object.dict()) {
      const bool as_text = index.is<int64_t>() && !dict->find(index) && dict->find(index.text());
      dict->set(as_text ? Value(index.text()) : index, value);
    } else if (Sequence* s = object.sequence(); s && s->kind == Sequence::Kind::list) {
      s->items[index_of(index, s->items.size())] = value;
    } else {
      fail_value("assignment to an element of a ", object.type());
    }
  } catch (const ValueError& error) {
    fail_at(file_, target.place, error.what());
  }
}

}  // namespace limber::python
