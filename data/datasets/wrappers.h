// Data sets made of others.
#pragma once

#include "data/dataset.h"

namespace limber {

// Several data sets, each through its own transforms, then through common ones under one
// description. sample_ratio_factor resizes each by drawing positions anew.
class CombinedDataset : public Dataset {
 public:
  explicit CombinedDataset(const Config& config);
  int64_t size() const override;
  const DatasetMeta& metainfo() const override { return *meta_; }
  Sample raw_sample(int64_t index, Random& random) const override;
  bool transform(Sample& sample, Random& random) const override;
  std::vector<int64_t> source_sizes() const override { return sizes_; }

 private:
  std::shared_ptr<const DatasetMeta> meta_;
  std::vector<std::shared_ptr<Dataset>> datasets_;
  std::vector<int64_t> sizes_;
  Pipeline pipeline_;
};

// One after the other, or one several times.
class ConcatDataset : public Dataset {
 public:
  ConcatDataset(std::vector<std::shared_ptr<Dataset>> parts, int64_t times);
  int64_t size() const override { return times_ * part_size_; }
  const DatasetMeta& metainfo() const override { return parts_[0]->metainfo(); }
  Sample raw_sample(int64_t index, Random& random) const override;
  bool transform(Sample& sample, Random& random) const override;
  std::vector<int64_t> source_sizes() const override;

 private:
  std::vector<std::shared_ptr<Dataset>> parts_;
  int64_t times_, part_size_ = 0;
};

}  // namespace limber
