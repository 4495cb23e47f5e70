#include "data/datasets/wrappers.h"

#include <algorithm>
#include <cmath>

#include "pose/core/metainfo.h"

namespace limber {
namespace {

// Which part an index falls into; the index becomes that part's own.
size_t part_of(const std::vector<int64_t>& sizes, int64_t& index) {
  size_t part = 0;
  while (part + 1 < sizes.size() && index >= sizes[part]) index -= sizes[part++];
  return part;
}

}  // namespace

CombinedDataset::CombinedDataset(const Config& config) {
  meta_ = resolve_metainfo(config.find("metainfo"), "coco");
  test_mode = config.get<bool>("test_mode", false);
  max_refetch = config.get<int>("max_refetch", 1000);
  const Config list = config.at("datasets");
  for (size_t i = 0; i < list.size(); ++i) datasets_.push_back(make_dataset(list.at(i)));
  check_input(!datasets_.empty(), config.where(), ": no datasets");
  std::vector<double> factors(datasets_.size(), 1);
  if (config.has("sample_ratio_factor")) {
    factors = config.get<std::vector<double>>("sample_ratio_factor");
    check_input(factors.size() == datasets_.size() &&
                    std::all_of(factors.begin(), factors.end(), [](double f) { return f >= 0; }),
                config.where(), ": sample_ratio_factor needs one number >= 0 per data set");
  }
  for (size_t i = 0; i < datasets_.size(); ++i)
    sizes_.push_back(int64_t(std::nearbyint(double(datasets_[i]->size()) * factors[i])));
  pipeline_ = Pipeline(config.find("pipeline"));
  for (const char* key : {"lazy_init", "serialize_data"}) config.find(key);
  config.expect_all_read();
}

int64_t CombinedDataset::size() const {
  int64_t total = 0;
  for (int64_t s : sizes_) total += s;
  return total;
}

Sample CombinedDataset::raw_sample(int64_t index, Random& random) const {
  const size_t part = part_of(sizes_, index);
  const Dataset& source = *datasets_[part];
  if (sizes_[part] != source.size()) {
    // Each index stands for an interval of the source's, a random position of which is taken.
    const double gap = double(source.size()) / double(sizes_[part]);
    index = std::clamp<int64_t>(int64_t((double(index) + random.uniform()) * gap), 0,
                                source.size() - 1);
  }
  Sample sample = source.fetch(index, random);
  sample.source = this;
  sample.dataset = meta_;
  sample.keypoint_weights = meta_->keypoint_weights;
  sample.meta.flip_indices = meta_->flip_indices;
  return sample;
}

bool CombinedDataset::transform(Sample& sample, Random& random) const {
  return pipeline_.apply(sample, random);
}

ConcatDataset::ConcatDataset(std::vector<std::shared_ptr<Dataset>> parts, int64_t times)
    : parts_(std::move(parts)), times_(times) {
  check_input(!parts_.empty() && times_ > 0, "data set wrapper: nothing in it");
  for (const auto& part : parts_) part_size_ += part->size();
  test_mode = parts_[0]->test_mode;
  max_refetch = parts_[0]->max_refetch;
}

Sample ConcatDataset::raw_sample(int64_t index, Random& random) const {
  index %= std::max<int64_t>(part_size_, 1);
  std::vector<int64_t> sizes;
  for (const auto& part : parts_) sizes.push_back(part->size());
  return parts_[part_of(sizes, index)]->raw_sample(index, random);
}

// A sample remembers which part it came from.
bool ConcatDataset::transform(Sample& sample, Random& random) const {
  const Dataset* source = sample.source;
  check(source != nullptr && source != this, "data set wrapper: a sample without source");
  return source->transform(sample, random);
}

std::vector<int64_t> ConcatDataset::source_sizes() const {
  std::vector<int64_t> sizes;
  for (const auto& part : parts_) sizes.push_back(part->size());
  for (int64_t i = 1; i < times_; ++i)
    sizes.insert(sizes.end(), sizes.begin(), sizes.begin() + int64_t(parts_.size()));
  return sizes;
}

}  // namespace limber
