// Expressions, from the loosest operator to the tightest.
#include <algorithm>
#include <array>

#include "pose/config/python_parser.h"

namespace limber::python {
namespace {

constexpr int kMaxDepth = 200;
constexpr std::array kStatementWords = {
    "and",    "as",   "assert", "async",  "await",  "break",   "class",    "continue",
    "def",    "del",  "elif",   "else",   "except", "finally", "for",      "from",
    "global", "if",   "import", "in",     "is",     "lambda",  "nonlocal", "not",
    "or",     "pass", "raise",  "return", "try",    "while",   "with",     "yield"};

bool is_keyword(const std::string& name) {
  return std::find(kStatementWords.begin(), kStatementWords.end(), name) != kStatementWords.end();
}

}  // namespace

bool Parser::accept(std::string_view op) {
  if (!now().is_op(op)) return false;
  take();
  return true;
}

bool Parser::accept_name(std::string_view name) {
  if (!now().is_name(name)) return false;
  take();
  return true;
}

void Parser::expect(std::string_view op) {
  if (!accept(op)) unexpected(("\"" + std::string(op) + "\"").c_str());
}

std::string Parser::expect_identifier(const char* what) {
  if (now().kind != Token::Kind::name || is_keyword(now().text)) unexpected(what);
  return take().text;
}

void Parser::outside(Place place, const std::string& construct) const {
  fail_at(file_, place, construct, " is outside of the Python subset that configs may use");
}

std::string Parser::describe(const Token& token) const {
  switch (token.kind) {
    case Token::Kind::newline:
      return "the end of the line";
    case Token::Kind::indent:
      return "an indentation";
    case Token::Kind::dedent:
      return "the end of the block";
    case Token::Kind::end:
      return "the end of the text";
    case Token::Kind::string:
    case Token::Kind::format_string:
      return "a string";
    default:
      return "\"" + token.text + "\"";
  }
}

void Parser::unexpected(const char* wanted) const {
  fail_at(file_, now().place, "expected ", wanted, ", got ", describe(now()));
}

ExprPtr Parser::make(Expr::Kind kind, Place place, std::string text) const {
  auto expr = std::make_unique<Expr>();
  expr->kind = kind;
  expr->place = place;
  expr->text = std::move(text);
  return expr;
}

void Parser::add(const ExprPtr& to, ExprPtr part) const {
  if (part) to->depth = std::max(to->depth, part->depth + 1);
  if (to->depth > kMaxDepth) fail_at(file_, to->place, "expression nested deeper than ", kMaxDepth);
  to->parts.push_back(std::move(part));
}

ExprPtr Parser::whole_expression() {
  ExprPtr expr = tuple_or_test();
  if (now().kind != Token::Kind::end) unexpected("the end of the expression");
  return expr;
}

ExprPtr Parser::tuple_or_test() {
  const Place place = now().place;
  ExprPtr first = test_or_starred();
  if (!now().is_op(",")) {
    if (first->kind == Expr::Kind::starred) fail_at(file_, place, "a starred value stands alone");
    return first;
  }
  ExprPtr tuple = make(Expr::Kind::tuple, place);
  add(tuple, std::move(first));
  while (accept(",")) {
    const Token& next = now();
    if (next.kind == Token::Kind::newline || next.kind == Token::Kind::end || next.is_op("=") ||
        next.is_op(")") || next.is_op("]") || next.is_op(":"))
      break;
    add(tuple, test_or_starred());
  }
  return tuple;
}

ExprPtr Parser::test_or_starred() {
  const Place place = now().place;
  if (!accept("*")) return test();
  ExprPtr starred = make(Expr::Kind::starred, place);
  add(starred, comparison());
  return starred;
}

ExprPtr Parser::test() {
  const Place place = now().place;
  ExprPtr value = disjunction();
  if (!accept_name("if")) return value;
  ExprPtr conditional = make(Expr::Kind::conditional, place);
  add(conditional, std::move(value));
  add(conditional, disjunction());
  if (!accept_name("else")) unexpected("\"else\"");
  add(conditional, test());
  return conditional;
}

ExprPtr Parser::disjunction() {
  const Place place = now().place;
  ExprPtr first = conjunction();
  if (!now().is_name("or")) return first;
  ExprPtr any = make(Expr::Kind::boolean, place, "or");
  add(any, std::move(first));
  while (accept_name("or")) add(any, conjunction());
  return any;
}

ExprPtr Parser::conjunction() {
  const Place place = now().place;
  ExprPtr first = inversion();
  if (!now().is_name("and")) return first;
  ExprPtr all = make(Expr::Kind::boolean, place, "and");
  add(all, std::move(first));
  while (accept_name("and")) add(all, inversion());
  return all;
}

ExprPtr Parser::inversion() {
  const Place place = now().place;
  int count = 0;
  while (accept_name("not")) ++count;
  ExprPtr value = comparison();
  for (; count > 0; --count) {
    ExprPtr inverted = make(Expr::Kind::unary, place, "not");
    add(inverted, std::move(value));
    value = std::move(inverted);
  }
  return value;
}

std::string Parser::comparison_operator() {
  if (now().kind == Token::Kind::op) {
    for (const char* op : {"<", ">", "==", ">=", "<=", "!="})
      if (accept(op)) return op;
  } else if (accept_name("in")) {
    return "in";
  } else if (now().is_name("not") && ahead(1).is_name("in")) {
    take();
    take();
    return "not in";
  } else if (accept_name("is")) {
    return accept_name("not") ? "is not" : "is";
  }
  return "";
}

ExprPtr Parser::comparison() {
  const Place place = now().place;
  ExprPtr first = sum();
  std::string op = comparison_operator();
  if (op.empty()) return first;
  ExprPtr compare = make(Expr::Kind::compare, place);
  add(compare, std::move(first));
  for (; !op.empty(); op = comparison_operator()) {
    compare->operators.push_back(op);
    add(compare, sum());
  }
  return compare;
}

ExprPtr Parser::sum() {
  ExprPtr left = product();
  while (now().is_op("+") || now().is_op("-")) {
    const Token op = take();
    ExprPtr binary = make(Expr::Kind::binary, op.place, op.text);
    add(binary, std::move(left));
    add(binary, product());
    left = std::move(binary);
  }
  for (const char* op : {"|", "&", "^", "<<", ">>"})
    if (now().is_op(op)) outside(now().place, "operator " + now().text);
  return left;
}

ExprPtr Parser::product() {
  ExprPtr left = factor();
  while (now().is_op("*") || now().is_op("/") || now().is_op("//") || now().is_op("%")) {
    const Token op = take();
    ExprPtr binary = make(Expr::Kind::binary, op.place, op.text);
    add(binary, std::move(left));
    add(binary, factor());
    left = std::move(binary);
  }
  if (now().is_op("@")) outside(now().place, "operator @");
  return left;
}

ExprPtr Parser::factor() {
  std::vector<Token> signs;
  while (now().is_op("-") || now().is_op("+")) signs.push_back(take());
  if (now().is_op("~")) outside(now().place, "operator ~");
  ExprPtr value = power();
  for (; !signs.empty(); signs.pop_back()) {
    ExprPtr unary = make(Expr::Kind::unary, signs.back().place, signs.back().text);
    add(unary, std::move(value));
    value = std::move(unary);
  }
  return value;
}

ExprPtr Parser::power() {
  // a ** b ** c is a ** (b ** c), and -a ** b is -(a ** b).
  std::vector<ExprPtr> operands;
  std::vector<Place> places;
  operands.push_back(primary());
  while (now().is_op("**")) {
    places.push_back(take().place);
    if (now().is_op("-") || now().is_op("+")) {
      operands.push_back(factor());
      break;
    }
    operands.push_back(primary());
  }
  ExprPtr right = std::move(operands.back());
  for (size_t i = operands.size() - 1; i-- > 0;) {
    ExprPtr binary = make(Expr::Kind::binary, places[i], "**");
    add(binary, std::move(operands[i]));
    add(binary, std::move(right));
    right = std::move(binary);
  }
  return right;
}

ExprPtr Parser::primary() {
  ExprPtr value = atom();
  for (;;) {
    const Place place = now().place;
    if (accept(".")) {
      ExprPtr attribute =
          make(Expr::Kind::attribute, place, expect_identifier("a name after \".\""));
      add(attribute, std::move(value));
      value = std::move(attribute);
    } else if (now().is_op("(")) {
      value = call(std::move(value));
    } else if (now().is_op("[")) {
      value = subscript(std::move(value));
    } else {
      return value;
    }
  }
}

ExprPtr Parser::call(ExprPtr callee) {
  ExprPtr call = make(Expr::Kind::call, callee->place);
  add(call, std::move(callee));
  expect("(");
  while (!now().is_op(")")) {
    const Place place = now().place;
    if (now().kind == Token::Kind::name && ahead(1).is_op("=")) {
      ExprPtr keyword = make(Expr::Kind::keyword, place, expect_identifier("an argument's name"));
      expect("=");
      add(keyword, test());
      add(call, std::move(keyword));
    } else if (accept("**")) {
      ExprPtr keyword = make(Expr::Kind::keyword, place);
      add(keyword, test());
      add(call, std::move(keyword));
    } else {
      ExprPtr argument = test_or_starred();
      if (now().is_name("for"))
        argument = comprehension("tuple", std::move(argument), nullptr, place);
      if (now().is_op(":=")) outside(now().place, "operator :=");
      add(call, std::move(argument));
    }
    if (!accept(",")) break;
  }
  expect(")");
  return call;
}

ExprPtr Parser::subscript(ExprPtr value) {
  ExprPtr subscript = make(Expr::Kind::subscript, now().place);
  add(subscript, std::move(value));
  expect("[");
  add(subscript, slice_or_test());
  if (now().is_op(",")) outside(now().place, "a subscript of several indices");
  expect("]");
  return subscript;
}

ExprPtr Parser::slice_or_test() {
  ExprPtr slice = make(Expr::Kind::slice, now().place);
  ExprPtr first = now().is_op(":") ? nullptr : test();
  if (!now().is_op(":")) return first;
  add(slice, std::move(first));
  while (slice->parts.size() < 3 && accept(":"))
    add(slice, now().is_op(":") || now().is_op("]") ? nullptr : test());
  return slice;
}

ExprPtr Parser::atom() {
  const Token& token = now();
  switch (token.kind) {
    case Token::Kind::name:
      return atom_name();
    case Token::Kind::integer: {
      ExprPtr literal = make(Expr::Kind::literal, token.place);
      literal->value = Value(take().integer);
      return literal;
    }
    case Token::Kind::real: {
      ExprPtr literal = make(Expr::Kind::literal, token.place);
      literal->value = Value(take().real);
      return literal;
    }
    case Token::Kind::string:
    case Token::Kind::format_string:
      return strings();
    default:
      break;
  }
  if (token.is_op("(")) return parenthesised();
  if (token.is_op("[")) return list_display();
  if (token.is_op("{")) return brace_display();
  if (token.is_op("...")) outside(token.place, "\"...\"");
  unexpected("a value");
}

ExprPtr Parser::atom_name() {
  const Token token = now();
  if (token.text == "None" || token.text == "True" || token.text == "False") {
    take();
    ExprPtr literal = make(Expr::Kind::literal, token.place);
    if (token.text != "None") literal->value = Value(token.text == "True");
    return literal;
  }
  if (token.text == "lambda" || token.text == "await" || token.text == "yield")
    outside(token.place, token.text);
  if (is_keyword(token.text)) unexpected("a value");
  return make(Expr::Kind::name, token.place, take().text);
}

ExprPtr Parser::parenthesised() {
  const Place place = now().place;
  expect("(");
  if (accept(")")) return make(Expr::Kind::tuple, place);
  ExprPtr first = test_or_starred();
  if (now().is_name("for")) {
    first = comprehension("tuple", std::move(first), nullptr, place);
  } else if (now().is_op(",")) {
    ExprPtr tuple = make(Expr::Kind::tuple, place);
    add(tuple, std::move(first));
    while (accept(","))
      if (!now().is_op(")")) add(tuple, test_or_starred());
    first = std::move(tuple);
  } else if (first->kind == Expr::Kind::starred) {
    fail_at(file_, place, "a starred value stands alone");
  }
  if (now().is_op(":=")) outside(now().place, "operator :=");
  expect(")");
  return first;
}

ExprPtr Parser::list_display() {
  const Place place = now().place;
  expect("[");
  ExprPtr list = make(Expr::Kind::list, place);
  while (!now().is_op("]")) {
    ExprPtr element = test_or_starred();
    if (now().is_name("for") && list->parts.empty()) {
      ExprPtr comprehended = comprehension("list", std::move(element), nullptr, place);
      expect("]");
      return comprehended;
    }
    add(list, std::move(element));
    if (!accept(",")) break;
  }
  expect("]");
  return list;
}

ExprPtr Parser::brace_display() {
  if (ahead(1).is_op("{") && ahead(2).is_name("_base_")) return base_reference();
  const Place place = now().place;
  expect("{");
  ExprPtr dict = make(Expr::Kind::dict, place);
  while (!now().is_op("}")) {
    if (accept("**")) {
      add(dict, nullptr);
      add(dict, comparison());
    } else {
      ExprPtr key = test_or_starred();
      if (!now().is_op(":")) outside(place, "a set display");
      expect(":");
      ExprPtr value = test();
      if (now().is_name("for") && dict->parts.empty()) {
        ExprPtr comprehended = comprehension("dict", std::move(key), std::move(value), place);
        expect("}");
        return comprehended;
      }
      add(dict, std::move(key));
      add(dict, std::move(value));
    }
    if (!accept(",")) break;
  }
  expect("}");
  return dict;
}

// {{_base_.a.b}} is the value _base_.a.b.
ExprPtr Parser::base_reference() {
  expect("{");
  expect("{");
  ExprPtr value = primary();
  expect("}");
  expect("}");
  return value;
}

ExprPtr Parser::comprehension(const char* kind, ExprPtr element, ExprPtr value, Place place) {
  if (element->kind == Expr::Kind::starred)
    fail_at(file_, element->place, "a starred value in a comprehension");
  ExprPtr out = make(Expr::Kind::comprehension, place, kind);
  add(out, std::move(element));
  if (value) add(out, std::move(value));
  out->clauses = clauses();
  for (const Clause& clause : out->clauses) {
    out->depth = std::max(out->depth, clause.source->depth + 1);
    for (const ExprPtr& condition : clause.conditions)
      out->depth = std::max(out->depth, condition->depth + 1);
  }
  if (out->depth > kMaxDepth) fail_at(file_, place, "expression nested deeper than ", kMaxDepth);
  return out;
}

std::vector<Clause> Parser::clauses() {
  std::vector<Clause> out;
  while (accept_name("for")) {
    Clause clause;
    clause.target = target_list();
    if (!accept_name("in")) unexpected("\"in\"");
    clause.source = disjunction();
    while (accept_name("if")) clause.conditions.push_back(disjunction());
    out.push_back(std::move(clause));
  }
  if (now().is_name("async")) outside(now().place, "async");
  return out;
}

// The names that a loop binds: a, or a, b, or (a, b).
ExprPtr Parser::target_list() {
  const Place place = now().place;
  ExprPtr first = primary();
  if (now().is_op(",")) {
    ExprPtr tuple = make(Expr::Kind::tuple, place);
    add(tuple, std::move(first));
    while (accept(","))
      if (!now().is_name("in")) add(tuple, primary());
    first = std::move(tuple);
  }
  check_target(*first);
  return first;
}

}  // namespace limber::python
