// JSON read front to back without building a tree: for annotation files of hundreds of megabytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace limber {

// Appends the code point, below 0x110000, as UTF-8.
void append_utf8(std::string& out, uint32_t code);

// The caller asks for what it expects; anything else is an InputError with name, line and column.
//   reader.begin_object();
//   while (reader.next_key(key)) if (key == "id") id = reader.integer(); else reader.skip();
class JsonReader {
 public:
  enum class Kind { object, list, string, number, boolean, null, end };

  // `text` must outlive the reader; `name` is the file's.
  JsonReader(std::string_view text, std::string name);

  Kind peek();
  void begin_object();
  bool next_key(std::string& key);  // false: the object ended
  void begin_list();
  bool next_item();  // false: the list ended

  double number();    // also true and false as 1 and 0, and NaN, Infinity as Python writes them
  int64_t integer();  // a whole number
  bool boolean();     // also 0 and 1
  std::string string();
  void null();
  void numbers(std::vector<double>& out);  // a number, or a list of them nested at will
  void skip();                             // one value of any kind
  void finish();                           // throws when something follows the value
  [[noreturn]] void fail(std::string_view what) const;

 private:
  void skip_space();
  bool at_word(std::string_view word) const;
  void expect(char c);
  bool advance(char close);
  unsigned hex4();

  std::string_view text_;
  std::string name_;
  size_t at_ = 0;
  std::vector<bool> first_;  // per open object or list: nothing read of it yet
};

}  // namespace limber
