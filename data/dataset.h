// The role of a data set: samples by index, and what holds for all of them.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "data/sample.h"
#include "data/transforms/transform.h"

namespace limber {

struct Dataset {
  virtual ~Dataset() = default;
  virtual int64_t size() const = 0;
  virtual const DatasetMeta& metainfo() const = 0;
  // What the annotation says of sample `index`, before any transform. All const members are safe
  // to call from many threads.
  virtual Sample raw_sample(int64_t index, Random& random) const = 0;
  // The data set's own transforms; false as Transform::apply.
  virtual bool transform(Sample& sample, Random& random) const = 0;
  // Sizes of the data sets that this one is a sequence of.
  virtual std::vector<int64_t> source_sizes() const { return {size()}; }

  // A sample after its transforms. One that is dropped or cannot be read is replaced by another,
  // drawn at random, up to max_refetch times, and said so once; in test mode it is an error.
  Sample fetch(int64_t index, Random& random) const;
  // The same, packed, for training or test.
  DataSample get(int64_t index, Random& random) const;

  bool test_mode = false;
  int max_refetch = 1000;
};

// By config["type"]; throws InputError naming the known types.
std::shared_ptr<Dataset> make_dataset(const Config& config);

// What such a data set says of its key points. No file of the data set is opened where its type and
// `metainfo` tell.
DatasetMeta described_metainfo(const Config& config);

}  // namespace limber
