#include "nn/pickle.h"

#include <bit>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <unordered_map>

#include "nn/pickle_globals.h"

namespace limber {
namespace {

using Kind = PickleValue::Kind;

constexpr size_t kMaxObjects = 1 << 20;
constexpr int kMaxDepth = 200;

class Unpickler {
 public:
  explicit Unpickler(const PickleSource& source) : source_(source), bytes_(source.bytes) {}

  // Containers may form circles; emptying them is what frees those.
  ~Unpickler() {
    if (done_) return;
    stack_.clear();
    memo_.clear();
    for (const PickleValue& container : containers_) container.container()->clear();
  }

  std::pair<PickleValue, size_t> run() {
    try {
      while (step()) {
      }
      check_input(stack_.size() == 1 && marks_.empty(), "the pickle ends with ", stack_.size(),
                  " values on its stack");
      check_tree();
    } catch (const InputError& error) {
      fail_input(source_.name, ": pickle at offset ", source_.offset + start_, ": ", error.what());
    }
    done_ = true;
    return {stack_[0], at_};
  }

 private:
  // Reading.
  uint64_t number(size_t size) {
    need(size);
    uint64_t v = 0;
    for (size_t i = 0; i < size; ++i) v |= uint64_t(bytes_[at_ + i]) << (8 * i);
    at_ += size;
    return v;
  }
  void need(uint64_t size) const {
    check_input(size <= bytes_.size() - at_, "needs ", size, " bytes where ", bytes_.size() - at_,
                " are left");
  }
  std::string chunk(uint64_t size) {
    need(size);
    std::string out(reinterpret_cast<const char*>(bytes_.data() + at_), size_t(size));
    at_ += size_t(size);
    return out;
  }
  std::string line() {
    size_t end = at_;
    while (end < bytes_.size() && bytes_[end] != std::byte('\n')) ++end;
    check_input(end < bytes_.size(), "a line without an end");
    std::string out = chunk(end - at_);
    ++at_;
    return out;
  }

  // The stack.
  void push(PickleValue v) {
    check_input(++pushed_ <= kMaxObjects, "more than ", kMaxObjects, " values");
    stack_.push_back(std::move(v));
  }
  void push_container(PickleValue v) {
    containers_.push_back(v);
    push(std::move(v));
  }
  size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  PickleValue pop() {
    check_input(stack_.size() > floor(), "takes a value from an empty stack");
    PickleValue v = std::move(stack_.back());
    stack_.pop_back();
    return v;
  }
  PickleValue& top() {
    check_input(stack_.size() > floor(), "takes a value from an empty stack");
    return stack_.back();
  }
  std::vector<PickleValue> pop_mark() {
    check_input(!marks_.empty(), "there is no mark on the stack");
    const auto first = stack_.begin() + std::ptrdiff_t(marks_.back());
    std::vector<PickleValue> out(std::make_move_iterator(first),
                                 std::make_move_iterator(stack_.end()));
    stack_.erase(first, stack_.end());
    marks_.pop_back();
    return out;
  }
  void push_tuple(size_t n) {
    std::vector<PickleValue> items(n);
    for (size_t i = n; i-- > 0;) items[i] = pop();
    push_container(PickleValue::tuple(std::move(items)));
  }

  // The memo.
  void put(uint64_t i) {
    check_input(memo_.size() < kMaxObjects, "more than ", kMaxObjects, " memo entries");
    memo_[i] = top();
  }
  void get(uint64_t i) {
    const auto it = memo_.find(i);
    check_input(it != memo_.end(), "memo entry ", i, " was never made");
    push(it->second);
  }
  uint64_t decimal() {
    const std::string text = line();
    const bool digits = !text.empty() && text.size() < 10 &&
                        text.find_first_not_of("0123456789") == std::string::npos;
    check_input(digits, "memo entry \"", text, "\"");
    return std::strtoull(text.c_str(), nullptr, 10);
  }

  bool step() {
    start_ = at_;
    need(1);
    const auto op = static_cast<unsigned char>(bytes_[at_++]);
    if (op == '.') return false;
    if (scalar(op) || text(op) || container(op) || memo(op) || call(op)) return true;
    fail_input("operation ", int(op), " is not part of checkpoints");
  }

  bool scalar(unsigned char op) {
    switch (op) {
      case 0x80: {  // PROTO
        const uint64_t version = number(1);
        check_input(version <= 5, "pickle protocol ", version);
        return true;
      }
      case 0x95:  // FRAME: how many bytes follow is of no use here
        number(8);
        return true;
      case 'N':
        push(PickleValue());
        return true;
      case 0x88:
      case 0x89:
        push(PickleValue(op == 0x88));
        return true;
      case 'K':
        push(PickleValue(int64_t(number(1))));
        return true;
      case 'M':
        push(PickleValue(int64_t(number(2))));
        return true;
      case 'J':
        push(PickleValue(int64_t(int32_t(uint32_t(number(4))))));
        return true;
      case 0x8a:
        push(long_integer(number(1)));
        return true;
      case 0x8b:
        push(long_integer(number(4)));
        return true;
      case 'I':
      case 'L':
        push(text_integer(op == 'I'));
        return true;
      case 'G': {
        const uint64_t little = number(8);
        push(PickleValue(std::bit_cast<double>(__builtin_bswap64(little))));
        return true;
      }
      case 'F': {
        const std::string digits = line();
        char* end = nullptr;
        const double v = std::strtod(digits.c_str(), &end);
        check_input(!digits.empty() && *end == '\0', "float \"", digits, "\"");
        push(PickleValue(v));
        return true;
      }
      default:
        return false;
    }
  }

  PickleValue long_integer(uint64_t size) {
    check_input(size <= 8, "an integer of ", size, " bytes");
    if (size == 0) return PickleValue(int64_t(0));
    const uint64_t raw = number(size_t(size)) << (64 - 8 * size);
    return PickleValue(int64_t(raw) >> (64 - 8 * size));
  }

  PickleValue text_integer(bool may_be_bool) {
    std::string digits = line();
    if (may_be_bool && (digits == "00" || digits == "01")) return PickleValue(digits == "01");
    if (!may_be_bool && digits.ends_with('L')) digits.pop_back();
    char* end = nullptr;
    errno = 0;
    const long long v = std::strtoll(digits.c_str(), &end, 10);
    check_input(!digits.empty() && *end == '\0' && errno == 0, "integer \"", digits, "\"");
    return PickleValue(int64_t(v));
  }

  bool text(unsigned char op) {
    switch (op) {
      case 'X':
        push(PickleValue(Kind::string, chunk(number(4))));
        return true;
      case 0x8c:
        push(PickleValue(Kind::string, chunk(number(1))));
        return true;
      case 0x8d:
        push(PickleValue(Kind::string, chunk(number(8))));
        return true;
      case 'U':  // text of Python 2
        push(PickleValue(Kind::string, chunk(number(1))));
        return true;
      case 'T':
        push(PickleValue(Kind::string, chunk(number(4))));
        return true;
      case 'V':
        push(PickleValue(Kind::string, line()));
        return true;
      case 'C':
        push(PickleValue(Kind::bytes, chunk(number(1))));
        return true;
      case 'B':
        push(PickleValue(Kind::bytes, chunk(number(4))));
        return true;
      case 0x8e:
        push(PickleValue(Kind::bytes, chunk(number(8))));
        return true;
      default:
        return false;
    }
  }

  bool container(unsigned char op) {
    switch (op) {
      case '(':
        check_input(marks_.size() < kMaxObjects, "too many marks");
        marks_.push_back(stack_.size());
        return true;
      case '0':
        pop();
        return true;
      case '1':
        pop_mark();
        return true;
      case '2':
        push(top());
        return true;
      case ')':
        push_tuple(0);
        return true;
      case 0x85:
      case 0x86:
      case 0x87:
        push_tuple(size_t(op - 0x84));
        return true;
      case 't':
        push_container(PickleValue::tuple(pop_mark()));
        return true;
      case ']':
        push_container(PickleValue::list());
        return true;
      case 'l':
        make_filled(PickleValue::list());
        return true;
      case 0x8f:
        push_container(PickleValue::set());
        return true;
      case 0x91:
        make_filled(PickleValue::set());
        return true;
      case '}':
        push_container(PickleValue::dict());
        return true;
      case 'd':
        make_filled(PickleValue::dict());
        return true;
      case 'a':
        extend(1);
        return true;
      case 's':
        extend(2);
        return true;
      case 'e':
      case 'u':
      case 0x90: {
        const std::vector<PickleValue> items = pop_mark();
        fill(top(), items);
        return true;
      }
      default:
        return false;
    }
  }

  void make_filled(PickleValue container) {
    fill(container, pop_mark());
    push_container(std::move(container));
  }

  void extend(size_t n) {
    std::vector<PickleValue> items(n);
    for (size_t i = n; i-- > 0;) items[i] = pop();
    fill(top(), items);
  }

  static void fill(PickleValue& container, const std::vector<PickleValue>& items) {
    if (container.is(Kind::dict)) {
      check_input(items.size() % 2 == 0, "a dict key without a value");
      for (size_t i = 0; i < items.size(); i += 2) container.set(items[i], items[i + 1]);
    } else {
      check_input(container.is(Kind::list) || container.is(Kind::set), "cannot append to a ",
                  name_of(container.kind()));
      for (const PickleValue& item : items) container.push_back(item);
    }
  }

  bool memo(unsigned char op) {
    switch (op) {
      case 'q':
        put(number(1));
        return true;
      case 'r':
        put(number(4));
        return true;
      case 'p':
        put(decimal());
        return true;
      case 0x94:
        put(memo_.size());
        return true;
      case 'h':
        get(number(1));
        return true;
      case 'j':
        get(number(4));
        return true;
      case 'g':
        get(decimal());
        return true;
      default:
        return false;
    }
  }

  // Names, calls, and tensors' storages.
  bool call(unsigned char op) {
    switch (op) {
      case 'c': {
        const std::string module = line();
        push_global(module + "." + line());
        return true;
      }
      case 0x93: {
        const PickleValue name = pop(), module = pop();
        check_input(name.is(Kind::string) && module.is(Kind::string), "a global without a name");
        push_global(module.text() + "." + name.text());
        return true;
      }
      case 'i': {
        const std::string module = line();
        fail_input("global ", module, ".", line(), " is not allowed in a checkpoint");
      }
      case 'R':
      case 0x81: {
        const PickleValue arguments = pop(), callee = pop();
        check_input(callee.is(Kind::name), "a call of a ", name_of(callee.kind()));
        check_input(arguments.is(Kind::tuple), "a call with a ", name_of(arguments.kind()));
        push_result(reduce_global(callee.text(), arguments));
        return true;
      }
      case 'b': {
        const PickleValue state = pop(), object = pop();
        push_result(build_object(object, state));
        return true;
      }
      case 'Q': {
        const PickleValue id = pop();
        check_input(bool(source_.storage), "a storage in a pickle that can have none");
        auto tensor = std::make_shared<StoredTensor>();
        tensor->storage = source_.storage(id);
        tensor->shape = {int64_t(tensor->storage->numel)};
        tensor->strides = {1};
        push(PickleValue(std::move(tensor)));
        return true;
      }
      default:
        return false;
    }
  }

  void push_global(const std::string& name) {
    check_input(is_known_global(name), "global ", name, " is not allowed in a checkpoint");
    push(PickleValue(Kind::name, name));
  }

  void push_result(PickleValue v) {
    if (v.container()) containers_.push_back(v);
    push(std::move(v));
  }

  // Refuses circles and structures too deep to walk, wherever in the pickle they are.
  void check_tree() {
    std::unordered_map<const void*, int> depth;  // 0 while open
    for (const PickleValue& container : containers_) depth_of(container, depth, 0);
  }

  int depth_of(const PickleValue& v, std::unordered_map<const void*, int>& depth, int above) {
    const auto* c = v.container();
    if (!c) return 0;
    const auto [it, fresh] = depth.try_emplace(c, 0);
    if (!fresh) {
      check_input(it->second > 0, "a ", name_of(v.kind()), " that holds itself");
      return it->second;
    }
    check_input(above < kMaxDepth, "values nested deeper than ", kMaxDepth);
    int below = 0;
    for (const PickleValue& item : c->items)
      below = std::max(below, depth_of(item, depth, above + 1));
    for (const auto& [key, value] : c->pairs)
      below = std::max({below, depth_of(key, depth, above + 1), depth_of(value, depth, above + 1)});
    check_input(below < kMaxDepth, "values nested deeper than ", kMaxDepth);
    return depth[c] = below + 1;
  }

  const PickleSource& source_;
  std::span<const std::byte> bytes_;
  size_t at_ = 0, start_ = 0, pushed_ = 0;
  std::vector<PickleValue> stack_;
  std::vector<size_t> marks_;
  std::unordered_map<uint64_t, PickleValue> memo_;
  std::vector<PickleValue> containers_;
  bool done_ = false;
};

}  // namespace

std::pair<PickleValue, size_t> read_pickle(const PickleSource& source) {
  return Unpickler(source).run();
}

}  // namespace limber
