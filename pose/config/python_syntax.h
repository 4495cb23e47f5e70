// The syntax tree of a Python config, and its parser. The grammar is the part of Python that
// configs use; every other construct is an InputError with its place and name.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pose/config/python_token.h"
#include "pose/config/python_value.h"

namespace limber::python {

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;

// "for target in source if condition ..." of a comprehension.
struct Clause {
  ExprPtr target, source;
  std::vector<ExprPtr> conditions;
};

struct Expr {
  enum class Kind {
    literal,        // value
    name,           // text
    format_string,  // parts: literals and format_fields
    format_field,   // parts: expression[, spec as a format_string]; text: "", "r", "s", "a"
    tuple,          // parts, maybe starred
    list,           // parts, maybe starred
    dict,           // parts: key, value, key, value, ...; a null key stands for **value
    starred,        // parts: one
    keyword,        // of a call: text=parts[0]; an empty text stands for **parts[0]
    call,           // parts: callee, then arguments
    attribute,      // parts[0].text
    subscript,      // parts[0][parts[1]]
    slice,          // parts: start, stop, step, each may be null
    unary,          // text: + - not
    binary,         // text: + - * / // % **
    compare,        // parts: operands; operators between them
    boolean,        // text: and or; parts
    conditional,    // parts[0] if parts[1] else parts[2]
    comprehension,  // text: list, tuple (a generator) or dict; parts: element, or key and value
  };
  Kind kind = Kind::literal;
  Place place;
  int depth = 1;
  std::string text;
  Value value;
  std::vector<ExprPtr> parts;
  std::vector<std::string> operators;
  std::vector<Clause> clauses;
};

struct Statement {
  enum class Kind {
    expression,  // value
    assign,      // targets = ... = value
    augmented,   // targets[0] text= value; text: an arithmetic operator
    loop,        // for targets[0] in value: body
    branch,      // if value: body, else: orelse
    import,      // module is empty for "import names"; level: leading dots; names: (name, alias)
    read_base,   // body: imports
    pass,
  };
  Kind kind = Kind::pass;
  Place place;
  std::string text;
  std::vector<ExprPtr> targets;
  ExprPtr value;
  std::vector<Statement> body, orelse;
  std::string module;
  int level = 0;
  std::vector<std::pair<std::string, std::string>> names;
};

std::vector<Statement> parse_module(std::string_view text, const std::string& file);

}  // namespace limber::python
