// A data set of drawn figures and a config of a model so small that training takes a moment.
#pragma once

#include <string>
#include <vector>

#include "tests/support/program.h"
#include "tests/support/temp_folder.h"

namespace limber::test {

class TinyRun {
 public:
  TinyRun();

  std::string path(const std::string& name) const { return folder_.path(name); }
  std::string write(const std::string& name, const std::string& text) const {
    return folder_.write(name, text);
  }
  std::string read(const std::string& name) const;
  std::string config() const { return folder_.path("tiny.json"); }
  // limber train with these further arguments, into a work dir of this name.
  ProgramResult train(const std::string& work_dir, const std::vector<std::string>& more = {},
                      const ProgramLimits& limits = {}) const;
  // The checkpoint after the last of the 18 iterations.
  std::string last(const std::string& work_dir) const {
    return folder_.path(work_dir + "/iter_18.safetensors");
  }

 private:
  TempFolder folder_;
};

// Of a run on a GPU: the log says that its steps were captured, and how many were replays.
void expect_captured(const ProgramResult& run, int replays);

// Of two checkpoints: the same names, and behind each the same bits.
void expect_same_tensors(const std::string& a, const std::string& b);

}  // namespace limber::test
