// Synthetic data sets: pictures as JPEG files, annotations as COCO key-point JSON.
//
//   folder/annotations/<split>.json, folder/<split>/000001.jpg, ...
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "data/synth/scene.h"

namespace limber::synth {

struct Split {
  std::string name;
  int images = 0;
};

// Deterministic by seed, whatever the number of threads. Every split has its own pictures.
// `progress` is told how many of all pictures are written. Throws InputError where a file cannot
// be written.
void write_dataset(const std::string& folder, const std::vector<Split>& splits,
                   const SceneOptions& options, uint64_t seed,
                   const std::function<void(int64_t done, int64_t all)>& progress);

}  // namespace limber::synth
