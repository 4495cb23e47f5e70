// Choices that took measuring, in a text file for later runs: behind a line that names the format,
// one line "key<TAB>choice" each.
#pragma once

#include <map>
#include <string>

namespace limber::kernels::gpu {

class ChoiceFile {
 public:
  // Reads the file if there is one. A damaged one, or one of another kind, is left as it is:
  // nothing is found in it, nothing is written to it, and one line on stderr says so. "": no file,
  // the choices are this object's.
  explicit ChoiceFile(std::string path);

  const std::string* find(const std::string& key) const;  // null: not made yet
  // Enters the choice and writes the file anew, with what other programs have added to it since:
  // readers see the old file or the new one. No key holds a tab or the end of a line.
  void add(const std::string& key, const std::string& choice);

 private:
  // Whether the file could be used; entries that are known already stay.
  bool read();
  void give_up(const char* why);

  std::string path_;
  std::map<std::string, std::string> choices_;
};

}  // namespace limber::kernels::gpu
