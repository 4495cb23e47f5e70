// What heads share that predict one vector of logits per axis and key point (SimCC; Li et al. 2022,
// arXiv 2107.03332): loss, accuracy, flip test, decoding.
#pragma once

#include "pose/heads/head.h"
#include "pose/losses/loss.h"

namespace limber {

struct AxisLogits {
  Tensor x, y;  // (N, K, W split_ratio), (N, K, H split_ratio)
};

class SimCCBase : public Head {
 public:
  // Reads input_size, in_featuremap_size, simcc_split_ratio, loss, decoder.
  SimCCBase(const Config& c, const Scope& s);
  Outputs forward(const Features& features) const override;
  Losses loss(const Features& features, ConstBatch samples) const override;
  std::vector<Prediction> predict(const Features& features, const Features* flipped,
                                  ConstBatch samples, const TestOptions& test) const override;
  const Codec* codec() const override { return codec_.get(); }
  virtual AxisLogits logits(const Features& features) const = 0;
  // loss() of logits that the caller has already.
  Losses loss_of(const AxisLogits& logits, ConstBatch samples) const;

 protected:
  int64_t bins_x() const { return int64_t(input_size_[0] * split_ratio_); }
  int64_t bins_y() const { return int64_t(input_size_[1] * split_ratio_); }
  std::array<int, 2> map_size_;  // width, height of the features

 private:
  std::array<int, 2> input_size_;  // width, height
  double split_ratio_;
  std::unique_ptr<Loss> loss_;
  std::unique_ptr<Codec> codec_;
};

}  // namespace limber
