#include "data/dataset.h"

#include <cstdio>
#include <mutex>
#include <set>

namespace limber {
namespace {

// One line per file, however often it is met.
void report_once(const std::string& message) {
  static std::mutex mutex;
  static std::set<std::string> told;
  const std::lock_guard lock(mutex);
  if (told.insert(message).second) std::fprintf(stderr, "skipped: %s\n", message.c_str());
}

}  // namespace

Sample Dataset::fetch(int64_t index, Random& random) const {
  check(index >= 0 && index < size(), "data set: no sample ", index, " of ", size());
  std::string last;
  for (int attempt = 0; attempt <= max_refetch; ++attempt) {
    try {
      Sample sample = raw_sample(index, random);
      if (transform(sample, random)) return sample;
      last = sample.meta.img_path + ": dropped by the pipeline";
    } catch (const InputError& error) {
      last = error.what();
      if (test_mode) throw;
      report_once(last);
    }
    check_input(!test_mode, last);
    index = random.integer(0, size());
  }
  fail_input("no usable sample in ", max_refetch + 1, " attempts; the last: ", last);
}

DataSample Dataset::get(int64_t index, Random& random) const {
  const Sample sample = fetch(index, random);
  check(sample.packed != nullptr, "data set: the pipeline does not end with PackPoseInputs");
  return std::move(*sample.packed);
}

}  // namespace limber
