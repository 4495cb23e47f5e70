// Python's arithmetic: floor division and remainder towards minus infinity, true division, integer
// powers, repetition and concatenation of sequences.
#include <cmath>

#include "pose/config/python_value.h"

namespace limber::python {
namespace {

constexpr size_t kMaxItems = 1 << 20;    // of a repeated list
constexpr size_t kMaxBytes = 16u << 20;  // of a string

[[noreturn]] void overflow(const std::string& op) {
  fail_value("the result of ", op, " does not fit 64 bits");
}

[[noreturn]] void unsupported(const std::string& op, const Value& a, const Value& b) {
  fail_value("operator ", op, " between ", a.type(), " and ", b.type());
}

int64_t integer_power(int64_t base, int64_t exponent) {
  int64_t result = 1;
  while (exponent > 0) {
    if (exponent % 2 && __builtin_mul_overflow(result, base, &result)) overflow("**");
    exponent /= 2;
    if (exponent && __builtin_mul_overflow(base, base, &base)) overflow("**");
  }
  return result;
}

Value integers(const std::string& op, int64_t a, int64_t b) {
  int64_t result = 0;
  bool overflowed = false;
  if (op == "+") {
    overflowed = __builtin_add_overflow(a, b, &result);
  } else if (op == "-") {
    overflowed = __builtin_sub_overflow(a, b, &result);
  } else if (op == "*") {
    overflowed = __builtin_mul_overflow(a, b, &result);
  } else if (op == "**") {
    if (b < 0) return Value(std::pow(double(a), double(b)));
    result = integer_power(a, b);
  } else if (b == 0) {
    fail_value("division by zero");
  } else if (op == "/") {
    return Value(double(a) / double(b));
  } else if (b == -1) {  // INT64_MIN / -1 is the one quotient that does not fit
    if (op == "//") overflowed = __builtin_sub_overflow(int64_t(0), a, &result);
  } else {
    const int64_t remainder = a % b;
    const bool down = remainder != 0 && (remainder < 0) != (b < 0);
    result = op == "//" ? a / b - down : remainder + (down ? b : 0);
  }
  if (overflowed) overflow(op);
  return Value(result);
}

Value reals(const std::string& op, double a, double b) {
  if (op == "+") return a + b;
  if (op == "-") return a - b;
  if (op == "*") return a * b;
  if (op == "**") {
    const double power = std::pow(a, b);
    if (std::isnan(power) && !std::isnan(a) && !std::isnan(b))
      fail_value("a root of a negative number");
    return power;
  }
  if (b == 0) fail_value("division by zero");
  if (op == "/") return a / b;
  double remainder = std::fmod(a, b);
  double quotient = (a - remainder) / b;
  if (remainder != 0 && (remainder < 0) != (b < 0)) {
    remainder += b;
    quotient -= 1;
  }
  if (op == "%") return remainder;
  const double whole = std::floor(quotient);
  return quotient - whole > 0.5 ? whole + 1 : whole;
}

Value repeat(const Value& v, int64_t times) {
  times = std::max<int64_t>(times, 0);
  const bool text = v.is<std::string>();
  const size_t size = text ? v.get<std::string>().size() : v.sequence()->items.size();
  const size_t limit = text ? kMaxBytes : kMaxItems;
  if (size && size_t(times) > limit / size)
    fail_value("repeating ", size, " elements ", times, " times");
  if (size == 0) times = 0;
  if (text) {
    std::string out;
    for (int64_t i = 0; i < times; ++i) out += v.get<std::string>();
    return out;
  }
  const Sequence& s = *v.sequence();
  std::vector<Value> items;
  for (int64_t i = 0; i < times; ++i) items.insert(items.end(), s.items.begin(), s.items.end());
  return std::make_shared<Sequence>(s.kind, std::move(items));
}

bool repeatable(const Value& v) {
  return v.is<std::string>() || (v.sequence() && v.sequence()->kind != Sequence::Kind::range);
}

}  // namespace

Value arithmetic(const std::string& op, const Value& a, const Value& b) {
  if (a.is_int() && b.is_int()) return integers(op, a.integer(), b.integer());
  if (a.is_number() && b.is_number()) return reals(op, a.number(), b.number());
  if (op == "*" && repeatable(a) && b.is_int()) return repeat(a, b.integer());
  if (op == "*" && repeatable(b) && a.is_int()) return repeat(b, a.integer());
  if (op != "+") unsupported(op, a, b);
  if (a.is<std::string>() && b.is<std::string>()) {
    if (a.get<std::string>().size() + b.get<std::string>().size() > kMaxBytes)
      fail_value("a string of more than ", kMaxBytes, " bytes");
    return a.get<std::string>() + b.get<std::string>();
  }
  const Sequence *x = a.sequence(), *y = b.sequence();
  if (!x || !y || x->kind != y->kind || x->kind == Sequence::Kind::range) unsupported(op, a, b);
  if (x->items.size() + y->items.size() > kMaxItems)
    fail_value("a ", a.type(), " of more than ", kMaxItems, " elements");
  std::vector<Value> items = x->items;
  items.insert(items.end(), y->items.begin(), y->items.end());
  return std::make_shared<Sequence>(x->kind, std::move(items));
}

}  // namespace limber::python
