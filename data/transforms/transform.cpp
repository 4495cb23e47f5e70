#include "data/transforms/transform.h"

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

struct Entry {
  const char* name;
  std::unique_ptr<Transform> (*make)(const Config&);
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
    {"FilterAnnotations", make<FilterAnnotations>},
    {"GenerateTarget", make<GenerateTarget>},
    {"GetBBoxCenterScale", make<GetBBoxCenterScale>},
    {"HandRandomFlip", make<HandRandomFlip>},
    {"KeypointConverter", make<KeypointConverter>},
    {"LoadImage", make<LoadImage>},
    {"LoadImageFromFile", make<LoadImage>},
    {"Mosaic", make<Mosaic>},
    {"PackPoseInputs", make<PackPoseInputs>},
    {"PhotometricDistortion", make<PhotometricDistortion>},
    {"RandomBBoxTransform", make<RandomBBoxTransform>},
    {"RandomChoice", make<RandomChoice>},
    // mmcv's own, which ED-Pose's config takes and which leaves boxes and key points unscaled.
    {"RandomChoiceResize", make<BottomupRandomChoiceResize>},
    {"RandomFlip", make<RandomFlip>},
    {"RandomFlipAroundRoot", make<RandomFlipAroundRoot>},
    {"RandomHalfBody", make<RandomHalfBody>},
    {"SingleHandConverter", make<SingleHandConverter>},
    {"TopdownAffine", make<TopdownAffine>},
    {"YOLOXHSVRandomAug", make<YOLOXHSVRandomAug>},
    {"YOLOXMixUp", make<YOLOXMixUp>},
    {"mmdet.YOLOXHSVRandomAug", make<YOLOXHSVRandomAug>},
};

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
  for (size_t i = 0; i < list.size(); ++i) transforms_.push_back(make_transform(list.at(i)));
}

bool Pipeline::apply(Sample& sample, Random& random) const {
  for (const auto& transform : transforms_)
    if (!transform->apply(sample, random)) return false;
  return true;
}

}  // namespace limber
