// What the readers of JSON and Python configs share: text substitution, inheritance, merging.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "pose/config/config.h"

namespace limber {

// The file's text with {{fileDirname}} and its kin and {{$ENV:default}} replaced. Throws
// InputError where the file cannot be read or a variable has neither value nor default.
std::string read_config_text(const std::string& file);

// A chain of files being read, each the base of the one before; refuses cycles.
class ConfigChain {
 public:
  // Reads `file` by its extension, as the base of the files in this chain.
  Config load(const std::string& file);

  // While one of these lives, `file` is being read: reading it again inside is an error.
  class Entry {
   public:
    Entry(ConfigChain& chain, const std::string& file);
    ~Entry() { chain_.open_.pop_back(); }
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

   private:
    ConfigChain& chain_;
  };

  // The union of the bases named by `base` (string or list), relative to `file`. A top-level key
  // in two bases is an error.
  Config load_bases(const Config& base, const std::string& file);

  // Where the base `name` of `file` lies: relative to the file's folder; "mmpose::path" is
  // looked up in the folders named "configs" around the file, and every outermost object with a
  // `type` gets `_scope_: mmpose`, as MMEngine marks what comes from another package.
  static std::string base_path(const std::string& name, const std::string& file);

 private:
  std::vector<std::string> open_;
  int files_ = 0;
};

// `name` in the nearest folder called "configs" that stands above `file` or beside one of the
// folders above it, or "" when none holds it.
std::string find_in_configs(const std::string& name, const std::string& file);

// Puts `over` on top of `base`: objects merge, everything else replaces, `_delete_` replaces too.
void merge_config(Config& base, const Config& over);

// The whole of a file: its own keys over those of its bases, without `_base_`, `_deprecation_` and
// names that begin with two underscores.
Config inherit(const Config& own, Config bases);

// Replaces every string that is exactly "{{_base_.a.b}}" below `config` by that value of `bases`.
Config substitute_base_values(const Config& config, const Config& bases);

// "a.b" from `bases` on; `user` is the node that asks, for the error.
Config base_value(const std::string& dotted, const Config& bases, const Config& user);

}  // namespace limber
