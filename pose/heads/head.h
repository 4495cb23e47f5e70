// Heads: features in; outputs, losses or decoded key points out.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pose/backbones/backbone.h"
#include "pose/codecs/codec.h"
#include "pose/core/instances.h"

namespace limber {

// A named scalar of a training step. Names that contain "loss" are summed into the total.
using Losses = std::vector<std::pair<std::string, Tensor>>;

// A named output tensor, flattened as MMPose nests them: "0", "1/0", ...; "" for a single one.
// Maps are (N, K, H, W).
using Outputs = std::vector<std::pair<std::string, Tensor>>;

using Batch = std::span<DataSample>;
using ConstBatch = std::span<const DataSample>;

// What a head reads of test_cfg.
struct TestOptions {
  bool flip_test = false;
  std::string flip_mode = "heatmap";
  bool shift_heatmap = false;
  bool shift_coords = true;
  bool output_heatmaps = false;
  Config all;  // the whole test_cfg, for options of single heads
};
TestOptions read_test_options(const Config& test_cfg);

// What training tells a head.
struct TrainOptions {
  bool compute_acc = true;           // log acc_pose, where the head can leave it out
  int64_t max_train_instances = -1;  // of a batch, for heads with maps per person; -1: all
  int epoch = 0;                     // set by the trainer when an epoch begins
  int max_epochs = 0;                // likewise; 0 outside a training run
};
TrainOptions read_train_options(const Config& train_cfg);

// The features of a batch at one scale and those of its mirror image (empty without flip_test).
struct ScaleFeatures {
  Features maps, flipped;
};

// Decoded instances of one sample in input space, plus fields where output_heatmaps asks for them.
struct Prediction {
  Instances instances;
  TensorLists fields;
};

struct Head {
  TrainOptions train;
  virtual ~Head() = default;
  virtual Outputs forward(const Features& features) const = 0;
  // Targets come from the samples' labels and fields.
  virtual Losses loss(const Features& features, ConstBatch samples) const = 0;
  // `flipped`: the features of the images flipped left to right, when test.flip_test is set.
  virtual std::vector<Prediction> predict(const Features& features, const Features* flipped,
                                          ConstBatch samples, const TestOptions& test) const = 0;
  // Whether predict_scales() takes more than one scale.
  virtual bool predicts_scales() const { return false; }
  // The same from features at several scales, the original one first.
  virtual std::vector<Prediction> predict_scales(std::span<const ScaleFeatures> scales,
                                                 ConstBatch samples, const TestOptions& test) const;
  virtual const Codec* codec() const { return nullptr; }
  // Attributes that hooks change while training ("use_aux_loss", ...). Throws for unknown names.
  virtual void set_option(const std::string& path, const Config& value);
};

// By config["type"]; pose/heads/factory.cpp lists the types.
std::unique_ptr<Head> make_head(const Config& config, const Scope& scope);

// The targets of a batch, stacked: labels or fields of this name of every sample, along dimension
// 0 (concatenated for labels (N, ...), stacked for fields); `level` of multi-level targets. Throws
// naming the samples' keys. The samples lie on the CPU, the result on the current device.
Tensor batch_labels(ConstBatch samples, std::string_view name, size_t level = 0);
Tensor batch_fields(ConstBatch samples, std::string_view name, size_t level = 0);

// Sample i of a batched tensor, sharing its storage.
Tensor sample_of(const Tensor& batch, size_t i);

// Decodes every sample of the batched outputs by itself, on the CPU.
std::vector<Prediction> decode_batch(const Codec* codec, std::span<const Tensor> batch);

// The flip indices of the batch's data set; throws where the samples carry none.
const std::vector<int>& flip_indices_of(ConstBatch samples);

}  // namespace limber
