// Codecs turn key points into training targets and network outputs back into key points. All
// coordinates here are pixels of the network's input, x before y. Maps are (K, H, W), one per key
// point.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pose/config/config.h"
#include "pose/core/image_recipe.h"
#include "pose/core/instances.h"
#include "tensor/random.h"

namespace limber {

struct EncodeInput {
  Tensor keypoints;          // (N, K, 2 or 3)
  Tensor visible;            // (N, K); undefined: all visible
  Tensor bboxes;             // (N, 4), or (N, 8) as four corners, for codecs that use them
  Tensor areas;              // (N,)
  TensorLists more;          // what auxiliary_keys() names; nested keys as "camera_param/f"
  Random* random = nullptr;  // for codecs that draw; null: they throw
};

struct Decoded {
  Tensor keypoints;        // (N, K, 2 or 3)
  Tensor scores;           // (N, K), or undefined where a codec knows instance scores only
  Tensor visible;          // (N, K), or undefined
  Tensor instance_scores;  // (N,), or undefined
  TensorLists more;        // boxes, root depth, ... of the codecs that decode them
};

// Targets of one sample of which the large ones are described instead of drawn.
struct TargetSketch {
  TensorLists arrays;
  std::vector<Drawing> drawings;
};

struct Codec {
  virtual ~Codec() = default;
  // Targets under MMPose's names (heatmaps, keypoint_x_labels, keypoint_weights, ...).
  virtual TensorLists encode(const EncodeInput& input) const = 0;
  // The same as a sketch, for drawing whole batches on a device; codecs without one have none.
  virtual std::optional<TargetSketch> sketch(const EncodeInput&) const { return std::nullopt; }
  // Decodes the outputs of one sample; which tensors it wants is each codec's own.
  virtual Decoded decode(std::span<const Tensor> encoded) const = 0;
  // Names of encoded arrays that belong to the instances (labels) and to the image (fields):
  // packed name -> name in encode()'s result.
  virtual std::map<std::string, std::string> label_mapping() const = 0;
  virtual std::map<std::string, std::string> field_mapping() const { return {}; }
  // Encoded arrays that join the sample's own or take their place, under these names; decoding or a
  // metric wants them. A name that ends in "/" stands for all that begin with it.
  virtual std::vector<std::string> sample_keys() const { return {}; }
  // Extra keys of a sample that encode() reads: "bbox" and "area" come as EncodeInput::bboxes and
  // areas, all others in EncodeInput::more ("camera_param" as "camera_param/f", ...).
  virtual std::vector<std::string> auxiliary_keys() const { return {}; }
};

// By config["type"]; throws InputError naming the known types.
std::unique_ptr<Codec> make_codec(const Config& config);

}  // namespace limber
