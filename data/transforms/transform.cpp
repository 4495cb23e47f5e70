#include "data/transforms/transform.h"

#include <algorithm>
#include <iterator>
#include <string_view>

#include "data/transforms/albumentation.h"
#include "data/transforms/bottomup.h"
#include "data/transforms/color.h"
#include "data/transforms/flip.h"
#include "data/transforms/mix.h"
#include "data/transforms/target.h"
#include "data/transforms/topdown.h"

namespace limber {
namespace {

// One of several pipelines, drawn for each sample.
class RandomChoice : public Transform {
 public:
  explicit RandomChoice(const Config& config) {
    const Config list = config.at("transforms");
    for (size_t i = 0; i < list.size(); ++i) {
      Config pipeline = list.at(i);
      if (!pipeline.is_list()) {
        pipeline = Config::list();
        pipeline.push_back(list.at(i));
        list.at(i).ignore();
      }
      choices_.push_back(std::make_unique<Pipeline>(pipeline));
    }
    check_input(!choices_.empty(), config.where(), ": no transforms");
    if (config.has("prob")) probs_ = config.get<std::vector<double>>("prob");
    check_input(probs_.empty() || probs_.size() == choices_.size(), config.where(),
                ": one probability per choice is needed");
  }
  bool apply(Sample& sample, Random& random) const override {
    size_t choice = 0;
    if (probs_.empty()) {
      choice = size_t(random.integer(0, int64_t(choices_.size())));
    } else {
      for (double u = random.uniform(); choice + 1 < probs_.size() && u >= probs_[choice]; ++choice)
        u -= probs_[choice];
    }
    return choices_[choice]->apply(sample, random);
  }

 private:
  std::vector<std::unique_ptr<Pipeline>> choices_;
  std::vector<double> probs_;
};

// Where a transform may stand in a pipeline that leaves the pixels for later: to the device, or to
// TopdownAffine.
enum class Deferred : uint8_t { nowhere, anywhere, before_crop, is_crop, behind_crop };

struct Entry {
  const char* name;
  std::unique_ptr<Transform> (*make)(const Config&);
  Deferred deferred = Deferred::nowhere;
};

template <class T>
std::unique_ptr<Transform> make(const Config& config) {
  return std::make_unique<T>(config);
}

constexpr Entry kTransforms[] = {
    {"Albumentation", make<Albumentation>},
    {"BottomupGetHeatmapMask", make<BottomupGetHeatmapMask>},
    {"BottomupRandomAffine", make<BottomupRandomAffine>},
    {"BottomupRandomChoiceResize", make<BottomupRandomChoiceResize>},
    {"BottomupRandomCrop", make<BottomupRandomCrop>},
    {"BottomupResize", make<BottomupResize>},
    {"FilterAnnotations", make<FilterAnnotations>, Deferred::anywhere},
    {"GenerateTarget", make<GenerateTarget>, Deferred::behind_crop},
    {"GetBBoxCenterScale", make<GetBBoxCenterScale>, Deferred::anywhere},
    {"HandRandomFlip", make<HandRandomFlip>, Deferred::before_crop},
    {"KeypointConverter", make<KeypointConverter>, Deferred::anywhere},
    {"LoadImage", make<LoadImage>},
    {"LoadImageFromFile", make<LoadImage>},
    {"Mosaic", make<Mosaic>},
    {"PackPoseInputs", make<PackPoseInputs>, Deferred::behind_crop},
    {"PhotometricDistortion", make<PhotometricDistortion>, Deferred::behind_crop},
    {"RandomBBoxTransform", make<RandomBBoxTransform>, Deferred::anywhere},
    {"RandomChoice", make<RandomChoice>},
    // mmcv's own, which ED-Pose's config takes and which leaves boxes and key points unscaled.
    {"RandomChoiceResize", make<BottomupRandomChoiceResize>},
    {"RandomFlip", make<RandomFlip>, Deferred::before_crop},
    {"RandomFlipAroundRoot", make<RandomFlipAroundRoot>},
    {"RandomHalfBody", make<RandomHalfBody>, Deferred::anywhere},
    {"SingleHandConverter", make<SingleHandConverter>, Deferred::anywhere},
    {"TopdownAffine", make<TopdownAffine>, Deferred::is_crop},
    {"YOLOXHSVRandomAug", make<YOLOXHSVRandomAug>},
    {"YOLOXMixUp", make<YOLOXMixUp>},
    {"mmdet.YOLOXHSVRandomAug", make<YOLOXHSVRandomAug>},
};

bool leaves_pixels(const Config& transform) {
  return transform.type().starts_with("LoadImage") && transform.get<bool>("on_device", false);
}

// Whether TopdownAffine is the first of the transforms from `first` on that needs pixels.
bool only_crop_needs_pixels(const Config& list, size_t first) {
  for (size_t i = first; i < list.size(); ++i) {
    const Entry* entry = std::ranges::find(kTransforms, list.at(i).type(), &Entry::name);
    if (entry == std::end(kTransforms)) return false;  // make_transform() says so
    if (entry->deferred == Deferred::is_crop) return true;
    if (entry->deferred == Deferred::nowhere || entry->deferred == Deferred::behind_crop)
      return false;
  }
  return false;
}

// The transforms from `first` on, behind a LoadImage with on_device.
void check_on_device(const Config& list, size_t first) {
  bool cropped = false;
  for (size_t i = first; i < list.size(); ++i) {
    const Config transform = list.at(i);
    const Entry* entry = std::ranges::find(kTransforms, transform.type(), &Entry::name);
    if (entry == std::end(kTransforms)) continue;  // make_transform() says so
    const Deferred where = entry->deferred;
    if (where == Deferred::nowhere)
      transform.fail(entry->name,
                     " changes pixels and cannot stand behind a LoadImage with on_device");
    if (where == (cropped ? Deferred::before_crop : Deferred::behind_crop))
      transform.fail(entry->name, " stands ", cropped ? "before" : "behind",
                     " TopdownAffine where LoadImage has on_device");
    if (where == Deferred::is_crop && cropped) transform.fail("a second TopdownAffine");
    cropped = cropped || where == Deferred::is_crop;
  }
  check_input(cropped, list.where(), ": LoadImage with on_device, but no TopdownAffine");
}

}  // namespace

std::unique_ptr<Transform> make_transform(const Config& config) {
  const std::string type = config.type();
  std::vector<std::string> names;
  for (const Entry& entry : kTransforms) {
    if (entry.name == type) {
      auto transform = entry.make(config);
      config.expect_all_read();
      return transform;
    }
    names.emplace_back(entry.name);
  }
  config.fail("no transform \"", type, "\"", did_you_mean(type, names));
}

Pipeline::Pipeline(const Config& list) {
  if (list.is_null()) return;
  for (size_t i = 0; i < list.size(); ++i) {
    if (leaves_pixels(list.at(i))) check_on_device(list, i + 1);
    transforms_.push_back(make_transform(list.at(i)));
    if (auto* load = dynamic_cast<LoadImage*>(transforms_.back().get());
        load != nullptr && only_crop_needs_pixels(list, i + 1))
      load->leave_decoding();
  }
}

bool Pipeline::apply(Sample& sample, Random& random) const {
  for (const auto& transform : transforms_)
    if (!transform->apply(sample, random)) return false;
  return true;
}

}  // namespace limber
