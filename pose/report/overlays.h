// The pictures of a data set with what a model found on them.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "pose/core/instances.h"
#include "pose/report/draw.h"

namespace limber {

class Overlays {
 public:
  Overlays(DatasetMeta meta, DrawOptions options) : meta_(std::move(meta)), options_(options) {}
  // Samples with pred_instances in image space, in any order; those of one image are put together.
  // A picture of which no sample came is not drawn, one without instances is.
  void add(std::span<const DataSample> samples);
  // FOLDER/<stem of the image's file>_pose.jpg for each picture and FOLDER/<stem>_pose.mp4 for each
  // video of which frames came (data/video.h), its other frames as they are; makes the folder.
  void write(const std::string& folder) const;

 private:
  void draw(const Tensor& image, const std::string& name) const;
  void write_video(const std::string& video, const std::string& out) const;

  DatasetMeta meta_;
  DrawOptions options_;
  std::map<std::string, std::vector<Instances>> found_;
};

}  // namespace limber
