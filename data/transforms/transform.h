// The role of a transform, and pipelines of them.
//
// A transform that draws random numbers does so in a function of its own, whose result is a plain
// struct that the transform is then carried out with; tests and parity checks call the second half
// with numbers of their own.
#pragma once

#include <memory>
#include <vector>

#include "data/sample.h"
#include "pose/config/config.h"
#include "tensor/random.h"

namespace limber {

class Transform {
 public:
  virtual ~Transform() = default;
  // False: the sample is unfit and another one should be taken. Safe to call from many threads.
  virtual bool apply(Sample& sample, Random& random) const = 0;
};

// By config["type"]; throws InputError naming the known types.
std::unique_ptr<Transform> make_transform(const Config& config);

class Pipeline {
 public:
  Pipeline() = default;
  // A list of transforms, or null. Behind a LoadImage with `on_device` only those that leave the
  // pixels alone or write down what they would do, mirroring before TopdownAffine and changes of
  // colour behind it; throws InputError naming what stands wrong.
  explicit Pipeline(const Config& list);
  bool apply(Sample& sample, Random& random) const;
  bool empty() const { return transforms_.empty(); }

 private:
  std::vector<std::unique_ptr<Transform>> transforms_;
};

}  // namespace limber
