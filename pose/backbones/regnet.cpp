#include "pose/backbones/regnet.h"

#include <algorithm>
#include <cmath>

#include "pose/backbones/resnet.h"

namespace limber {
namespace {

// Initial width, slope, quantisation, group width, blocks (equations 2 to 4), and the width of the
// middle convolution over that of the block.
struct Architecture {
  const char* name;
  double w0, wa, wm;
  int group_width, depth;
  double ratio = 1;
};

constexpr Architecture kArchitectures[] = {
    {"regnetx_400mf", 24, 24.48, 2.54, 16, 22},  {"regnetx_800mf", 56, 35.73, 2.28, 16, 16},
    {"regnetx_1.6gf", 80, 34.01, 2.25, 24, 18},  {"regnetx_3.2gf", 88, 26.31, 2.25, 48, 25},
    {"regnetx_4.0gf", 96, 38.65, 2.43, 40, 23},  {"regnetx_6.4gf", 184, 60.83, 2.07, 56, 17},
    {"regnetx_8.0gf", 80, 49.56, 2.88, 120, 23}, {"regnetx_12gf", 168, 73.36, 2.37, 112, 19},
};

Architecture read_architecture(const Config& c) {
  const Config arch = c.at("arch");
  if (arch.is_object())
    return {"",
            arch.get<double>("w0"),
            arch.get<double>("wa"),
            arch.get<double>("wm"),
            arch.get<int>("group_w"),
            arch.get<int>("depth"),
            arch.get<double>("bot_mul")};
  const auto name = arch.as<std::string>();
  std::vector<std::string> known;
  for (const Architecture& a : kArchitectures) {
    if (name == a.name) return a;
    known.push_back(a.name);
  }
  fail_input(c.path(), ".arch: unknown \"", name, "\"", did_you_mean(name, known));
}

// Widths of all blocks; stages are runs of equal ones.
std::vector<int64_t> block_widths(const Architecture& a) {
  std::vector<int64_t> widths;
  for (int i = 0; i < a.depth; ++i) {
    const double exponent = std::nearbyint(std::log((a.w0 + a.wa * i) / a.w0) / std::log(a.wm));
    widths.push_back(int64_t(std::nearbyint(a.w0 * std::pow(a.wm, exponent) / 8)) * 8);
  }
  return widths;
}

}  // namespace

std::unique_ptr<Backbone> make_regnet(const Config& config, const Scope& scope) {
  const Architecture arch = read_architecture(config);
  ResNetOptions defaults;
  defaults.stem_channels = defaults.base_channels = 32;
  defaults.strides = {2, 2, 2, 2};
  ResNetOptions o = read_resnet_stages(config, defaults);
  check_input(!o.deep_stem, config.path(), ".deep_stem: RegNet has none");
  o.expansion = 1;
  o.stem_kernel = 3;
  o.stem_pool = false;
  std::vector<int64_t> stage_widths;
  for (int64_t width : block_widths(arch)) {
    if (stage_widths.empty() || stage_widths.back() != width) {
      stage_widths.push_back(width);
      o.blocks.push_back(0);
    }
    ++o.blocks.back();
  }
  check_input(o.num_stages <= int(o.blocks.size()), config.path(), ".num_stages: ", o.num_stages,
              " of ", o.blocks.size());
  // Widths are made multiples of the group width, middle ones first.
  std::vector<int> groups;
  for (int64_t width : stage_widths) {
    const auto middle = int64_t(double(width) * arch.ratio);
    const int64_t group = std::min<int64_t>(arch.group_width, middle);
    const int64_t adjusted = int64_t(std::nearbyint(double(middle) / double(group))) * group;
    o.widths.push_back(int64_t(double(adjusted) / arch.ratio));
    groups.push_back(int(std::nearbyint(double(o.widths.back()) * arch.ratio)) / int(group));
  }
  const int group_width = arch.group_width;
  return std::make_unique<ResNet>(scope, o, [groups, group_width](const Scope& s, BlockOptions b) {
    b.groups = groups[size_t(b.stage)];
    if (b.groups > 1) b.middle = b.groups * group_width;
    return bottleneck(s, b);
  });
}

}  // namespace limber
