// Recursive descent over the tokens of a Python config. Expressions stand in
// python_expression.cpp, statements in python_statement.cpp.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pose/config/python_syntax.h"

namespace limber::python {

class Parser {
 public:
  // `nesting` is how many format strings lie around these tokens.
  Parser(std::vector<Token> tokens, const std::string& file, int nesting = 0)
      : tokens_(std::move(tokens)), file_(file), nesting_(nesting) {}

  std::vector<Statement> module();
  ExprPtr whole_expression();  // all tokens

 private:
  const Token& now() const { return tokens_[at_]; }
  const Token& ahead(size_t n) const { return tokens_[std::min(at_ + n, tokens_.size() - 1)]; }
  Token take() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
  bool accept(std::string_view op);  // takes the operator if it comes next
  bool accept_name(std::string_view name);
  void expect(std::string_view op);
  std::string expect_identifier(const char* what);
  // "... is outside of the Python subset that configs may use"
  [[noreturn]] void outside(Place place, const std::string& construct) const;
  [[noreturn]] void unexpected(const char* wanted) const;
  std::string describe(const Token& token) const;

  ExprPtr make(Expr::Kind kind, Place place, std::string text = "") const;
  // Adds a part and keeps track of the depth, which has a limit.
  void add(const ExprPtr& to, ExprPtr part) const;

  ExprPtr test();  // a conditional expression
  ExprPtr test_or_starred();
  ExprPtr tuple_or_test();  // a, b, *c
  ExprPtr disjunction();
  ExprPtr conjunction();
  ExprPtr inversion();
  ExprPtr comparison();
  std::string comparison_operator();
  ExprPtr sum();
  ExprPtr product();
  ExprPtr factor();
  ExprPtr power();
  ExprPtr primary();
  ExprPtr atom();
  ExprPtr atom_name();
  ExprPtr strings();
  ExprPtr parenthesised();
  ExprPtr list_display();
  ExprPtr brace_display();
  ExprPtr base_reference();
  ExprPtr call(ExprPtr callee);
  ExprPtr subscript(ExprPtr value);
  ExprPtr slice_or_test();
  ExprPtr comprehension(const char* kind, ExprPtr element, ExprPtr value, Place place);
  std::vector<Clause> clauses();
  ExprPtr target_list();
  void refuse_after_atom() const;
  // The parts of a format string's source from `i` on, up to its end or, inside a format
  // specification, to the closing brace.
  ExprPtr format_parts(const Token& token, size_t& i, bool in_spec);
  ExprPtr format_field(const Token& token, size_t& i);

  void statement(std::vector<Statement>& out);
  Statement simple_statement();
  Statement assignment();
  void check_target(const Expr& target) const;
  Statement loop();
  Statement branch();
  Statement with();
  Statement import();
  Statement from_import();
  std::string dotted_name();
  std::vector<Statement> block();

  std::vector<Token> tokens_;
  const std::string& file_;
  size_t at_ = 0;
  int nesting_ = 0;
};

}  // namespace limber::python
