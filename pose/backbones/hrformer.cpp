#include "pose/backbones/hrformer.h"

#include "nn/blocks/window_attention.h"
#include "pose/backbones/hrnet.h"

namespace limber {
namespace {

struct BlockSettings {
  int heads = 1, window = 7;
  int64_t mlp_ratio = 4;
  bool relative_bias = true;
  double path = 0;
  NormOptions norm;  // of the tokens
};

// 1 x 1, depthwise 3 x 3, 1 x 1, each with batch norm and GELU: figure 2 (b), through which
// windows exchange.
struct CrossFeedForward {
  Conv2d fc1, dw3x3, fc2;
  Norm norm1, norm2, norm3;

  CrossFeedForward(const Scope& s, int64_t channels, int64_t hidden, const NormOptions& norm)
      : fc1(s / "fc1", {.in = channels, .out = hidden}),
        dw3x3(s / "dw3x3", ConvOptions::square(hidden, hidden, 3, 1, int(hidden), /*bias=*/true)),
        fc2(s / "fc2", {.in = hidden, .out = channels}),
        norm1(s / "norm1", hidden, norm),
        norm2(s / "norm2", hidden, norm),
        norm3(s / "norm3", channels, norm) {}
  Tensor operator()(const Tensor& x) const {
    return gelu(norm3(fc2(gelu(norm2(dw3x3(gelu(norm1(fc1(x)))))))));
  }
};

struct HRFormerBlock : ResidualBlock {
  int window;
  Norm norm1, norm2;
  WindowAttention attn;
  CrossFeedForward ffn;
  DropPath path;

  HRFormerBlock(const Scope& s, const BlockOptions& o, const BlockSettings& b)
      : window(b.window),
        norm1(s / "norm1", o.in, b.norm),
        norm2(s / "norm2", o.out, b.norm),
        attn(s / "attn" / "attn", {.channels = o.in,
                                   .heads = b.heads,
                                   .window = {b.window, b.window},
                                   .relative_bias = b.relative_bias}),
        ffn(s / "ffn", o.in, o.in * b.mlp_ratio, o.norm),
        path(s / "drop_path", b.path) {}

  Tensor operator()(const Tensor& x) const override {
    const Windows windows(x.size(1), x.size(2), {window, window}, 0, WindowPadding::centre);
    const Tensor y = x + path(windows.join(attn(windows.cut(norm1(x)))));
    return y + path(ffn(norm2(y)));
  }
};

struct StageSettings {
  int blocks = 0;  // of the first branch
  std::vector<int> heads, windows;
  std::vector<int64_t> mlp_ratios;
  int first_block = 0;  // blocks of the stages before, of the first branch
};

StageSettings read_settings(const Config& c, int first_block) {
  StageSettings o{.blocks = c.get<std::vector<int>>("num_blocks").at(0),
                  .heads = c.get<std::vector<int>>("num_heads"),
                  .windows = c.get<std::vector<int>>("window_sizes"),
                  .mlp_ratios = c.get<std::vector<int64_t>>("mlp_ratios"),
                  .first_block = first_block};
  const auto branches = size_t(c.get<int>("num_branches"));
  check_input(
      o.heads.size() == branches && o.windows.size() == branches && o.mlp_ratios.size() == branches,
      c.path(), ": ", branches, " branches need as many num_heads, window_sizes and ",
      "mlp_ratios");
  return o;
}

}  // namespace

std::unique_ptr<Backbone> make_hrformer(const Config& c, const Scope& s) {
  const Config extra = c.at("extra");
  const NormOptions norm =
      read_norm(c, "transformer_norm_cfg", {.type = NormType::layer, .eps = 1e-6});
  const bool relative_bias = extra.get("with_rpe", false);
  const auto path = extra.get<double>("drop_path_rate");
  // Of convolutions alone; the paper's counts are repeated there without use.
  for (const char* key : {"num_heads", "num_mlp_ratios", "mlp_ratios"})
    extra.at("stage1").find(key);
  std::vector<StageSettings> stages;
  int total = 0;
  for (int n = 2; n <= 4; ++n) {
    const Config stage = extra.at("stage" + std::to_string(n));
    stages.push_back(read_settings(stage, total));
    total += stages.back().blocks * stage.get<int>("num_modules");
  }
  // The rate of drop path grows from block to block, alike in all branches.
  const auto blocks = [&](int stage, int module, size_t branch) -> BlockFactory {
    const StageSettings& o = stages[size_t(stage - 2)];
    const int first = o.first_block + module * o.blocks;
    const BlockSettings b{.heads = o.heads[branch],
                          .window = o.windows[branch],
                          .mlp_ratio = o.mlp_ratios[branch],
                          .relative_bias = relative_bias,
                          .path = total > 1 ? path / (total - 1) : 0,
                          .norm = norm};
    return [b, first](const Scope& scope, const BlockOptions& options) {
      BlockSettings own = b;
      own.path *= first + options.index;
      return std::make_unique<HRFormerBlock>(scope, options, own);
    };
  };
  return make_hr_variant(c, s,
                         {.block = "HRFORMERBLOCK",
                          .separable = true,
                          .up = {.mode = Interpolation::bilinear},
                          .blocks = blocks});
}

}  // namespace limber
