// Computes the values of a Python config's expressions. It knows a fixed set of functions and
// methods that have no effect outside of the values; an imported name is only a name.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "pose/config/python_syntax.h"

namespace limber::python {

class Evaluator {
 public:
  explicit Evaluator(const std::string& file);

  Value evaluate(const Expr& expr);
  void assign(const Expr& target, const Value& value);
  // Counts one step of work; too many of them are an error.
  void step(Place place);

  // The module's names.
  Dict& names() { return *names_; }
  // What `_base_` stands for; undefined unless set.
  void set_bases(Value bases) { bases_ = std::make_unique<Value>(std::move(bases)); }
  bool used_bases() const { return used_bases_; }

  // The arguments of a call.
  struct Arguments {
    std::vector<Value> values;
    std::vector<std::pair<std::string, Value>> keywords;
  };

 private:
  Value compute(const Expr& expr);
  Value lookup(const Expr& name);
  Value format_string(const Expr& expr);
  std::vector<Value> elements(const Expr& expr, size_t first);
  Value dict_display(const Expr& expr);
  Value unary(const Expr& expr);
  Value compare(const Expr& expr);
  Value boolean(const Expr& expr);
  Value attribute(const Value& object, const Expr& expr);
  Value subscript(const Expr& expr);
  Value slice(const Value& object, const Expr& bounds);
  Value comprehension(const Expr& expr);
  void run_clauses(const Expr& expr, size_t clause, const std::vector<Value>& source,
                   std::vector<Value>& out, Dict& dict);
  Value call(const Expr& expr);
  Arguments arguments(const Expr& expr);

  const std::string& file_;
  std::shared_ptr<Dict> names_ = std::make_shared<Dict>();
  std::vector<std::unique_ptr<Dict>> scopes_;  // of comprehensions
  std::unique_ptr<Value> bases_;
  bool used_bases_ = false;
  int64_t steps_ = 0;
};

bool is_builtin(const std::string& name);
Value call_builtin(const std::string& name, const Evaluator::Arguments& arguments);
Value call_method(const Value& object, const std::string& name,
                  const Evaluator::Arguments& arguments);

}  // namespace limber::python
