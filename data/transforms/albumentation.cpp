#include "data/transforms/albumentation.h"

#include <algorithm>

#include "data/color.h"
#include "data/image.h"

namespace limber {
namespace {

// Sets [x1, x2) x [y1, y2) to one value.
void fill_box(const Tensor& image, int64_t x1, int64_t y1, int64_t x2, int64_t y2, uint8_t value) {
  const int64_t W = image.size(1), C = image.size(2);
  for (int64_t y = y1; y < y2; ++y)
    std::fill_n(image.data<uint8_t>() + (y * W + x1) * C, std::max<int64_t>(0, x2 - x1) * C, value);
}

// A number of pixels, or a fraction of the image's side.
struct Extent {
  double value = 0;
  bool fraction = false;
  int pixels(int64_t side) const { return int(fraction ? value * double(side) : value); }
};

Extent read_extent(const Config& config, const char* key, Extent fallback) {
  const Config value = config.find(key);
  if (value.is_null()) return fallback;
  return {value.as<double>(), value.kind() == Config::Kind::real};
}

}  // namespace

// Mean or median over a window of random odd size.
struct Albumentation::Blur : Step {
  std::array<int, 2> limit{3, 7};
  bool median = false;

  Blur(const Config& config, bool is_median) : median(is_median) {
    const Config range = config.find("blur_limit");
    if (range.is_list())
      limit = range.as<std::array<int, 2>>();
    else if (!range.is_null())
      limit = {3, range.as<int>()};
    check_input(limit[0] >= 3 && limit[1] >= limit[0], config.where(), ": blur_limit must be >= 3");
  }
  Tensor apply(const Tensor& image, Random& random) const override {
    const int first = limit[0] | 1;
    const int k = first + 2 * int(random.integer(0, (limit[1] - first) / 2 + 1));
    return median ? median_blur(image, k) : box_blur(image, k);
  }
};

// Rectangles of random size and place set to one value (DeVries and Taylor 2017, arXiv
// 1708.04552).
struct Albumentation::CoarseDropout : Step {
  int min_holes, max_holes, fill;
  Extent min_h, max_h, min_w, max_w;

  explicit CoarseDropout(const Config& config) {
    max_holes = config.get<int>("max_holes", 8);
    min_holes = config.get<int>("min_holes", max_holes);
    max_h = read_extent(config, "max_height", {8, false});
    max_w = read_extent(config, "max_width", {8, false});
    min_h = read_extent(config, "min_height", max_h);
    min_w = read_extent(config, "min_width", max_w);
    fill = config.get<int>("fill_value", 0);
    check_input(min_holes >= 1 && min_holes <= max_holes, config.where(),
                ": needs 1 <= min_holes <= max_holes");
  }
  static int between(const Extent& low, const Extent& high, int64_t side, Random& random) {
    const int a = low.pixels(side), b = std::max(a, high.pixels(side));
    return int(std::min<int64_t>(side, random.integer(a, b + 1)));
  }
  Tensor apply(const Tensor& image, Random& random) const override {
    Tensor out = image.clone();
    const int64_t H = image.size(0), W = image.size(1);
    for (int64_t n = random.integer(min_holes, max_holes + 1); n > 0; --n) {
      const int h = between(min_h, max_h, H, random), w = between(min_w, max_w, W, random);
      const int64_t y = random.integer(0, H - h + 1), x = random.integer(0, W - w + 1);
      fill_box(out, x, y, x + w, y + h, uint8_t(fill));
    }
    return out;
  }
};

// A grid of squares set to one value (Chen et al. 2020, arXiv 2001.04086).
struct Albumentation::GridDropout : Step {
  double ratio;
  int unit_min, unit_max, fill;
  bool random_offset;

  explicit GridDropout(const Config& config) {
    ratio = config.get<double>("ratio", 0.5);
    unit_min = config.get<int>("unit_size_min", 0);
    unit_max = config.get<int>("unit_size_max", 0);
    random_offset = config.get<bool>("random_offset", false);
    fill = config.get<int>("fill_value", 0);
    check_input(ratio > 0 && ratio <= 1, config.where(), ": ratio must be in (0, 1]");
    check_input((unit_min == 0 && unit_max == 0) || (unit_min >= 2 && unit_min <= unit_max),
                config.where(), ": needs 2 <= unit_size_min <= unit_size_max");
  }
  Tensor apply(const Tensor& image, Random& random) const override {
    Tensor out = image.clone();
    const int64_t H = image.size(0), W = image.size(1);
    int64_t unit_w = std::max<int64_t>(2, W / 10), unit_h = std::max<int64_t>(2, H / 10);
    if (unit_max > 0) {
      const int64_t most = std::max<int64_t>(unit_min, std::min<int64_t>(unit_max, std::min(H, W)));
      unit_w = unit_h = random.integer(unit_min, most + 1);
    }
    const int64_t hole_w = std::clamp<int64_t>(int64_t(double(unit_w) * ratio), 1, unit_w - 1);
    const int64_t hole_h = std::clamp<int64_t>(int64_t(double(unit_h) * ratio), 1, unit_h - 1);
    const int64_t dx = random_offset ? random.integer(0, unit_w - hole_w + 1) : 0;
    const int64_t dy = random_offset ? random.integer(0, unit_h - hole_h + 1) : 0;
    for (int64_t x = dx; x < W; x += unit_w)
      for (int64_t y = dy; y < H; y += unit_h)
        fill_box(out, x, y, std::min(x + hole_w, W), std::min(y + hole_h, H), uint8_t(fill));
    return out;
  }
};

std::unique_ptr<Albumentation::Step> Albumentation::make_step(const Config& config) {
  const std::string type = config.type();
  std::unique_ptr<Step> step;
  if (type == "Blur") step = std::make_unique<Blur>(config, false);
  if (type == "MedianBlur") step = std::make_unique<Blur>(config, true);
  if (type == "CoarseDropout") step = std::make_unique<CoarseDropout>(config);
  if (type == "GridDropout") step = std::make_unique<GridDropout>(config);
  if (step == nullptr)
    config.fail("no augmentation \"", type, "\"",
                did_you_mean(type, {"Blur", "MedianBlur", "CoarseDropout", "GridDropout"}));
  step->p = config.get<double>("p", 0.5);
  config.find("always_apply");
  config.expect_all_read();
  return step;
}

Albumentation::Albumentation(const Config& config) {
  const Config list = config.at("transforms");
  for (size_t i = 0; i < list.size(); ++i) steps_.push_back(make_step(list.at(i)));
  if (config.has("keymap")) config.find("keymap").ignore();
}

bool Albumentation::apply(Sample& sample, Random& random) const {
  check_image(sample.img, "Albumentation");
  for (const auto& step : steps_)
    if (random.chance(step->p)) sample.img = step->apply(sample.img, random);
  return true;
}

}  // namespace limber
