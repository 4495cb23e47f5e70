// Statements of a Python config.
#include "pose/config/python_parser.h"

namespace limber::python {

std::vector<Statement> parse_module(std::string_view text, const std::string& file) {
  return Parser(tokenize(text, file), file).module();
}

std::vector<Statement> Parser::module() {
  std::vector<Statement> out;
  while (now().kind != Token::Kind::end) statement(out);
  return out;
}

void Parser::statement(std::vector<Statement>& out) {
  const Token& token = now();
  if (token.kind == Token::Kind::newline) {
    take();
    return;
  }
  if (token.kind == Token::Kind::indent) fail_at(file_, token.place, "unexpected indentation");
  if (token.is_name("for")) {
    out.push_back(loop());
  } else if (token.is_name("if")) {
    out.push_back(branch());
  } else if (token.is_name("with")) {
    out.push_back(with());
  } else {
    for (const char* word : {"def", "class", "while", "try", "async", "del", "assert", "raise",
                             "return", "global", "nonlocal", "break", "continue", "yield"})
      if (token.is_name(word)) outside(token.place, "statement \"" + token.text + "\"");
    if (token.is_op("@")) outside(token.place, "a decorator");
    do {
      if (now().kind == Token::Kind::newline) break;
      out.push_back(simple_statement());
    } while (accept(";"));
    if (now().kind != Token::Kind::newline && now().kind != Token::Kind::end)
      unexpected("the end of the statement");
    if (now().kind == Token::Kind::newline) take();
  }
}

Statement Parser::simple_statement() {
  if (now().is_name("import")) return import();
  if (now().is_name("from")) return from_import();
  if (now().is_name("pass")) {
    Statement pass;
    pass.place = take().place;
    return pass;
  }
  return assignment();
}

void Parser::check_target(const Expr& target) const {
  switch (target.kind) {
    case Expr::Kind::name:
    case Expr::Kind::attribute:
      return;
    case Expr::Kind::subscript:
      if (target.parts[1]->kind == Expr::Kind::slice)
        outside(target.place, "assignment to a slice");
      return;
    case Expr::Kind::tuple:
    case Expr::Kind::list:
      for (const ExprPtr& part : target.parts) check_target(*part);
      return;
    case Expr::Kind::starred:
      outside(target.place, "a starred target");
    default:
      fail_at(file_, target.place, "this cannot be assigned to");
  }
}

Statement Parser::assignment() {
  Statement out;
  out.place = now().place;
  ExprPtr first = tuple_or_test();
  for (const char* op : {"+", "-", "*", "/", "//", "%", "**"}) {
    if (!now().is_op(std::string(op) + "=")) continue;
    take();
    check_target(*first);
    if (first->kind == Expr::Kind::tuple || first->kind == Expr::Kind::list)
      fail_at(file_, first->place, "this cannot be assigned to");
    out.kind = Statement::Kind::augmented;
    out.text = op;
    out.targets.push_back(std::move(first));
    out.value = tuple_or_test();
    return out;
  }
  if (now().is_op(":")) outside(now().place, "an annotation");
  if (now().kind == Token::Kind::op && now().text.size() > 1 && now().text.back() == '=')
    outside(now().place, "operator " + now().text);
  out.kind = Statement::Kind::expression;
  while (accept("=")) {
    out.kind = Statement::Kind::assign;
    check_target(*first);
    out.targets.push_back(std::move(first));
    first = tuple_or_test();
  }
  out.value = std::move(first);
  return out;
}

std::vector<Statement> Parser::block() {
  expect(":");
  std::vector<Statement> out;
  if (now().kind != Token::Kind::newline) {
    out.push_back(simple_statement());
    while (accept(";") && now().kind != Token::Kind::newline) out.push_back(simple_statement());
    if (now().kind == Token::Kind::newline) take();
    return out;
  }
  take();
  if (now().kind != Token::Kind::indent) unexpected("an indented block");
  take();
  while (now().kind != Token::Kind::dedent && now().kind != Token::Kind::end) statement(out);
  if (now().kind == Token::Kind::dedent) take();
  return out;
}

Statement Parser::loop() {
  Statement out;
  out.kind = Statement::Kind::loop;
  out.place = take().place;
  out.targets.push_back(target_list());
  if (!accept_name("in")) unexpected("\"in\"");
  out.value = tuple_or_test();
  out.body = block();
  if (now().is_name("else")) outside(now().place, "\"else\" of a loop");
  return out;
}

Statement Parser::branch() {
  Statement out;
  out.kind = Statement::Kind::branch;
  out.place = take().place;
  out.value = test();
  out.body = block();
  if (now().is_name("elif")) {
    if (++nesting_ > 100) fail_at(file_, now().place, "more than 100 branches");
    out.orelse.push_back(branch());
    --nesting_;
  } else if (accept_name("else")) {
    out.orelse = block();
  }
  return out;
}

Statement Parser::with() {
  Statement out;
  out.kind = Statement::Kind::read_base;
  out.place = take().place;
  if (!now().is_name("read_base") || !ahead(1).is_op("(") || !ahead(2).is_op(")"))
    outside(out.place, "\"with\" for anything but read_base()");
  take();
  take();
  take();
  out.body = block();
  for (const Statement& statement : out.body)
    if (statement.kind != Statement::Kind::pass &&
        (statement.kind != Statement::Kind::import || statement.module.empty()))
      fail_at(file_, statement.place, "only \"from ... import ...\" may stand in read_base()");
  return out;
}

std::string Parser::dotted_name() {
  std::string name = expect_identifier("a module's name");
  while (accept(".")) name += "." + expect_identifier("a module's name");
  return name;
}

Statement Parser::import() {
  Statement out;
  out.kind = Statement::Kind::import;
  out.place = take().place;
  do {
    const std::string name = dotted_name();
    const std::string alias =
        accept_name("as") ? expect_identifier("a name") : name.substr(0, name.find('.'));
    out.names.emplace_back(name, alias);
  } while (accept(","));
  return out;
}

Statement Parser::from_import() {
  Statement out;
  out.kind = Statement::Kind::import;
  out.place = take().place;
  for (;; take()) {
    if (now().is_op("...")) {
      out.level += 3;
    } else if (now().is_op(".")) {
      ++out.level;
    } else {
      break;
    }
  }
  if (now().is_name("import")) outside(out.place, "\"from . import\" without a module");
  out.module = dotted_name();
  if (!accept_name("import")) unexpected("\"import\"");
  if (accept("*")) {
    out.names.emplace_back("*", "*");
    return out;
  }
  const bool brackets = accept("(");
  do {
    if (brackets && now().is_op(")")) break;
    const std::string name = expect_identifier("a name");
    out.names.emplace_back(name, accept_name("as") ? expect_identifier("a name") : name);
  } while (accept(","));
  if (brackets) expect(")");
  return out;
}

}  // namespace limber::python
